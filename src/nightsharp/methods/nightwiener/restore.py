"""NightWiener on a photograph: the turns, the views, the network, any size."""

from types import EllipsisType

import torch
from jaxtyping import Float
from torch import Tensor

from nightsharp.methods._blocks import (
    CLIPPED,
    Cancel,
    Canvas,
    Progress,
    measured_contrast,
    noise_level,
    tick,
)
from nightsharp.methods.nightwiener.bank import views
from nightsharp.methods.nightwiener.network import NightWiener
from nightsharp.methods.nightwiener.prior import NightPrior
from nightsharp.methods.nightwiener.scene import of_each
from nightsharp.methods.nightwiener.sides import to_multiple
from nightsharp.methods.nightwiener.turns import FINE, TURNS, share, turns

# the network halves three times
_MULTIPLE = 8


def nightwiener(
    blurred: Float[Tensor, "batch channel height width"],
    psf: Float[Tensor, "#batch 1 kh kw"],
    *,
    network: NightWiener,
    prior: NightPrior,
    start: Float[Tensor, "batch channel height width"],
    scene: float | None = None,
    sigma: float | Tensor | None = None,
    strength: float = 1.0,
    clip: float | None = CLIPPED,
    contrast: Tensor | None = None,
    weight: Tensor | None = None,
    tolerance: float = 0.0,
    progress: Progress | None = None,
    cancel: Cancel | None = None,
) -> Float[Tensor, "batch channel height width"]:
    """Correct a classical estimate by a network, and in soft scenes join what data step and prior find in turns.

    Args:
        blurred: range [0, 1].
        psf: convolution kernel, sum 1, centre at ``k // 2``; one for all or one per image.
        network: with its weights, on the device of ``blurred``.
        prior: with its weights, likewise.
        start: the classical estimate; the network was trained on that of ``hyper_laplacian`` under the same options.
        scene: how fine the scene is (:func:`~nightsharp.methods.nightwiener.scene.fineness`), of the whole photograph;
            measured when None.
        sigma: standard deviation of the noise, in the image's range; estimated when None.
        strength: > 0; the noise is taken as ``sigma / strength``, so above 1 is sharper and noisier.
        clip: the value from which a pixel counts as saturated; None trusts all.
        contrast: standard deviation of the whole image, where ``blurred`` is a tile of it; measured when None.
        weight: how far each pixel can be trusted beside the others, same shape, in [0, 1]; fully when None. Rows and
            columns without any are handed back as estimated.
        tolerance: taken for the sake of the iterative methods; nothing iterates here.
        progress: told after each turn and each channel.
        cancel: asked as often.

    Returns:
        The latent image, same shape; lamps may exceed 1, nothing is below 0.

    Raises:
        PsfError: the PSF is larger than the image.
        UsageError: ``sigma`` or ``strength`` is out of its range.
        Cancelled: ``cancel`` answered True.

    Example:
        >>> from nightsharp.optics import line
        >>> scene = torch.rand(1, 3, 20, 30)
        >>> untrained = {"network": NightWiener(), "prior": NightPrior()}
        >>> same = nightwiener(scene, line(5).kernel[None, None], **untrained, start=scene, sigma=0.01)
        >>> torch.equal(same, scene)  # an untrained network hands the estimate back
        True
    """
    level = noise_level(blurred, sigma, strength)
    with torch.inference_mode():
        scenes = of_each(blurred, psf) if scene is None else torch.full((len(blurred),), scene)
        contrast = measured_contrast(blurred, contrast)
        canvas = Canvas.around(blurred, psf, clip, weight)
        before = TURNS * bool((scenes < FINE).any())
        steps = before + blurred.shape[0] * blurred.shape[1]
        turned, after = start, turns(start, canvas, level, contrast, scenes, prior)
        for turn in range(before):
            turned = next(after)
            tick(turn + 1, steps, progress, cancel)
        del after
        stack = views(canvas, start, turned, level, contrast, scenes)
        joined = share(canvas, psf, scenes)
        del canvas, turned
        inner = _recorded(weight, stack)
        stack, joined = stack[inner], joined[inner]
        height, width = stack.shape[-2:]
        planes = []
        # one plane after the other, for the memory
        for number, plane in enumerate(zip(stack, joined, strict=True)):
            sharp = network(*(to_multiple(part[None], _MULTIPLE) for part in plane))[..., :height, :width]
            planes.append(sharp.clamp_min(0))
            tick(before + number + 1, steps, progress, cancel)
        del stack, joined
        latent = start.clone()
        latent[inner] = torch.cat(planes).reshape(*blurred.shape[:2], height, width)
    return latent.clone()


def _recorded(weight: Tensor | None, like: Tensor) -> tuple[EllipsisType, slice, slice]:
    """The rows and columns in which anything was recorded; a rim around the photograph has no weight."""
    if weight is None:
        return ..., slice(0, like.shape[-2]), slice(0, like.shape[-1])
    known = (weight > 0).flatten(0, 1).any(0)
    rows, columns = (known.any(axis).nonzero().flatten().tolist() or [0] for axis in (1, 0))
    return ..., slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)

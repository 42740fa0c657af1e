"""Richardson-Lucy deconvolution of photographs: unknown border, measured noise, lamps beyond the sensor's range."""

from typing import Literal, get_args

import torch
from jaxtyping import Float
from torch import Tensor

from nightsharp.errors import UsageError
from nightsharp.methods._blocks import (
    CLIPPED,
    Cancel,
    Canvas,
    Progress,
    measured_contrast,
    noise_level,
    root_mean_square,
    tick,
)
from nightsharp.methods.richardson_lucy.correction import Correction
from nightsharp.methods.richardson_lucy.damping import total_variation_damping
from nightsharp.methods.richardson_lucy.split import Split

Variant = Literal["plain", "tv", "saturated"]

# The damping's weight, w * (sigma / contrast)^1.5, set by hand on crops of Pan's low-light set, 0 to 3 % noise added.
_DAMPING, _DAMPING_POWER, _STRONGEST = 0.15, 1.5, 0.05
# Light added to both sides of the ratio, part of the contrast: read noise does not fade with the light.
_PEDESTAL = 0.3
# The least light a pixel starts with, and the least that momentum leaves it.
_START, _DARKEST = 1e-2, 1e-7
# Nesterov's momentum (k - 1) / (k + 2), held below 1 so that noise is not amplified for ever.
_MOMENTUM = 0.9
# How often the split looks again at which latent pixels are saturated.
_LOOK_AGAIN = 5


@torch.no_grad()
def richardson_lucy(
    blurred: Float[Tensor, "batch channel height width"],
    psf: Float[Tensor, "#batch 1 kh kw"],
    *,
    variant: Variant = "saturated",
    iterations: int = 30,
    sigma: float | Tensor | None = None,
    strength: float = 1.0,
    clip: float | None = CLIPPED,
    contrast: Tensor | None = None,
    weight: Tensor | None = None,
    tolerance: float = 1e-3,
    progress: Progress | None = None,
    cancel: Cancel | None = None,
) -> Float[Tensor, "batch channel height width"]:
    r"""Deconvolve by multiplying with the back-projected ratio of what was seen to what is predicted.

    .. math:: x \leftarrow \frac{x}{1 - \tau\, \mathrm{div}\frac{\nabla x}{|\nabla x|}} \cdot
        \frac{A^\top\!\left( w\, r \right)}{A^\top w}, \qquad r = \frac{y + o}{A x + o}

    A is the blur on a canvas that reaches beyond the photograph, where w is 0: the border needs no assumption.

    - ``plain``: the textbook iteration; no damping, no offset, no momentum (:math:`\tau = o = 0`).
    - ``tv``: total variation holds the noise back, with a weight that follows from it.
    - ``saturated``: besides, a clipped pixel asks only for "at least this bright", :math:`r \leftarrow \max(r, 1)`, and
      latent pixels that are not saturated learn little from pixels lit by saturated ones
      (:class:`~nightsharp.methods.richardson_lucy.split.Split`), which keeps lamps from ringing.

    Args:
        blurred: range [0, 1]; negative values count as 0.
        psf: convolution kernel, sum 1, centre at ``k // 2``; one for all or one per image.
        variant: see above.
        iterations: steps at most; ``plain`` without damping needs fewer, the noisier the photograph.
        sigma: standard deviation of the noise, in the image's range; estimated when None. Sets the damping.
        strength: > 0; the noise is taken as ``sigma / strength``, so above 1 is sharper and noisier.
        clip: the value from which a pixel counts as saturated, for ``saturated``; None trusts all.
        contrast: standard deviation of the whole image, where ``blurred`` is a tile of it; measured when None.
        weight: how far each pixel can be trusted beside the others, same shape, in [0, 1]; fully when None.
        tolerance: an image is done when a step changes it by less than this part of its contrast, in the root mean
            square.
        progress: told after each step.
        cancel: asked after each step.

    Returns:
        The latent image, same shape, non-negative, without a gradient; lamps may exceed 1.

    Raises:
        PsfError: the PSF is larger than the image.
        UsageError: ``variant``, ``iterations``, ``sigma`` or ``strength`` is out of its range.
        Cancelled: ``cancel`` answered True.

    Example:
        >>> from nightsharp.optics import Blur, line
        >>> street = torch.full((1, 1, 48, 48), 0.1); street[..., 20:28, 22:26] = 5.0
        >>> photo = Blur(line(9), boundary="replicate")(street).clamp(0, 1)
        >>> restored = richardson_lucy(photo, line(9).kernel[None, None], sigma=0.002).clamp(0, 1)
        >>> bool((restored - street.clamp(0, 1)).square().mean() < 0.2 * (photo - street.clamp(0, 1)).square().mean())
        True

    Source: Richardson 1972; Lucy 1974; Dey et al., "Richardson-Lucy algorithm with total variation regularization",
    2006, eq. (10); Whyte, Sivic, Zisserman, "Deblurring shaken and partially saturated images", IJCV 2014, sections 4
    and 5; Snyder et al., "Image recovery from data acquired with a charge-coupled-device camera", 1993 (the offset).
    """
    if variant not in get_args(Variant):
        raise UsageError(f"variant {variant!r} is unknown. Choose one of {', '.join(get_args(Variant))}.")
    if iterations < 1:
        raise UsageError(f"iterations is {iterations}; at least 1 step is needed.")
    level = noise_level(blurred, 0.0 if sigma is None and variant == "plain" else sigma, strength)
    spread = measured_contrast(blurred, contrast).clamp_min(1e-3)
    damping = (_DAMPING * (level / spread) ** _DAMPING_POWER).clamp_max(_STRONGEST)
    pedestal = _PEDESTAL * measured_contrast(blurred, contrast) if variant == "saturated" else torch.zeros_like(spread)

    canvas = Canvas.around(blurred.clamp_min(0), psf, clip if variant == "saturated" else None, weight)
    correction = Correction(canvas, pedestal)
    split = Split(canvas, correction, clip) if variant == "saturated" and clip is not None else None

    # what is 0 can never grow by multiplication; a start without detail is a start without noise
    flat = blurred.mean(dim=(2, 3), keepdim=True).expand_as(canvas.observed)
    x = (flat if variant == "plain" else canvas.observed).clamp_min(_START)
    before = x
    moving = torch.ones_like(spread, dtype=torch.bool)
    for step in range(iterations):
        start = x
        if variant != "plain" and step > 0:
            momentum = min(step / (step + 3), _MOMENTUM)
            start = (x + momentum * (x - before)).clamp_min_(_DARKEST)
        ratio = correction.ratio(start)
        factor = correction(ratio)
        if split is not None:
            if step % _LOOK_AGAIN == 0:
                split.look(start)
            factor = split(ratio, factor)
        after = factor.mul_(start)
        if variant != "plain":
            after = after / total_variation_damping(start, damping, spread)
        before, x = x, after if bool(moving.all()) else torch.where(moving, after, x)
        if tolerance > 0:
            # each image of a batch stops by itself, so that it comes out as it would alone
            changed = root_mean_square(canvas.cut(x - before))
            moving = moving & (changed > tolerance * measured_contrast(canvas.cut(before)))
        tick(step + 1, iterations, progress, cancel)
        if not bool(moving.any()):
            break
    return canvas.cut(x)

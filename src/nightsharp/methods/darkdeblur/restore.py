"""DarkDeblurNet as a method: any size, grey or colour, tiles of a larger photograph."""

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor

from nightsharp.methods._blocks import CLIPPED, Cancel, Progress, noise_level, tick
from nightsharp.methods._blocks.colours import in_colours
from nightsharp.methods._blocks.frame import Frame
from nightsharp.methods.darkdeblur.network import MULTIPLE, DarkDeblurNet

Means = tuple[Tensor, ...]
"""Each ``(batch, channel, 1, 1)``, in the order in which the network asks for them."""

REACH = 144
"""How far a pixel of the result looks, in pixels, but for the means over the whole image."""

_BAND = 256
# The mirrored border of a gate needs two pixels at an eighth of the size.
_LEAST = 2 * MULTIPLE


def darkdeblur(
    blurred: Float[Tensor, "batch channel height width"],
    psf: Float[Tensor, "#batch 1 kh kw"] | None = None,
    *,
    network: DarkDeblurNet,
    sigma: float | Tensor | None = None,
    strength: float = 1.0,
    clip: float | None = CLIPPED,
    contrast: Tensor | None = None,
    weight: Tensor | None = None,
    tolerance: float = 0.0,
    means: Means | None = None,
    progress: Progress | None = None,
    cancel: Cancel | None = None,
) -> Float[Tensor, "batch channel height width"]:
    """Deblur in one pass, blindly.

    The image is mirrored at the bottom and right up to a multiple of 8, and the result cut. Nothing but the image is
    looked at: ``psf``, ``sigma``, ``strength``, ``clip``, ``contrast``, ``weight`` and ``tolerance`` are taken so that
    every method is called alike, and change nothing.

    Args:
        blurred: display values, range [0, 1], any size, 1 or 3 channels.
        psf: see above.
        network: with its weights.
        sigma: see above.
        strength: see above.
        clip: see above.
        contrast: see above.
        weight: see above.
        tolerance: see above.
        means: of the whole photograph, where ``blurred`` is a tile of it (:func:`measure`).
        progress: told when done.
        cancel: asked before and after.

    Returns:
        The sharp image, same shape, range [0, 1].

    Raises:
        UsageError: ``sigma`` or ``strength`` is out of its range, or there are neither 1 nor 3 channels.
        Cancelled: ``cancel`` answered True.

    Example:
        >>> image = torch.rand(1, 3, 45, 61)
        >>> torch.allclose(darkdeblur(image, network=DarkDeblurNet.lite()), image, atol=1e-6)  # untrained
        True

    Source: Sharif et al., Expert Systems with Applications 2023.
    """
    noise_level(blurred, 0.0 if sigma is None else sigma, strength)
    frame = _frame((blurred.shape[-2], blurred.shape[-1]))
    tick(0, 1, None, cancel)
    with torch.no_grad():
        sharp = in_colours(blurred, 3, lambda colours: frame.cut(network(frame.lay(colours), means)))
    tick(1, 1, progress, cancel)
    return sharp


def measure(
    read: Callable[[slice], Float[Tensor, "batch 3 part width"]],
    size: tuple[int, int],
    *,
    network: DarkDeblurNet,
) -> Means:
    """What DarkDeblurNet averages over a whole photograph, in the memory of some of its rows.

    The channel attention of a level needs what the levels before it made, so the photograph is read once for each mean;
    that takes about two and a half times as long as one pass.

    Args:
        read: from a slice of rows to those rows of the photograph, display values, range [0, 1], 3 channels.
        size: height and width of the photograph.
        network: with its weights, in evaluation mode.

    Returns:
        What :func:`darkdeblur` takes as ``means``; the same as it would average on the whole.

    Example:
        >>> image = torch.rand(1, 3, 48, 64)
        >>> network = DarkDeblurNet.lite()
        >>> len(measure(lambda rows: image[..., rows, :], (48, 64), network=network))
        6
    """
    frame = _frame(size)
    known: Means = ()
    while (mean := _mean_of_next(frame, read, network, known)) is not None:
        known = (*known, mean)
    return known


@torch.no_grad()
def _mean_of_next(frame: Frame, read: Callable[[slice], Tensor], network: DarkDeblurNet, known: Means) -> Tensor | None:
    rows = frame.field[0]
    total, count = None, 0
    for first in range(0, rows, _BAND):
        last = min(first + _BAND, rows)
        start = max(0, first - REACH)
        part = frame.band(read, start, min(rows, last + REACH))
        wanted = network.next_wanted(part, known)
        if wanted is None:
            return None
        scale = part.shape[-2] // wanted.shape[-2]
        inner = wanted[..., (first - start) // scale : (last - start) // scale, :]
        found = inner.double().sum(dim=(2, 3), keepdim=True)
        total = found if total is None else total + found
        count += inner.shape[-2] * inner.shape[-1]
    return None if total is None else (total / count).float()


def _frame(size: tuple[int, int]) -> Frame:
    return Frame.around(size, MULTIPLE) if min(size) > MULTIPLE else Frame.around(size, MULTIPLE, margin=_LEAST // 2)

"""DWDN as a method: any size, any PSF, tiles of a larger photograph."""

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor

from nightsharp.methods._blocks import CLIPPED, Cancel, Progress, noise_level, tick
from nightsharp.methods._blocks.colours import in_colours
from nightsharp.methods._blocks.frame import Frame, bands
from nightsharp.methods._blocks.given_psf import given_psf
from nightsharp.methods._blocks.wiener_step import Roughness
from nightsharp.methods.dwdn.network import DWDN, MULTIPLE

# The extraction's reach, two pixels for each of its convolutions, and one for the median, in whole multiples.
_REACH_OF_A_BLOCK = 4


def dwdn(
    blurred: Float[Tensor, "batch channel height width"],
    psf: Float[Tensor, "#batch 1 kh kw"],
    *,
    network: DWDN,
    sigma: float | Tensor | None = None,
    strength: float = 1.0,
    clip: float | None = CLIPPED,
    contrast: Tensor | None = None,
    weight: Tensor | None = None,
    tolerance: float = 0.0,
    nsr: Float[Tensor, "#batch feature 1 1"] | None = None,
    progress: Progress | None = None,
    cancel: Cancel | None = None,
) -> Float[Tensor, "batch channel height width"]:
    """Deconvolve learned features and refine them to a sharp image.

    The image is mirrored at the bottom and right up to a multiple of 8. The network measures the noise of each feature
    by itself and has no weights for pixels: ``sigma``, ``clip``, ``contrast``, ``weight`` and ``tolerance`` are taken
    so that every method is called alike, and change nothing.

    Args:
        blurred: range [0, 1], any size, 1 channel or as many as the network has.
        psf: convolution kernels, any positive scale, centre at ``k // 2``; one for all or one per image.
        network: with its weights.
        sigma: see above.
        strength: > 0; the noise is taken as that much weaker, so above 1 is sharper and noisier.
        clip: see above.
        contrast: see above.
        weight: see above.
        tolerance: see above.
        nsr: noise-to-signal ratio of each feature over the whole photograph, where ``blurred`` is a tile of it
            (:func:`measure`); a tile begins at a multiple of 8 in the photograph.
        progress: told when done.
        cancel: asked before and after.

    Returns:
        The sharp image, same shape, not clipped.

    Raises:
        PsfError: the PSF is larger than the image, zero, negative or not finite.
        UsageError: ``sigma`` or ``strength`` is out of its range, or the channels do not fit the network.
        Cancelled: ``cancel`` answered True.

    Example:
        >>> restored = dwdn(torch.rand(1, 3, 45, 61), torch.ones(1, 1, 4, 7), network=DWDN.lite())
        >>> restored.shape
        torch.Size([1, 3, 45, 61])

    Source: Dong, Roth, Schiele, NeurIPS 2020.
    """
    noise_level(blurred, 0.0 if sigma is None else sigma, strength)
    kernel = given_psf(psf.to(blurred), (blurred.shape[-2], blurred.shape[-1]))
    frame = Frame.around((blurred.shape[-2], blurred.shape[-1]), MULTIPLE)
    tick(0, 1, None, cancel)

    def run(colours: Tensor) -> Tensor:
        return frame.cut(network(frame.lay(colours), kernel, nsr, strength))

    with torch.no_grad():
        sharp = in_colours(blurred, int(network.config["colours"]), run)
    tick(1, 1, progress, cancel)
    return sharp


def measure(
    read: Callable[[slice], Float[Tensor, "batch channel part width"]],
    size: tuple[int, int],
    psf: Float[Tensor, "#batch 1 kh kw"],
    *,
    network: DWDN,
) -> Float[Tensor, "batch feature 1 1"]:
    """The noise-to-signal ratio of each feature of a whole photograph, in the memory of some of its rows.

    Args:
        read: from a slice of rows to those rows of the photograph, with as many channels as the network has.
        size: height and width of the photograph.
        psf: convolution kernels.
        network: with its weights.

    Returns:
        What :func:`dwdn` takes as ``nsr``; the same as it would measure on the whole.

    Raises:
        PsfError: as for :func:`dwdn`.

    Example:
        >>> image = torch.rand(1, 3, 48, 64)
        >>> measure(lambda rows: image[..., rows, :], (48, 64), torch.ones(1, 1, 5, 5), network=DWDN.lite()).shape
        torch.Size([1, 16, 1, 1])
    """
    margin = given_psf(psf, size).shape[-1]
    frame = Frame.around(size, MULTIPLE)
    reach = 2 + _REACH_OF_A_BLOCK * int(network.config["blocks"]) + 1
    total = None
    for band in bands(frame.field[0], halo=-(-reach // MULTIPLE) * MULTIPLE):
        with torch.no_grad():
            features = network.extract(frame.band(read, band.start, band.stop))[..., band.inner, :]
        found = Roughness.of(features, margin, top=band.top, bottom=band.bottom)
        total = found if total is None else total.join(found)
    assert total is not None
    return total.ratio(frame.field[0] + 2 * margin if network.faithful else None)

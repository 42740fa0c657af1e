"""INFWIDE as a method: any size, any PSF, its own range of values, tiles of a larger photograph."""

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor

from nightsharp.methods._blocks import CLIPPED, Cancel, Progress, noise_level, tick
from nightsharp.methods._blocks.colours import in_colours
from nightsharp.methods._blocks.frame import Frame, bands
from nightsharp.methods._blocks.given_psf import given_psf
from nightsharp.methods._blocks.wiener_step import Roughness
from nightsharp.methods.infwide.network import INFWIDE, Grain, Statistics

HEADROOM = 1.2
"""The training images were clipped at 1 / 1.2 of the range of the sharp ones, to leave room for what saturated."""

_MULTIPLE = 8
# How far a pixel of the denoiser looks at two blocks a stage: 90; and the extraction at three blocks: 14.
_DENOISER_REACH_OF_A_BLOCK, _EXTRACTION_REACH_OF_A_BLOCK = 44, 4


def infwide(
    blurred: Float[Tensor, "batch channel height width"],
    psf: Float[Tensor, "#batch 1 kh kw"],
    *,
    network: INFWIDE,
    sigma: float | Tensor | None = None,
    strength: float = 1.0,
    clip: float | None = CLIPPED,
    contrast: Tensor | None = None,
    weight: Tensor | None = None,
    tolerance: float = 0.0,
    statistics: Statistics | None = None,
    progress: Progress | None = None,
    cancel: Cancel | None = None,
) -> Float[Tensor, "batch channel height width"]:
    """Deconvolve the denoised image and learned features, and fuse both.

    The image is mirrored by the PSF's length on every side, because a real one does not go on at its opposite edge, and
    divided by 1.2 for the network; the result is multiplied by 1.2, so that it is as bright as what came in. The
    network measures noise by itself and finds saturated pixels by itself: ``sigma``, ``clip``, ``contrast``,
    ``weight`` and ``tolerance`` are taken so that every method is called alike, and change nothing.

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
        statistics: of the whole photograph, where ``blurred`` is a tile of it (:func:`measure`).
        progress: told when done.
        cancel: asked before and after.

    Returns:
        The sharp image, same shape, not clipped; lamps may exceed 1.

    Raises:
        PsfError: the PSF is larger than the image, zero, negative or not finite.
        UsageError: ``sigma`` or ``strength`` is out of its range, or the channels do not fit the network.
        Cancelled: ``cancel`` answered True.

    Example:
        >>> restored = infwide(torch.rand(1, 3, 45, 61), torch.ones(1, 1, 4, 7), network=INFWIDE.lite())
        >>> restored.shape
        torch.Size([1, 3, 45, 61])

    Source: Zhang et al., IEEE TIP 32, 2023.
    """
    noise_level(blurred, 0.0 if sigma is None else sigma, strength)
    size = (blurred.shape[-2], blurred.shape[-1])
    kernel = given_psf(psf.to(blurred), size)
    frame = Frame.around(size, _MULTIPLE, margin=kernel.shape[-1])
    tick(0, 1, None, cancel)

    def run(colours: Tensor) -> Tensor:
        return frame.cut(network(frame.lay(colours / HEADROOM), kernel, statistics, strength)) * HEADROOM

    with torch.no_grad():
        sharp = in_colours(blurred, int(network.config["colours"]), run)
    tick(1, 1, progress, cancel)
    return sharp


def measure(
    read: Callable[[slice], Float[Tensor, "batch channel part width"]],
    size: tuple[int, int],
    psf: Float[Tensor, "#batch 1 kh kw"],
    *,
    network: INFWIDE,
) -> Statistics:
    """What INFWIDE measures on a whole photograph, in the memory of some of its rows.

    Args:
        read: from a slice of rows to those rows of the photograph, range [0, 1], with as many channels as the network
            has.
        size: height and width of the photograph.
        psf: convolution kernels.
        network: with its weights.

    Returns:
        What :func:`infwide` takes as ``statistics``; the same as it would measure on the whole at strength 1.

    Raises:
        PsfError: as for :func:`infwide`.

    Example:
        >>> image = torch.rand(1, 3, 48, 64)
        >>> network = INFWIDE.lite()
        >>> measure(lambda rows: image[..., rows, :], (48, 64), torch.ones(1, 1, 5, 5), network=network).noise.shape
        torch.Size([1, 3, 1, 1])
    """
    margin = given_psf(psf, size).shape[-1]
    frame = Frame.around(size, _MULTIPLE, margin)
    height = frame.field[0]

    def scaled(rows: slice) -> Tensor:
        return read(rows) / HEADROOM

    grain = None
    for band in bands(height, halo=_MULTIPLE):
        found = Grain.of(
            frame.band(scaled, band.start, band.stop)[..., band.inner, :], top=band.top, bottom=band.bottom
        )
        grain = found if grain is None else grain.join(found)
    assert grain is not None
    noise = grain.ratio()

    feature = image = None
    reach = 4 + max(
        _DENOISER_REACH_OF_A_BLOCK * int(network.config["denoiser_blocks"]),
        _EXTRACTION_REACH_OF_A_BLOCK * int(network.config["blocks"]),
    )
    for band in bands(height, halo=-(-reach // _MULTIPLE) * _MULTIPLE):
        part = frame.band(scaled, band.start, band.stop)
        with torch.no_grad():
            features = network.extract(part)[..., band.inner, :]
            denoised = network.denoiser(part, noise)[..., band.inner, :]
        one, other = (
            Roughness.of(channels, margin, top=band.top, bottom=band.bottom) for channels in (features, denoised)
        )
        feature = one if feature is None else feature.join(one)
        image = other if image is None else image.join(other)
    assert feature is not None
    assert image is not None
    rows = height + 2 * margin if network.faithful else None
    return Statistics(noise, feature.ratio(rows), image.ratio(rows))

"""How fine a scene is, read from the spectrum of its blurred photograph."""

import math
from collections.abc import Callable, Iterable
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from nightsharp.methods._blocks import CLIPPED
from nightsharp.optics import estimate_sigma, psf_to_otf

_SIDE = 64
_STEP = _SIDE // 2
# Bands of tiles and tiles in a band, at most: a few hundred say as much of a spectrum as ten thousand.
_BANDS, _IN_A_BAND = 16, 32
# Power of natural scenes falls so with the frequency; the fit takes frequencies between these, in cycles per pixel.
_FALL = 2.4
_LOWEST, _HIGHEST = 0.04, 0.5
# Where the detail is looked at.
_FINE = 0.25
# The widths of the softening that are tried, in pixels, and how far a width is believed before anything was seen.
_WIDTHS = torch.arange(0, 2.01, 0.1)
_USUAL, _SPREAD, _BELIEF = 0.5, 0.5, 0.005
# Of the variance; what a spectrum of single precision holds anyway.
_LEAST_NOISE = 1e-8
# A variance below this is no picture.
_DARK = 1e-9
_POWERS = torch.linspace(-7, 0, 57)

UNKNOWN = 0.0
"""What is said of a photograph that is too small to tell: as fine as scenes get."""


def fineness(
    read: Callable[[slice], Float[Tensor, "1 channel rows width"]],
    size: tuple[int, int],
    psf: Float[Tensor, "1 1 kh kw"],
    *,
    network: Any = None,
) -> float:
    r"""The power of a scene's detail beside its contrast, in decades.

    The spectrum of a photograph, averaged over tiles of some bands, is fitted by

    .. math:: P(f) = |H(f)|^2\, A\, f^{-2.4}\, e^{-4 \pi^2 b^2 f^2} + \sigma^2

    in the sense of Whittle's likelihood, with A and the softness b of the scene unknown. What is returned is the
    decimal logarithm of :math:`A e^{-4 \pi^2 b^2 f^2}` at a quarter of a cycle per pixel over the variance of the
    scene: about -1.9 for photographs that were made smaller, -2.5 and less for what a camera draws at full size.
    Saturated tiles are left out.

    Args:
        read: rows of the photograph, range [0, 1].
        size: its height and width.
        psf: its PSF.
        network: taken because what measures over whole photographs is told it; nothing here depends on it.

    Returns:
        The decades; :data:`UNKNOWN` where photograph or PSF do not allow to tell.

    Example:
        >>> from torch.nn.functional import avg_pool2d
        >>> fine = avg_pool2d(torch.rand(1, 1, 204, 204, generator=torch.Generator().manual_seed(0)), 5, 1)
        >>> soft, unblurred = avg_pool2d(fine, 5, 1, 2), torch.ones(1, 1, 1, 1)
        >>> one, other = (fineness(lambda rows, x=x: x[..., rows, :], (200, 200), unblurred) for x in (fine, soft))
        >>> one > other + 0.5
        True

    Source: Whittle, "Estimation and information in stationary time series", Arkiv foer Matematik 1953; power laws of
    scenes: Field, JOSA A 1987.
    """
    if max(psf.shape[-2:]) > _SIDE or min(size) < _SIDE:
        return UNKNOWN
    last = size[0] - _SIDE
    count = min(_BANDS, last // _STEP + 1)
    tops = (round(last * n / max(1, count - 1)) for n in range(count))
    return _fitted((read(slice(top, top + _SIDE)).cpu() for top in tops), psf.cpu())


def of_each(
    blurred: Float[Tensor, "batch channel height width"], psf: Float[Tensor, "#batch 1 kh kw"]
) -> Float[Tensor, "batch"]:
    """The :func:`fineness` of each image of a batch.

    Args:
        blurred: range [0, 1].
        psf: one for all or one per image.

    Example:
        >>> of_each(torch.rand(2, 3, 80, 80), torch.ones(1, 1, 1, 1)).shape
        torch.Size([2])
    """
    size = (blurred.shape[-2], blurred.shape[-1])
    kernels = psf.expand(len(blurred), -1, -1, -1)
    return torch.tensor(
        [
            fineness(lambda rows, image=image: image[None, :, rows], size, kernel[None])
            for image, kernel in zip(blurred, kernels, strict=True)
        ]
    )


def _fitted(bands: Iterable[Tensor], psf: Tensor) -> float:
    """The fit over tiles of some bands, each ``_SIDE`` rows high."""
    tiles, sigmas = [], []
    for band in bands:
        step = max(_STEP, (band.shape[-1] - _SIDE) // _IN_A_BAND)
        grey, brightest = (cut.unfold(-1, _SIDE, step).movedim(-2, 0) for cut in (band.mean(1)[0], band.amax(1)[0]))
        tiles.append(grey[brightest.amax((-2, -1)) < CLIPPED])
        sigmas.append(estimate_sigma(band.mean(1, keepdim=True)).flatten())
    found = torch.cat(tiles)
    if not len(found):
        return UNKNOWN
    noise = float(torch.cat(sigmas).median()) ** 2
    variance = float(found.var(correction=0)) - noise
    if variance <= noise + _DARK:
        return UNKNOWN

    window = torch.hann_window(_SIDE)
    window = window[:, None] * window
    spectra = torch.fft.rfft2((found - found.mean((-2, -1), keepdim=True)) * window).abs().square()
    frequency = torch.hypot(torch.fft.fftfreq(_SIDE)[:, None], torch.fft.rfftfreq(_SIDE))
    used = (frequency > _LOWEST) & (frequency < _HIGHEST)
    # both over the variance, so that a darker photograph is as fine
    power = (spectra.mean(0) / window.square().sum())[used] / variance
    gain = psf_to_otf(psf.float(), (_SIDE, _SIDE))[0, 0].abs().square()[used]
    frequency = frequency[used]

    softened = gain * frequency**-_FALL * (-4 * (math.pi * _WIDTHS[:, None] * frequency).square()).exp()
    expected = 10 ** _POWERS[:, None] * softened[:, None] + (noise / variance + _LEAST_NOISE)
    unlikely = (expected.log() + power / expected).mean(-1) + _BELIEF * ((_WIDTHS - _USUAL) / _SPREAD)[:, None] ** 2
    best = int(unlikely.argmin())
    width, decades = float(_WIDTHS[best // len(_POWERS)]), float(_POWERS[best % len(_POWERS)])
    return decades - (2 * math.pi * width * _FINE) ** 2 * math.log10(math.e)

"""Does the photograph's spectrum carry the mark of the PSF?"""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn import functional

from nightsharp.optics import Psf
from nightsharp.optics._psf_files import LARGEST_SIDE

_CELL, _LARGEST_CELL, _SMALLEST_CELL = 64, 256, 16
_MOST_CELLS = 196
_CLEAR = 0.995
_MOST_BINS = 1200
# power of natural images falls with the frequency to about these exponents
_FALLS = (2.0, 2.7, 3.4)
_POWERS = (0.0, 0.25, 0.5, 0.75, 1.0, 1.25)
_SCALES = (0.6, 0.8, 1.25, 1.5)
_FIT_STEPS = 10
_SMOOTH = 9
# rounding to 8 bits, as a variance
_ROUNDING = (1 / 255) ** 2 / 12


@dataclass(frozen=True)
class Mark:
    """How a spectrum answers to a PSF.

    Attributes:
        ripple: how much of the PSF's ripple (its dark and bright frequencies) the spectrum shows; 1 all, 0 none.
        power: the exponent b with which ``|H|^(2 b)`` explains the spectrum best, 0 (no blur) to 1.25.
        scaled: nats per frequency by which the best of four scaled PSFs explains it better than the PSF (negative:
            worse).
    """

    ripple: float
    power: float
    scaled: float


def find_mark(
    grey: Float[Tensor, "1 1 height width"],
    usable: Bool[Tensor, "1 1 height width"],
    psf: Psf,
    noise: float,
) -> Mark | None:
    r"""Compare the power spectrum of a blurred image with what a PSF would have left of a natural one.

    .. math:: P(f) \approx S_h(f) = A\,|f|^{-\beta}\,|H(f)|^{2b} + N

    A, N and beta are fitted by Whittle's likelihood :math:`\sum \log S + P / S`. The ripple is what a 9 x 9 smoothing
    takes out of the logarithm; its regression, :math:`\langle r_P, r_S \rangle / \langle r_S, r_S \rangle`, is 1 where
    the image was blurred with h, and 0 where it was not. The phase has no say: a PSF turned by 180 degrees leaves the
    same mark.

    Args:
        grey: the blurred image.
        usable: False at saturated pixels, whose cut edges are no blur.
        psf: the PSF h.
        noise: standard deviation of the noise.

    Returns:
        The mark, or None for an image below 16 x 16.

    Example:
        >>> from nightsharp.optics import Blur, disk
        >>> sharp = torch.rand(1, 1, 200, 200, generator=torch.Generator().manual_seed(0)).cumsum(2).cumsum(3) % 1
        >>> blurred = Blur(disk(3), boundary="valid")(sharp)
        >>> mark = find_mark(blurred, blurred < 2, disk(3), 0.0)
        >>> mark.ripple > 0.8
        True

    Source: Whittle 1953; the zeros of a PSF in the spectrum as in Gennery 1973 and Cannon 1976.
    """
    side = _CELL
    while side < 2 * max(psf.size) and side < _LARGEST_CELL:
        side *= 2
    side = min(side, *grey.shape[-2:])
    side -= side % 2
    if side < _SMALLEST_CELL:
        return None
    spectrum = _spectrum(grey, usable, side)
    down, across = torch.fft.fftfreq(side)[:, None], torch.fft.rfftfreq(side)[None]
    radius = torch.hypot(down, across)
    seen = (radius > 1.5 / side) & (radius < 0.6) & ((across > 0.5 / side) | (down > 0))
    thinned = seen.flatten().nonzero().flatten()
    # spread over all directions and radii by the golden ratio, without randomness
    if len(thinned) > _MOST_BINS:
        order = (torch.arange(len(thinned), dtype=torch.float64) * ((math.sqrt(5) - 1) / 2)) % 1
        thinned = thinned[order.argsort()[:_MOST_BINS]]
    least = max(noise**2, _ROUNDING) / 2

    given = _transfer(psf, side)
    models = [given**power for power in _POWERS]
    scales = [scale for scale in _SCALES if scale * max(psf.size) <= LARGEST_SIDE]
    models += [_transfer(psf.resize(scale), side) for scale in scales]
    falls = [(radius * side).clamp_min(0.5) ** -fall for fall in _FALLS]
    shapes = torch.stack([fall * model for model in models for fall in falls]).flatten(1)
    loss, amplitude, floor = _fit(spectrum.flatten()[thinned], shapes[:, thinned], least)
    by_model, choice = loss.reshape(len(models), len(falls)).min(1)
    one = _POWERS.index(1.0)
    best = one * len(falls) + int(choice[one])
    explained = amplitude[best] * shapes[best].reshape(radius.shape) + floor[best]
    ripple = _ripple(explained)[seen]
    found = _ripple(spectrum)[seen]
    return Mark(
        ripple=float((found * ripple).mean() / (ripple.square().mean() + 1e-3)),
        power=_POWERS[int(by_model[: len(_POWERS)].argmin())],
        scaled=float(by_model[one] - by_model[len(_POWERS) :].min()),
    )


def _spectrum(grey: Tensor, usable: Tensor, side: int) -> Tensor:
    """The mean periodogram of overlapping cells, the usable ones if there are any; white noise gives its variance.

    Cells brighter than the median one count by less, so that each says about as much.
    """
    height, width = grey.shape[-2:]
    window = torch.hann_window(side, periodic=False).to(grey)
    window = window[:, None] * window
    window = window / window.square().sum().sqrt()
    rows, columns = _places(height, side), _places(width, side)
    thin = math.ceil(math.sqrt(max(1.0, len(rows) * len(columns) / _MOST_CELLS)))
    cells = [
        (0, 0, slice(top, top + side), slice(left, left + side)) for top in rows[::thin] for left in columns[::thin]
    ]
    # white paper, or lamps everywhere: better looked at than not
    clear = [cell for cell in cells if float(usable[cell].float().mean()) >= _CLEAR] or cells
    spectra = []
    for cell in clear:
        values = grey[cell]
        spectra.append(torch.fft.rfft2((values - (values * window).sum() / window.sum()) * window).abs().square())
    stacked = torch.stack(spectra)
    # a lamp has the energy of a thousand cells and would speak for all of them
    energy = stacked.mean(dim=(1, 2), keepdim=True)
    # rounding keeps cells without any light from having an endless say
    say = 1 / (energy + energy.median() + _ROUNDING)
    return ((stacked * say).sum(0) / say.sum()).cpu()


def _places(length: int, side: int) -> list[int]:
    count = max(1, round((length - side) / (side / 2)) + 1)
    return [round(n * (length - side) / max(1, count - 1)) for n in range(count)]


def _transfer(psf: Psf, side: int) -> Float[Tensor, "side half"]:
    """The squared transfer function as a Hann window smears it."""
    height, width = psf.size
    # a larger PSF is folded: that leaves its transfer function at these frequencies as it is
    framed = functional.pad(psf.kernel, (0, -width % side, 0, -height % side))
    folded = framed.unflatten(1, (-1, side)).unflatten(0, (-1, side)).sum((0, 2))
    power = torch.fft.fft2(folded).abs().square()
    binomial = torch.tensor([1.0, 4.0, 6.0, 4.0, 1.0]) / 16
    around = functional.pad(power[None, None], (2, 2, 2, 2), mode="circular")
    smeared = functional.conv2d(around, (binomial[:, None] * binomial)[None, None])
    return smeared[0, 0, :, : side // 2 + 1].clamp_min(1e-9)


def _fit(
    spectrum: Float[Tensor, " bins"], shapes: Float[Tensor, "models bins"], least: float
) -> tuple[Float[Tensor, " models"], Float[Tensor, " models"], Float[Tensor, " models"]]:
    """Itakura-Saito multiplicative updates of amplitude and floor (Fevotte et al. 2009)."""
    amplitude = spectrum.mean() / shapes.mean(1, keepdim=True)
    floor = torch.full_like(amplitude, 2 * least)

    def step(part: Tensor) -> Tensor:
        model = amplitude * shapes + floor
        return ((part * spectrum / model.square()).sum(1, keepdim=True) / (part / model).sum(1, keepdim=True)).sqrt()

    one = torch.ones_like(shapes)
    for _ in range(_FIT_STEPS):
        amplitude = amplitude * step(shapes)
        floor = (floor * step(one)).clamp_min(least)
    model = amplitude * shapes + floor
    return (model.log() + spectrum / model).mean(1), amplitude[:, 0], floor[:, 0]


def _ripple(spectrum: Tensor) -> Tensor:
    log = spectrum.clamp_min(1e-12).log()[None, None]
    reach = _SMOOTH // 2
    around = functional.pad(log, (reach,) * 4, mode="reflect")
    return (log - functional.avg_pool2d(around, _SMOOTH, stride=1))[0, 0]

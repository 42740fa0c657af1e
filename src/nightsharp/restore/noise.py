"""How the noise of a photograph lies in linear light, where it is not the same everywhere."""

from dataclasses import dataclass
from weakref import WeakKeyDictionary

import torch
from jaxtyping import Float
from torch import Tensor

from nightsharp.methods._blocks import model_error
from nightsharp.optics.noise import row_step, sigma_of_rows
from nightsharp.photo import linear_to_srgb
from nightsharp.restore.given import Given, Light, measured_over

_WINDOW = 5
_REACH = _WINDOW // 2
# route, plan and restoration each ask
_MEASURED: WeakKeyDictionary[Given, dict[Light, Tensor]] = WeakKeyDictionary()


@dataclass(frozen=True, eq=False)
class Noise:
    r"""The noise level of what is to be restored, and the trust that each pixel deserves.

    Photon noise grows with the light, and a camera's tone curve V(L) flattens it again: in display values the noise of
    a photograph is about even. One sigma measured there becomes, in linear light,

    .. math:: \sigma(L) = \sigma_V / V'(L), \qquad w(L) = \min\!\big(1,\; (V'(L) / V'(L_{1/2}))^2\big)

    with L the local mean and :math:`L_{1/2}` the median of the photograph: what is brighter than the median counts
    less, by its noise; what is darker counts the same, because read noise does not fade.

    All of it is measured once for the whole photograph, so that its tiles agree.

    Attributes:
        measured: the noise in the light that is worked in, per channel.
        sigma: the noise at full trust, joined by what an inexact PSF leaves unexplained.
        contrast: the standard deviation of the whole.
        slope: V' at the median light; None where the noise is even.

    Source: Foi et al., "Practical Poissonian-Gaussian noise modeling and fitting for single-image raw-data", IEEE TIP
    2008 (signal-dependent noise); the curve is that of IEC 61966-2-1.
    """

    measured: Float[Tensor, "1 channel 1 1"]
    sigma: Float[Tensor, "1 channel 1 1"]
    contrast: Float[Tensor, "1 1 1 1"]
    slope: Float[Tensor, ""] | None

    def weight(
        self, given: Given, light: Light, rows: slice, columns: slice
    ) -> Float[Tensor, "1 channel part_height part_width"] | None:
        """The trust in each pixel of a part, in (0, 1]; None for full trust in all."""
        if self.slope is None:
            return None
        height, width = given.size
        top, left = max(0, rows.start - _REACH), max(0, columns.start - _REACH)
        around = slice(top, min(height, rows.stop + _REACH)), slice(left, min(width, columns.stop + _REACH))
        slope = local_slope(given.part(light, *around))
        inner = (..., slice(rows.start - top, rows.stop - top), slice(columns.start - left, columns.stop - left))
        return (slope[inner] / self.slope).square_().clamp_max_(1)


def measure_noise(given: Given, light: Light) -> Noise:
    """Look at some rows of a photograph, or of a tensor, for its noise, and at all of it for its contrast.

    Args:
        given: what is to be restored, range [0, 1].
        light: the light that is worked in.

    Example:
        >>> noise = measure_noise(Given(None, torch.rand(3, 32, 32), None), "linear")
        >>> noise.sigma.shape, noise.slope
        (torch.Size([1, 3, 1, 1]), None)
    """
    contrast = measured_over(given, light)
    measured = _sigma(given, light)
    unexplained = model_error(measured, contrast)
    if given.photo is None or light != "linear":
        return Noise(measured, (measured.square() + unexplained.square()).sqrt(), contrast, None)
    slope = _slope_at_median(given)
    even = _sigma(given, "display") / slope
    return Noise(measured, (even.square() + unexplained.square()).sqrt(), contrast, slope)


def shown_noise(given: Given) -> float:
    """Standard deviation of the noise as one sees it, in display light; of a tensor as it came. Mean of the channels.

    Example:
        >>> shown_noise(Given(None, torch.full((1, 32, 32), 0.5), None))
        0.0
    """
    return float(_sigma(given, "linear" if given.photo is None else "display").mean())


def _sigma(given: Given, light: Light) -> Float[Tensor, "1 channel 1 1"]:
    measured = _MEASURED.setdefault(given, {})
    if light not in measured:
        measured[light] = _sigma_in(given, light)
    return measured[light]


def _sigma_in(given: Given, light: Light) -> Float[Tensor, "1 channel 1 1"]:
    height, width = given.size
    if min(height, width) < 3:
        return torch.zeros(1, given.channels, 1, 1)
    step = row_step(height, width)
    rows = (given.part("linear", slice(first, height - 2 + first, step)) for first in range(3))
    # sRGB whatever the photograph's own curve: the slopes below are of this curve
    return sigma_of_rows(*(linear_to_srgb(part) if light == "display" else part for part in rows))


def _slope_at_median(given: Given) -> Float[Tensor, ""]:
    height, width = given.size
    step = row_step(height, width)
    if step == 1 or height < _WINDOW:
        return local_slope(given.values("linear")).median()
    # the local mean of every n-th row: the mean of the rows about it, then along it
    about = [given.part("linear", slice(first, height - _WINDOW + 1 + first, step)) for first in range(_WINDOW)]
    rows = torch.stack(about).mean(0)
    return _tone_slope(torch.nn.functional.avg_pool2d(_replicated(rows, 0), (1, _WINDOW), stride=1)).median()


def local_slope(light: Float[Tensor, "batch channel height width"]) -> Float[Tensor, "batch channel height width"]:
    """The slope V' of the tone curve at the local mean of linear light.

    Example:
        >>> round(float(local_slope(torch.zeros(1, 1, 5, 5)).mean()), 2)
        12.92
    """
    return _tone_slope(torch.nn.functional.avg_pool2d(_replicated(light, _REACH), _WINDOW, stride=1))


def _replicated(light: Tensor, down: int) -> Tensor:
    return torch.nn.functional.pad(light, (_REACH, _REACH, down, down), mode="replicate")


def _tone_slope(local: Tensor) -> Tensor:
    return torch.where(local <= 0.0031308, 12.92, 1.055 / 2.4 * local.clamp_min(1e-9) ** (1 / 2.4 - 1))

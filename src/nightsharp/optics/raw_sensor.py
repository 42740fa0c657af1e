"""A sensor in low light, in electrons: photons, read noise with a heavy tail, rows, codes above a black level."""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import conv2d, pad

from nightsharp.errors import UsageError

# A pixel of 1.4 micrometres, as telephones bin to at night: what fills it at ISO 100, and its noise in electrons.
_FULL_WELL = 6000.0
_READ_AT_100 = 4.0
_READ_AT_HIGH_ISO = 1.5
_ROW_SHARE = 0.2
_BITS = 10
_BLACK = 64

# Wei et al. fit tails between those of a normal (0.14) and of a logistic distribution (0); dark frames at high gain
# lie beyond.
_TAIL = -0.1


@dataclass(frozen=True, eq=False)
class RawSensor:
    """A sensor at a gain, image by image.

    Attributes:
        white: electrons that fill a pixel to 1.
        read: standard deviation of the read noise, electrons.
        row: standard deviation of what each row adds to all its pixels, electrons.
        bits: of the converter.
        black: the code of no light; below it, noise is recorded down to code 0.
    """

    white: Float[Tensor, " batch"]
    read: Float[Tensor, " batch"]
    row: Float[Tensor, " batch"]
    bits: int = _BITS
    black: int = _BLACK

    @classmethod
    def at_iso(cls, iso: Float[Tensor, " batch"]) -> "RawSensor":
        r"""A telephone's sensor at an ISO speed.

        .. math:: N = 6000 \cdot \tfrac{100}{\mathrm{ISO}}, \qquad
            \sigma_r^2 = 1.5^2 + \left( 4 \cdot \tfrac{100}{\mathrm{ISO}} \right)^2, \qquad \sigma_{row} = 0.2\,\sigma_r

        Args:
            iso: 50 to 51,200, one for each image.

        Raises:
            UsageError: an ISO speed is outside its range.

        Example:
            >>> RawSensor.at_iso(torch.tensor([100.0, 3200.0])).white.tolist()
            [6000.0, 187.5]
        """
        if not bool(((iso >= 50) & (iso <= 51200)).all()):
            raise UsageError(f"ISO {iso.tolist()}; give 50 to 51,200 for each image.")
        read = (_READ_AT_HIGH_ISO**2 + (_READ_AT_100 * 100 / iso).square()).sqrt()
        return cls(_FULL_WELL * 100 / iso, read, _ROW_SHARE * read)


def record_raw(
    light: Float[Tensor, "batch channel height width"],
    sensor: RawSensor,
    *,
    generator: torch.Generator | None = None,
) -> Float[Tensor, "batch channel height width"]:
    r"""Record light as raw codes, black taken off.

    .. math:: y = \frac{1}{m} \left( \left[ b + \tfrac{m}{N} \big( \mathrm{Poisson}(N x) + \sigma_r\, t + \sigma_{row}\,
        n_{row} \big) \right]_{0 \ldots 2^{bits} - 1} - b \right), \qquad m = 2^{bits} - 1 - b

    with t from Tukey's lambda distribution of unit variance, whose tail is heavier than a normal one's, and brackets
    for rounding within the range of the converter.

    Args:
        light: raw linear light, >= 0; what exceeds 1 saturates.
        sensor: one gain per image.
        generator: the source of randomness, on the device of ``light``; torch's default when None.

    Returns:
        At most 1; noise around black goes below 0.

    Example:
        >>> sensor = RawSensor.at_iso(torch.tensor([1600.0]))
        >>> y = record_raw(torch.full((1, 1, 64, 64), 0.2), sensor, generator=torch.Generator().manual_seed(0))
        >>> round(float(y.mean()), 2), round(float(y.std()), 3)
        (0.2, 0.024)

    Source: Wei, Fu, Yang and Huang, "A physics-based noise formation model for extreme low-light raw denoising",
    CVPR 2020, eq. (1) to (9).
    """
    white, read, row = (values.to(light)[:, None, None, None] for values in (sensor.white, sensor.read, sensor.row))
    electrons = torch.poisson(light.clamp_min(0) * white, generator=generator)
    share = torch.rand(light.shape, generator=generator, dtype=light.dtype, device=light.device).clamp_(1e-6, 1 - 1e-6)
    electrons += read * ((share**_TAIL - (1 - share) ** _TAIL) / (_TAIL * _tail_deviation()))
    rows = (*light.shape[:3], 1)
    electrons += row * torch.randn(rows, generator=generator, dtype=light.dtype, device=light.device)
    most = 2**sensor.bits - 1
    span = most - sensor.black
    codes = (sensor.black + span * electrons / white).round_().clamp_(0, most)
    return (codes - sensor.black) / span


def _tail_deviation() -> float:
    """The standard deviation of Tukey's lambda distribution."""
    shape = _TAIL
    spread = 1 / (1 + 2 * shape) - math.gamma(1 + shape) ** 2 / math.gamma(2 + 2 * shape)
    return math.sqrt(2 / shape**2 * spread)


def mosaic(light: Float[Tensor, "batch 3 height width"]) -> Float[Tensor, "batch 1 height width"]:
    """What a sensor sees behind its RGGB filters.

    Args:
        light: raw linear light of each colour.

    Returns:
        One value a pixel: red where row and column are even, blue where both are odd, green elsewhere.

    Example:
        >>> mosaic(torch.tensor([1.0, 2.0, 3.0])[None, :, None, None].expand(1, 3, 2, 2))[0, 0]
        tensor([[1., 2.],
                [2., 3.]])
    """
    return (light * _filters(light)).sum(1, keepdim=True)


def demosaic(raw: Float[Tensor, "batch 1 height width"]) -> Float[Tensor, "batch 3 height width"]:
    """Fill in the colours behind RGGB filters from the nearest pixels that have them.

    Args:
        raw: at least 2 x 2.

    Returns:
        All three colours, bilinear; the border is mirrored.

    Example:
        >>> grey = torch.full((1, 3, 6, 6), 0.3)
        >>> torch.allclose(demosaic(mosaic(grey)), grey)
        True
    """
    # mirrored about the border pixel, the pattern goes on as it should
    around = pad(raw, (1, 1, 1, 1), mode="reflect")
    cross = raw.new_tensor([[0, 1, 0], [1, 0, 1], [0, 1, 0]]) / 4
    corners = raw.new_tensor([[1, 0, 1], [0, 0, 0], [1, 0, 1]]) / 4
    beside = raw.new_tensor([[0, 0, 0], [1, 0, 1], [0, 0, 0]]) / 2
    means = conv2d(around, torch.stack([cross, corners, beside, beside.T])[:, None])
    four, diagonal, across, down = means.split(1, dim=1)
    red_here, green_here, blue_here = _filters(raw)[None].bool().split(1, dim=1)
    red_row = torch.arange(raw.shape[-2], device=raw.device)[:, None] % 2 == 0
    along, along_other = torch.where(red_row, across, down), torch.where(red_row, down, across)
    red = torch.where(red_here, raw, torch.where(green_here, along, diagonal))
    blue = torch.where(blue_here, raw, torch.where(green_here, along_other, diagonal))
    return torch.cat([red, torch.where(green_here, raw, four), blue], dim=1)


def _filters(like: Tensor) -> Tensor:
    """1 where a colour's filter is, (3, height, width)."""
    odd_row = torch.arange(like.shape[-2], device=like.device)[:, None] % 2
    odd_column = torch.arange(like.shape[-1], device=like.device) % 2
    count = odd_row + odd_column
    return torch.stack([count == 0, count == 1, count == 2]).to(like)


def photograph(
    light: Float[Tensor, "batch 3 height width"],
    sensor: RawSensor,
    *,
    balance: Float[Tensor, "batch 3"],
    generator: torch.Generator | None = None,
) -> Float[Tensor, "batch 3 height width"]:
    r"""Take a picture with a colour sensor: filters, exposure, white balance, demosaicing.

    A colour with white balance w arrives at the sensor as x / w, and its noise is amplified by w.

    Args:
        light: balanced linear light, >= 0; what exceeds 1 saturates.
        sensor: one gain per image.
        balance: white balance gains of red, green, blue, >= 1.
        generator: the source of randomness, on the device of ``light``; torch's default when None.

    Returns:
        Balanced linear light, range [0, 1].

    Example:
        >>> sensor = RawSensor.at_iso(torch.tensor([800.0]))
        >>> y = photograph(torch.full((1, 3, 32, 32), 0.3), sensor, balance=torch.tensor([[2.0, 1.0, 1.6]]))
        >>> y.shape
        torch.Size([1, 3, 32, 32])
    """
    gains = balance.to(light)[:, :, None, None]
    raw = record_raw(mosaic(light / gains), sensor, generator=generator)
    return demosaic(raw * mosaic(gains.expand_as(light))).clamp(0, 1)

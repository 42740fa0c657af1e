"""Tone curves: from the values a file holds to linear light and back, without loss."""

from collections.abc import Callable
from functools import cached_property, lru_cache

import numpy as np
import torch
from jaxtyping import Float, Float32, UInt
from torch import Tensor

from nightsharp.photo.icc import BadProfileError, tone_curves
from nightsharp.photo.steps import Steps

_CODES = 65536
# Work on pieces that stay in the processor's cache.
_PIECE = 1 << 17
_FLOOR = 2.0**-40
_LEAST_RISE = 64


def srgb_to_linear(display: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
    r"""Undo the sRGB tone curve.

    .. math:: l = \begin{cases} v / 12.92 & v \le 0.04045 \\ \left((v + 0.055)/1.055\right)^{2.4} & \text{otherwise}
              \end{cases}

    Negative values are mirrored, values above 1 follow the same formula.

    Args:
        display: sRGB-encoded values v, nominally in [0, 1].

    Returns:
        Linear light l, same shape and type.

    Example:
        >>> [round(v, 4) for v in srgb_to_linear(torch.tensor([0.0, 0.5, 1.0])).tolist()]
        [0.0, 0.214, 1.0]

    Source: IEC 61966-2-1:1999, section 5.2.
    """
    size = display.abs()
    linear = torch.where(size <= 0.04045, size / 12.92, ((size + 0.055) / 1.055) ** 2.4)
    return torch.copysign(linear, display)


def linear_to_srgb(linear: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
    r"""Apply the sRGB tone curve.

    .. math:: v = \begin{cases} 12.92\, l & l \le 0.0031308 \\ 1.055\, l^{1/2.4} - 0.055 & \text{otherwise} \end{cases}

    Negative values are mirrored, values above 1 follow the same formula.

    Args:
        linear: linear light l, nominally in [0, 1].

    Returns:
        sRGB-encoded values v, same shape and type.

    Example:
        >>> x = torch.linspace(-0.5, 2, 101, dtype=torch.float64)
        >>> torch.allclose(srgb_to_linear(linear_to_srgb(x)), x, atol=1e-6)
        True

    Source: IEC 61966-2-1:1999, section 5.2.
    """
    size = linear.abs()
    display = torch.where(size <= 0.0031308, size * 12.92, 1.055 * size.clamp_min(1e-12) ** (1 / 2.4) - 0.055)
    return torch.copysign(display, linear)


class ToneCurve:
    r"""A strictly increasing curve from display values to linear light, given at 65,536 codes and straight between.

    Whatever the curve, decoding an 8- or 16-bit code and encoding it again gives that code: light is compared with
    the midpoints :math:`f((k + 1/2)/m)` between neighbouring codes, never put through an inverse formula.

    Args:
        samples: linear light at ``k / 65535`` for each channel (1: the same for all; 3: red, green, blue), from 0 at
            the left to 1 at the right, finite, non-decreasing.

    Raises:
        ValueError: the samples fall, hardly rise, or are no numbers.

    Example:
        >>> curve = ToneCurve.srgb()
        >>> codes = np.arange(256, dtype=np.uint8).reshape(16, 16, 1)
        >>> bool((curve.encode_codes(curve.decode_codes(codes), np.dtype(np.uint8)) == codes).all())
        True
    """

    def __init__(self, samples: Float[np.ndarray, "channels 65536"]) -> None:
        self._light = np.stack([_rising(channel) for channel in samples])

    @classmethod
    def srgb(cls) -> "ToneCurve":
        """The sRGB curve."""
        return _SRGB

    @classmethod
    def linear(cls) -> "ToneCurve":
        """The curve of a file whose values are linear light already."""
        return _LINEAR

    @classmethod
    def power(cls, gamma: float) -> "ToneCurve":
        """Linear light is the display value to the power ``gamma``."""
        return cls((np.linspace(0, 1, _CODES) ** gamma)[None])

    @classmethod
    def from_icc(cls, profile: bytes) -> "ToneCurve":
        """The curve in an ICC profile.

        Raises:
            ValueError: the profile is damaged or holds no usable tone curve.
        """
        curves = tone_curves(profile, np.linspace(0, 1, _CODES))
        same = all(np.array_equal(curves[0], curve) for curve in curves[1:])
        return cls(np.stack(curves[:1] if same else curves))

    @cached_property
    def is_linear(self) -> bool:
        """Whether display values are linear light, to within half a 16-bit code."""
        return bool(np.abs(self._light - np.linspace(0, 1, _CODES, dtype=np.float32)).max() < 0.5 / 65535)

    def decode_codes(
        self, codes: UInt[np.ndarray, "height width channels"]
    ) -> Float32[Tensor, "channels height width"]:
        """Linear light of 8- or 16-bit codes."""
        height, width, channels = codes.shape
        stride = 1 if codes.dtype == np.uint16 else 257
        tables = [np.ascontiguousarray(light[::stride]) for light in self._light]
        out = np.empty((channels, height, width), np.float32)
        rows = max(1, _PIECE // width)
        for channel in range(channels):
            table = tables[channel % len(tables)]
            for top in range(0, height, rows):
                part = slice(top, top + rows)
                np.take(table, codes[part, :, channel], out=out[channel, part], mode="clip")
        return torch.from_numpy(out)

    def encode_codes(
        self, linear: Float32[Tensor, "channels height width"], kind: np.dtype[np.unsignedinteger]
    ) -> UInt[np.ndarray, "height width channels"]:
        """The nearest 8- or 16-bit codes (``kind``) of linear light; what lies outside [0, 1] is clipped."""
        values = linear.detach().cpu().numpy()
        channels, height, width = values.shape
        out = np.empty((height, width, channels), kind)
        steps = self._byte_steps if kind == np.uint8 else self._word_steps
        rows = max(1, _PIECE // width)
        for channel in range(channels):
            step = steps[channel % len(steps)]
            for top in range(0, height, rows):
                part = slice(top, top + rows)
                out[part, :, channel] = step.count(values[channel, part])
        return out

    def decode(self, display: Float32[Tensor, "channels height width"]) -> Float32[Tensor, "channels height width"]:
        """Linear light of display values; odd below 0, continued straight above 1."""
        return self._along(display, _light_of)

    def encode(self, linear: Float32[Tensor, "channels height width"]) -> Float32[Tensor, "channels height width"]:
        """Display values of linear light, the exact inverse of ``decode`` but for rounding."""
        return self._along(linear, _display_of)

    def _along(self, values: Tensor, mapping: Callable[[np.ndarray, np.ndarray, Steps], np.ndarray]) -> Tensor:
        given = values.detach().cpu().numpy()
        out = np.empty(given.shape, np.float32)
        rows = max(1, _PIECE // given.shape[2])
        for channel in range(given.shape[0]):
            which = channel % len(self._light)
            for top in range(0, given.shape[1], rows):
                part = given[channel, top : top + rows]
                with np.errstate(invalid="ignore"):  # NaN stays NaN
                    mapped = mapping(np.abs(part), self._light[which], self._nodes[which])
                out[channel, top : top + rows] = np.copysign(mapped, part)
        return torch.from_numpy(out).to(values.device)

    @cached_property
    def _nodes(self) -> list[Steps]:
        return [Steps(light[1:]) for light in self._light]

    @cached_property
    def _byte_steps(self) -> list[Steps]:
        return [Steps(_midpoints(light, 257)) for light in self._light]

    @cached_property
    def _word_steps(self) -> list[Steps]:
        return [Steps(_midpoints(light, 1)) for light in self._light]


def curve_of_profile(profile: bytes | None) -> tuple[ToneCurve, str | None]:
    """The tone curve of an embedded profile, sRGB where there is none, and a word where it cannot be used."""
    if profile is None:
        return ToneCurve.srgb(), None
    try:
        return _curve_of(profile), None
    except (BadProfileError, ValueError) as problem:
        return ToneCurve.srgb(), f"the colour profile is kept, but its tones cannot be used ({problem}); sRGB is taken"


# Photos of one camera share their profile, and looking up its tables takes longer than a small photo.
@lru_cache(maxsize=2)
def _curve_of(profile: bytes) -> ToneCurve:
    return ToneCurve.from_icc(profile)


def _light_of(display: np.ndarray, light: np.ndarray, _: Steps) -> np.ndarray:
    place = display * np.float32(_CODES - 1)
    code = np.minimum(place, np.float32(_CODES - 2)).astype(np.int32)
    below = np.take(light, code, mode="clip")
    return below + (place - code.astype(np.float32)) * (np.take(light, code + 1, mode="clip") - below)


def _display_of(values: np.ndarray, light: np.ndarray, nodes: Steps) -> np.ndarray:
    code = np.minimum(nodes.count(values), _CODES - 2)
    below = np.take(light, code, mode="clip")
    rest = (values - below) / (np.take(light, code + 1, mode="clip") - below)
    return (code.astype(np.float32) + rest) / np.float32(_CODES - 1)


def _rising(samples: Float[np.ndarray, " n"]) -> Float32[np.ndarray, " n"]:
    """Float32 samples from 0 to 1 that rise at every step, so that every code has a light of its own."""
    if not np.isfinite(samples).all() or np.ptp(samples) < 0.5:
        raise ValueError("a tone curve that hardly rises")
    if (np.diff(samples) < -1e-6).any():
        raise ValueError("a tone curve that falls")
    light = np.maximum.accumulate((samples - samples[0]) / (samples[-1] - samples[0]))
    # Flat stretches (a table rounded to 16 bits near black) get the smallest rise that is still told apart quickly.
    # The bits of positive floats are ordered as the floats are, so this is done on the bits.
    bits = np.maximum(light, _FLOOR).astype(np.float32).view(np.int32).astype(np.int64)
    least = _LEAST_RISE * np.arange(len(bits))
    rising = np.minimum(np.maximum.accumulate(bits - least) + least, bits[-1] - least[-1] + least)
    light = rising.astype(np.int32).view(np.float32)
    light[0] = 0
    return light


def _midpoints(light: Float32[np.ndarray, " n"], stride: int) -> Float32[np.ndarray, " m"]:
    """The light from which a value is nearer, in display terms, to the next code than to this one."""
    below, above = light[:-stride:stride], light[stride::stride]
    middle = (light[stride // 2 :: stride][: len(below)] + light[stride // 2 + 1 :: stride]) / 2
    return np.clip(middle, np.nextafter(below, np.float32(2)), above)


_SRGB = ToneCurve(srgb_to_linear(torch.linspace(0, 1, _CODES, dtype=torch.float64)).numpy()[None])
_LINEAR = ToneCurve(np.linspace(0, 1, _CODES)[None])

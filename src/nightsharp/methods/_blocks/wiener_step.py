r"""The Wiener step of the deep Wiener networks: every channel of every image deconvolved in one batched real FFT.

.. math:: \hat x_c = \mathcal F^{-1}\!\left[ \frac{\overline{O}\, \mathcal F[g_c]}{|O|^2 + n_c} \right]

where g is the feature, its edge pixels repeated for one PSF's length on every side, O the transfer function of the PSF
on that larger grid, and n the noise-to-signal ratio of the channel, estimated from g itself.

Sources: Dong, Roth, Schiele, "Deep Wiener Deconvolution", NeurIPS 2020, section 3.1; Zhang et al., "INFWIDE", IEEE TIP
2023, which takes the same step for features and for the image.
"""

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import torch
from jaxtyping import Complex, Float
from torch import Tensor
from torch.nn.functional import pad

from nightsharp.methods._blocks.median import median3x3
from nightsharp.optics import psf_to_otf

# The published constants: 8 / 3 for the median's own smoothing, 1 / 10 for a noise variance over a signal std.
_RATIO = 8 / 30
# Below any ratio that float32 transforms resolve. A channel without any detail would give 0 / 0.
_LEAST_RATIO, _LEAST_SPREAD = 1e-8, 1e-12


@dataclass(frozen=True)
class Transfer:
    """A PSF made ready for images of one size; both branches and all channels of a network share it.

    Attributes:
        otf: transfer function on the image with its margin.
        power: its squared magnitude.
        margin: pixels repeated on each side.
    """

    otf: Complex[Tensor, "#batch 1 rows half"]
    power: Float[Tensor, "#batch 1 rows half"]
    margin: int

    @classmethod
    def of(cls, psf: Float[Tensor, "#batch 1 kh kw"], size: tuple[int, int], *, faithful: bool = False) -> "Transfer":
        """Normalise a PSF and transform it.

        Args:
            psf: any positive scale, centre at ``k // 2``; left as it was.
            size: height and width of the image.
            faithful: take the margin from the rows of the PSF alone, as the official code does; else from its longer
                side.
        """
        kh, kw = psf.shape[-2:]
        margin = kh if faithful else max(kh, kw)
        kernel = psf / psf.sum(dim=(-2, -1), keepdim=True)
        otf = psf_to_otf(kernel, (size[0] + 2 * margin, size[1] + 2 * margin))
        return cls(otf, otf.real.square() + otf.imag.square(), margin)


@dataclass(frozen=True)
class Spread:
    """Mean and squared deviations of values, so that those of several parts of an image can be joined.

    Attributes:
        count: how many values there are.
        mean: of each channel.
        square: sum of the squared deviations from the mean.
    """

    count: float
    mean: Float[Tensor, "batch channel 1 1"]
    square: Float[Tensor, "batch channel 1 1"]

    @classmethod
    def of(
        cls,
        values: Float[Tensor, "batch channel height width"],
        rows: Float[Tensor, " height"],
        columns: Float[Tensor, " width"],
        count: float,
    ) -> "Spread":
        """Measure values, each counted ``rows[i] * columns[j]`` times, ``count`` times in all."""

        def total(x: Tensor) -> Tensor:
            return rows @ (x @ columns[:, None])

        mean = (total(values) / count)[..., None]
        return cls(count, mean, total((values - mean).square())[..., None])

    def join(self, other: "Spread") -> "Spread":
        """The spread of both together (Chan et al. 1979).

        Example:
            >>> one = torch.ones(2)
            >>> parts = [Spread.of(torch.full((1, 1, 2, 2), value), one, one, 4) for value in (0.0, 1.0)]
            >>> parts[0].join(parts[1]).square.item()
            2.0
        """
        count, step = self.count + other.count, other.mean - self.mean
        square = self.square + other.square + step.square() * (self.count * other.count / count)
        return Spread(count, self.mean + step * (other.count / count), square)

    def variance(self, pixels: float) -> Float[Tensor, "batch channel 1 1"]:
        r"""The sample variance when ``pixels`` values are believed to be there.

        .. math:: \frac{1}{N - 1} \sum_p (x_p - \mu)^2, \qquad \mu = \frac1N \sum_p x_p

        With N other than the count, the official code's slip on images that are not square, the mean is wrong too.
        """
        believed = self.mean * (self.count / pixels)
        return (self.square + self.count * (self.mean - believed).square()) / (pixels - 1)


@dataclass(frozen=True)
class Roughness:
    """What the noise-to-signal ratio is made of: the spread of a feature, and of its difference from its median.

    Attributes:
        noise: of ``median3x3(g) - g``.
        signal: of g.
    """

    noise: Spread
    signal: Spread

    @classmethod
    def of(
        cls,
        features: Float[Tensor, "batch channel height width"],
        margin: int,
        *,
        top: bool = True,
        bottom: bool = True,
    ) -> "Roughness":
        """Measure features together with the margin of repeated edge pixels, without laying that margin out.

        Beyond its first ring the margin repeats itself, and so does the median there; the ring is counted ``margin``
        times instead.

        Args:
            features: of an image, or of a band of its rows.
            margin: pixels repeated on each side of the image.
            top: the first row is the image's first; else it is only looked at by the second.
            bottom: the last row is the image's last; else it is only looked at by the one before.
        """
        ringed = pad(features, (2, 2, 2 * top, 2 * bottom), mode="replicate")
        inner = ringed[..., 1:-1, 1:-1]
        one, many = features.new_ones(1), features.new_full((1,), margin)
        columns = torch.cat([many, one.expand(features.shape[-1]), many])
        rows = torch.cat([many[: int(top)], one.expand(inner.shape[-2] - top - bottom), many[: int(bottom)]])
        count = (inner.shape[-2] + (margin - 1) * (top + bottom)) * (features.shape[-1] + 2 * margin)
        noise = Spread.of(median3x3(ringed) - inner, rows, columns, count)
        return cls(noise, Spread.of(inner, rows, columns, count))

    def join(self, other: "Roughness") -> "Roughness":
        """Of both parts together."""
        return Roughness(self.noise.join(other.noise), self.signal.join(other.signal))

    def ratio(self, rows: int | None = None) -> Float[Tensor, "batch channel 1 1"]:
        r"""The noise-to-signal ratio of each channel.

        .. math:: n = \frac{8}{30}\, \frac{\mathrm{var}(\mathrm{median}_{3 \times 3}(g) - g)}{\mathrm{std}(g)}

        Args:
            rows: height of the image with its margin, to count ``rows * rows`` pixels as the official code does; the
                true number when None.
        """
        pixels = self.signal.count if rows is None else rows * rows
        spread = self.signal.variance(pixels).clamp_min(_LEAST_SPREAD**2).sqrt()
        return (_RATIO * self.noise.variance(pixels) / spread).clamp_min(_LEAST_RATIO)


def noise_to_signal(
    features: Float[Tensor, "batch channel height width"], margin: int, *, faithful: bool = False
) -> Float[Tensor, "batch channel 1 1"]:
    """The noise-to-signal ratio of each channel of whole images.

    Args:
        features: any range.
        margin: pixels repeated on each side.
        faithful: count height squared pixels, whatever the width, as the official weights are run; the two agree on
            square images, on which the weights were trained.

    Example:
        >>> noise = torch.randn(1, 1, 64, 64, generator=torch.Generator().manual_seed(0))
        >>> ramp = torch.linspace(0, 1, 64).expand(1, 1, 64, 64)
        >>> bool(noise_to_signal(ramp + 0.1 * noise, 3) > noise_to_signal(ramp + 0.05 * noise, 3))
        True
    """
    with _full_precision(features):
        wide = _not_half(features)
        return Roughness.of(wide, margin).ratio(wide.shape[-2] + 2 * margin if faithful else None)


def wiener_step(
    features: Float[Tensor, "batch channel height width"],
    transfer: Transfer,
    nsr: Float[Tensor, "#batch #channel 1 1"],
) -> Float[Tensor, "batch channel height width"]:
    """Deconvolve every channel.

    Args:
        features: any range.
        transfer: of the PSF, for this size.
        nsr: noise-to-signal ratio of each channel, > 0.

    Returns:
        The deconvolved features, float32 also under autocast: half precision has no room for a division by a spectrum.

    Example:
        >>> features = torch.rand(1, 4, 16, 24)
        >>> identity = torch.zeros(1, 1, 3, 3); identity[..., 1, 1] = 1
        >>> same = wiener_step(features, Transfer.of(identity, (16, 24)), torch.full((1, 4, 1, 1), 1e-9))
        >>> torch.allclose(same, features, atol=1e-5)
        True
    """
    margin = transfer.margin
    with _full_precision(features):
        rows, columns = features.shape[-2] + 2 * margin, features.shape[-1] + 2 * margin
        spectrum = torch.fft.rfft2(pad(_not_half(features), (margin,) * 4, mode="replicate"))
        gain = (transfer.power + nsr).reciprocal()
        otf = transfer.otf
        filtered = torch.complex(
            (spectrum.real * otf.real + spectrum.imag * otf.imag) * gain,
            (spectrum.imag * otf.real - spectrum.real * otf.imag) * gain,
        )
        del spectrum, gain
        whole = torch.fft.irfft2(filtered, s=(rows, columns))
    return whole[..., margin:-margin, margin:-margin]


def _full_precision(x: Tensor) -> AbstractContextManager[object]:
    """Without autocast, where there is one."""
    kind = x.device.type
    return torch.autocast(kind, enabled=False) if torch.is_autocast_enabled(kind) else nullcontext()


def _not_half(x: Tensor) -> Tensor:
    return x.float() if x.dtype in (torch.float16, torch.bfloat16) else x

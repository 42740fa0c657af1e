"""INFWIDE's camera: the noise of a CMOS sensor on 8-bit RGB values."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from nightsharp.errors import UsageError

# Training inputs are stretched by this after the camera, cut off at white, and brought back.
STRETCH = 1.2
_GREEN = 1
_LONGEST_TAIL = 64


@dataclass(frozen=True, eq=False)
class CmosSettings:
    r"""What a CMOS camera was set to, image by image.

    Attributes:
        gain: total gain :math:`k_c`, 8-bit steps per electron in red and blue, >= 1.
        read: standard deviation of the read noise :math:`\sigma_r`, electrons.
        dark: mean of the dark current :math:`n_d`, electrons.
        row: standard deviation of the rows' gain :math:`\sigma_\beta`.
    """

    gain: Float[Tensor, " batch"]
    read: Float[Tensor, " batch"]
    dark: Float[Tensor, " batch"]
    row: Float[Tensor, " batch"]

    @classmethod
    def drawn(cls, count: int, *, gain: int | None = None, generator: torch.Generator) -> "CmosSettings":
        """Settings as INFWIDE draws them for training.

        Args:
            count: of images.
            gain: the same for all images, as its tests have it (4, 8, 16); None draws 4 to 15.
            generator: the source of randomness, on the CPU.

        Example:
            >>> CmosSettings.drawn(3, gain=8, generator=torch.Generator()).gain.tolist()
            [8.0, 8.0, 8.0]
        """
        draws = torch.rand(4, count, generator=generator)
        gains = (4 + 12 * draws[0]).floor() if gain is None else torch.full((count,), float(gain))
        return cls(gains, 0.5 + 3.5 * draws[1], 2 + 6 * draws[2], 0.01 + 0.02 * draws[3])


def cmos_codes(
    image: Float[Tensor, "batch 3 height width"], settings: CmosSettings, *, generator: torch.Generator | None = None
) -> Float[Tensor, "batch 3 height width"]:
    r"""Record an image as INFWIDE's CMOS camera does, 8-bit.

    With :math:`v = 255 x`, analog gain :math:`k_a` = 6, 3, 6, digital gain :math:`k_c / 6` and green twice as
    sensitive,

    .. math:: a = k_a\, \beta \left[ \mathrm{Poisson}(g\,v / k_c)
        + (\mathrm{Poisson}(n_d) - n_d)_+ + \mathcal N(0, \sigma_r^2) \right],
        \qquad \beta \sim \mathcal N(1, \sigma_\beta^2)\ \text{per row and channel}

    followed by pepper (0, probability :math:`k_a 10^{-6}`), salt (255, :math:`k_a 10^{-5}`), truncation of a to an
    integer, the digital gain, and truncation to 8 bits.

    Args:
        image: the noise-free image, range [0, 1].
        settings: one value per image.
        generator: the source of randomness, on the device of ``image``; torch's default when None.

    Returns:
        Recorded values in steps of 1/255, range [0, 1].

    Raises:
        UsageError: there are settings for another number of images, or a gain below 1.

    Example:
        >>> settings = CmosSettings.drawn(1, gain=4, generator=torch.Generator().manual_seed(0))
        >>> y = cmos_codes(torch.full((1, 3, 64, 64), 0.5), settings, generator=torch.Generator().manual_seed(0))
        >>> round(float(y.mean()), 1)
        0.5

    Source: Zhang et al., "INFWIDE", IEEE TIP 2023; the constants are those of its released code.
    """
    if len(settings.gain) != len(image) or float(settings.gain.min()) < 1:
        raise UsageError(
            f"{len(settings.gain)} settings of gain {settings.gain.tolist()} came for {len(image)} images. "
            "Give one gain of at least 1 for each."
        )
    batch, _, height, width = image.shape
    gain, read, row = (values.to(image)[:, None, None, None] for values in (settings.gain, settings.read, settings.row))
    analog = image.new_tensor([6.0, 3.0, 6.0])[:, None, None]
    sensitivity = image.new_tensor([1.0, 2.0, 1.0])[:, None, None]

    def normal(*shape: int) -> Tensor:
        return torch.randn(shape, generator=generator, dtype=image.dtype, device=image.device)

    electrons = torch.poisson((sensitivity * 255 / gain) * image.clamp_min(0), generator=generator)
    electrons += _dark_current(settings.dark, image, generator)
    electrons += read * normal(batch, 3, height, width)
    recorded = electrons * (analog * (1 + row * normal(batch, 3, height, 1)))
    for value, rate in ((0.0, 1e-6), (255.0, 1e-5)):
        _strike(recorded, value, analog.flatten() * rate, generator)
    return (recorded.trunc_() * (gain / 6)).clamp_(0, 255).trunc_() / 255


def saturate(image: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
    r"""Cut off as INFWIDE does after its camera: :math:`y = \mathrm{clip}_{[0,1]}(1.2\,x)/1.2`.

    Args:
        image: recorded values, range [0, 1].

    Returns:
        The same up to 1/1.2 = 0.8333, which is white from here on.

    Example:
        >>> saturate(torch.tensor([0.5, 0.9]))
        tensor([0.5000, 0.8333])

    Source: Zhang et al., "INFWIDE", IEEE TIP 2023.
    """
    return image.clamp(0, 1 / STRETCH)


def _dark_current(means: Tensor, image: Tensor, generator: torch.Generator | None) -> Tensor:
    """What the dark current adds beyond its mean, by a table of 2^16 quantiles per image: exact to 2^-16."""
    count = torch.arange(_LONGEST_TAIL, dtype=torch.float64)
    means = means.double()[:, None]
    chance = torch.exp(count * means.log() - means - torch.lgamma(count + 1))
    ends = (chance.cumsum(1) * 65536).round()
    ends[:, -1] = 65536
    times = ends.diff(dim=1, prepend=ends.new_zeros(len(means), 1)).long()
    table = count.repeat(len(means), 1).flatten().repeat_interleave(times.flatten()).reshape(len(means), 65536)
    excess = (table - means).clamp_min(0).to(image)
    # four numbers of 16 bits at a time
    few = -(-image[0].numel() // 4)
    draws = torch.empty(len(means), few, dtype=torch.int64, device=image.device).random_(
        -(2**63), None, generator=generator
    )
    places = draws.view(torch.int16)[:, : image[0].numel()].long() + 32768
    return excess.gather(1, places).reshape(image.shape)


def _strike(values: Tensor, value: float, rates: Tensor, generator: torch.Generator | None) -> None:
    """Set a few pixels of each channel to a value, each with the channel's probability: as many as Poisson says."""
    batch, channels, height, width = values.shape
    count = torch.poisson((rates * height * width).expand(batch, channels), generator=generator)
    most = int(count.max())
    place = torch.randint(height * width, (batch, channels, most), generator=generator, device=values.device)
    struck = torch.arange(most, device=values.device) < count[..., None]
    plane = torch.arange(batch * channels, device=values.device).reshape(batch, channels, 1) * (height * width)
    values.view(-1)[(plane + place)[struck]] = value

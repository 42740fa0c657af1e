"""INFWIDE, top to bottom in the paper's order: feature branch, image branch, fusion.

Source: Zhang, Cheng, Suo, Bian, Dai, "INFWIDE: Image and Feature Space Wiener Deconvolution Network for Non-blind Image
Deblurring in Low-Light Conditions", IEEE TIP 32, 2023.
"""

from dataclasses import dataclass
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import pad

from nightsharp.methods._blocks.median import median3x3
from nightsharp.methods._blocks.residual import Encoder, UNet, residual_blocks
from nightsharp.methods._blocks.wiener_step import Spread, Transfer, noise_to_signal, wiener_step
from nightsharp.methods.infwide.denoiser import Denoiser
from nightsharp.methods.infwide.fusion import Fusion, ToImage

Image = Float[Tensor, "batch colour height width"]
# A channel darker than this, root mean square, is black; its noise over its signal would be 0 / 0.
_BLACK = 1e-4
# The root of a variance of 0 has no slope.
_NO_NOISE = 1e-9


class INFWIDEOutput(NamedTuple):
    """What the loss looks at.

    Attributes:
        half: the estimate at half the height and width.
        full: the estimate; the result.
        denoised: the image branch's denoised image, still blurred; beyond the range where the sensor was saturated.
    """

    half: Float[Tensor, "batch colour rows columns"]
    full: Image
    denoised: Image


@dataclass(frozen=True)
class Statistics:
    """What INFWIDE measures on a whole image, for tiles of it.

    Attributes:
        noise: noise over signal of each colour, for the denoiser.
        feature: noise-to-signal ratio of each feature.
        image: noise-to-signal ratio of each colour of the denoised image.
    """

    noise: Float[Tensor, "#batch colour 1 1"]
    feature: Float[Tensor, "#batch feature 1 1"]
    image: Float[Tensor, "#batch colour 1 1"]


@dataclass(frozen=True)
class Grain:
    """What the noise map is made of: the spread of an image's median, and of its difference from it.

    Attributes:
        noise: of ``median3x3(y) - y``.
        signal: of ``median3x3(y)``.
    """

    noise: Spread
    signal: Spread

    @classmethod
    def of(cls, blurred: Image, *, top: bool = True, bottom: bool = True) -> "Grain":
        """Measure an image, or a band of its rows whose first and last row are only looked at by their neighbours."""
        # the ring beyond the border mirrors, so it is read inside
        around = pad(pad(blurred, (1, 1, 0, 0), mode="reflect"), (0, 0, int(top), int(bottom)), mode="reflect")
        seen = around[..., 1:-1, 1:-1]
        middle = median3x3(around)
        rows, columns = (seen.new_ones(length) for length in seen.shape[-2:])
        count = seen.shape[-2] * seen.shape[-1]
        return cls(Spread.of(middle - seen, rows, columns, count), Spread.of(middle, rows, columns, count))

    def join(self, other: "Grain") -> "Grain":
        """Of both parts together."""
        return Grain(self.noise.join(other.noise), self.signal.join(other.signal))

    def ratio(self) -> Float[Tensor, "batch colour 1 1"]:
        r"""How noisy each colour is, as the denoiser is told it: a ratio of amplitudes.

        .. math:: \frac{\mathrm{std}(m - y)}{\mathrm{rms}(m)}, \qquad m = \mathrm{median}_{3 \times 3}(y)

        A black channel has 0, where the official code has 0 / 0 and loses the whole image.

        Example:
            >>> Grain.of(torch.zeros(1, 3, 8, 8)).ratio().flatten().tolist()
            [0.0, 0.0, 0.0]
        """
        pixels = self.signal.count
        power = (self.signal.square + pixels * self.signal.mean.square()) / (pixels - 1)
        noise = self.noise.variance(pixels).clamp_min(_NO_NOISE**2).sqrt()
        return (noise - _NO_NOISE) / power.clamp_min(_BLACK**2).sqrt()


class FeatureRefinement(nn.Module):
    """The feature branch's refinement: deconvolved features to an image, at one scale."""

    def __init__(self, features: int, colours: int, width: int, blocks: int) -> None:
        super().__init__()
        self.enter = Encoder(features, width, blocks)
        self.unet = UNet(width, blocks)
        self.refine = residual_blocks(width, blocks)
        self.to_image = ToImage(width, colours)

    def forward(
        self, deconvolved: Float[Tensor, "batch feature height width"]
    ) -> Float[Tensor, "batch colour height width"]:
        """Refine."""
        return self.to_image(self.refine(self.unet(self.enter(deconvolved))))


class INFWIDE(nn.Module):
    """The image and feature space Wiener deconvolution network.

    Args:
        colours: 3 (RGB) or 1 (grey).
        features: learned features that are deconvolved.
        width: channels of the feature branch's refinement at full size.
        blocks: residual blocks of each stage, but for the denoiser's.
        denoiser_width: channels of the denoiser at full size.
        denoiser_blocks: residual blocks of each stage of the denoiser.
        fusion_width: channels of each stream of the fusion at full size.
        faithful: keep what the official code does by mistake, for weights that were trained with it: statistics of
            images that are not square are divided by the height squared, and the margin follows the rows of the PSF.

    Example:
        >>> network = INFWIDE.lite()
        >>> psf = torch.full((1, 1, 5, 5), 1 / 25)
        >>> network(torch.rand(1, 3, 32, 45) / 1.2, psf).shape
        torch.Size([1, 3, 32, 45])
        >>> again = INFWIDE(**network.config)
    """

    def __init__(
        self,
        *,
        colours: int = 3,
        features: int = 16,
        width: int = 32,
        blocks: int = 3,
        denoiser_width: int = 32,
        denoiser_blocks: int = 2,
        fusion_width: int = 32,
        faithful: bool = False,
    ) -> None:
        super().__init__()
        self.config = {
            "colours": colours,
            "features": features,
            "width": width,
            "blocks": blocks,
            "denoiser_width": denoiser_width,
            "denoiser_blocks": denoiser_blocks,
            "fusion_width": fusion_width,
            "faithful": faithful,
        }
        self.faithful = faithful
        # feature branch
        self.extract = Encoder(colours, features, blocks)
        self.refine = FeatureRefinement(features, colours, width, blocks)
        # image branch
        self.denoiser = Denoiser(colours, denoiser_width, denoiser_blocks)
        # fusion
        self.fusion = Fusion(colours, fusion_width, blocks)
        # on a CPU the convolutions then need no rearranged copies of what they read and write
        self.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]

    @classmethod
    def lite(cls, *, colours: int = 3, faithful: bool = False) -> "INFWIDE":
        """A narrow one for CPUs, below 1 million parameters."""
        return cls(
            colours=colours,
            width=16,
            blocks=1,
            denoiser_width=8,
            denoiser_blocks=1,
            fusion_width=6,
            faithful=faithful,
        )

    def forward(
        self,
        blurred: Image,
        psf: Float[Tensor, "#batch 1 kh kw"],
        statistics: Statistics | None = None,
        strength: float = 1.0,
    ) -> Image:
        """Restore.

        Args:
            blurred: range [0, 1 / 1.2]; at least 2 x 2.
            psf: convolution kernels, any positive scale, centre at ``k // 2``.
            statistics: of the whole image, where ``blurred`` is a tile of it; measured here when None.
            strength: > 0; the noise is taken as that much weaker, so above 1 is sharper and noisier.

        Returns:
            The sharp image, about [0, 1], not clipped.
        """
        image, feature, _ = self._branches(blurred, psf, statistics, strength)
        return self.fusion.merged(self.fusion.fine(image, feature, self.fusion.coarse(image, feature)))

    def forward_all(self, blurred: Image, psf: Float[Tensor, "#batch 1 kh kw"]) -> INFWIDEOutput:
        """Both scales and the denoised image, for training; arguments as for :meth:`forward`."""
        image, feature, denoised = self._branches(blurred, psf, None, 1.0)
        half = self.fusion.coarse(image, feature)
        full = self.fusion.fine(image, feature, half)
        return INFWIDEOutput(self.fusion.merged(half), self.fusion.merged(full), denoised)

    def _branches(
        self, blurred: Tensor, psf: Tensor, known: Statistics | None, strength: float
    ) -> tuple[Tensor, Tensor, Tensor]:
        """The estimates of the image branch and of the feature branch, and the denoised image."""
        transfer = Transfer.of(psf, (blurred.shape[-2], blurred.shape[-1]), faithful=self.faithful)

        def deconvolve(channels: Tensor, nsr: Tensor | None) -> Tensor:
            if nsr is None:
                nsr = noise_to_signal(channels, transfer.margin, faithful=self.faithful)
            return wiener_step(channels, transfer, nsr / strength**2)

        features = self.extract(blurred)
        feature = self.refine(deconvolve(features, known.feature if known else None))
        noise = known.noise if known else Grain.of(blurred).ratio()
        denoised = self.denoiser(blurred, noise / strength)
        image = deconvolve(denoised, known.image if known else None)
        return image, feature, denoised

"""DWDN, top to bottom in the paper's order: features, Wiener step, multi-scale refinement.

Source: Dong, Roth, Schiele, "Deep Wiener Deconvolution: Wiener Meets Deep Learning for Image Deblurring", NeurIPS 2020.
"""

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import interpolate

from nightsharp.errors import UsageError
from nightsharp.methods._blocks.residual import Encoder, UNet, conv5, residual_blocks
from nightsharp.methods._blocks.wiener_step import Transfer, noise_to_signal, wiener_step

Image = Float[Tensor, "batch colour height width"]
MULTIPLE = 8
"""Height and width of what DWDN takes are multiples of this: half the size, halved twice more."""


class DWDNOutput(NamedTuple):
    """Both scales, for the loss.

    Attributes:
        half: the estimate at half the height and width.
        full: the estimate; the result.
    """

    half: Float[Tensor, "batch colour rows columns"]
    full: Image


class DWDN(nn.Module):
    r"""The deep Wiener deconvolution network.

    For a blurred image :math:`y = k * x + n` (eq. 1), 16 learned features :math:`F_i y` are deconvolved one by one,

    .. math:: \hat f_i = \mathcal F^{-1}\!\left[
        \frac{\overline{\mathcal F(k)}\, \mathcal F(F_i y)}{|\mathcal F(k)|^2 + s^n_i / s^x_i} \right],

    with the noise-to-signal ratio of each feature estimated from it, and refined to an image, at half size first.

    Args:
        colours: 3 (RGB) or 1 (grey).
        features: learned features that are deconvolved.
        width: channels of the refinement at full size; twice and four times as many below.
        blocks: residual blocks of each stage.
        faithful: keep what the official code does by mistake, for weights that were trained with it: statistics of
            images that are not square are divided by the height squared, and the margin follows the rows of the PSF.

    Example:
        >>> network = DWDN.lite()
        >>> psf = torch.full((1, 1, 5, 5), 1 / 25)
        >>> network(torch.rand(1, 3, 32, 48), psf).shape
        torch.Size([1, 3, 32, 48])
        >>> again = DWDN(**network.config)
    """

    def __init__(
        self, *, colours: int = 3, features: int = 16, width: int = 32, blocks: int = 3, faithful: bool = False
    ) -> None:
        super().__init__()
        self.config = {
            "colours": colours,
            "features": features,
            "width": width,
            "blocks": blocks,
            "faithful": faithful,
        }
        self.faithful = faithful
        # section 3.1, feature extraction and feature-based Wiener deconvolution
        self.extract = Encoder(colours, features, blocks)
        # section 3.2, multi-scale feature refinement; all but the entrances is shared by the two scales
        self.enter_half = Encoder(features, width, blocks)
        self.enter_full = Encoder(features + width, width, blocks)
        self.unet = UNet(width, blocks)
        self.refine = residual_blocks(width, blocks)
        self.to_image = conv5(width, colours)
        # on a CPU the convolutions then need no rearranged copies of what they read and write
        self.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]

    @classmethod
    def lite(cls, *, colours: int = 3, faithful: bool = False) -> "DWDN":
        """A narrow one for CPUs, about 0.6 million parameters."""
        return cls(colours=colours, width=16, blocks=1, faithful=faithful)

    def forward(
        self,
        blurred: Image,
        psf: Float[Tensor, "#batch 1 kh kw"],
        nsr: Float[Tensor, "#batch feature 1 1"] | None = None,
        strength: float = 1.0,
    ) -> Image:
        """Restore.

        Args:
            blurred: range [0, 1]; height and width multiples of 8.
            psf: convolution kernels, any positive scale, centre at ``k // 2``.
            nsr: noise-to-signal ratio of each feature, where ``blurred`` is a tile of the image that they were measured
                on; measured here when None.
            strength: > 0; the noise is taken as that much weaker, so above 1 is sharper and noisier.

        Returns:
            The sharp image, not clipped.

        Raises:
            UsageError: a side is not a multiple of 8.
        """
        deconvolved = self.deconvolve(blurred, psf, nsr, strength)
        half = self._half(deconvolved)
        return self.to_image(self._full(deconvolved, half))

    def forward_all(self, blurred: Image, psf: Float[Tensor, "#batch 1 kh kw"]) -> DWDNOutput:
        """Both scales, for training; arguments as for :meth:`forward`."""
        deconvolved = self.deconvolve(blurred, psf)
        half = self._half(deconvolved)
        return DWDNOutput(self.to_image(half), self.to_image(self._full(deconvolved, half)))

    def deconvolve(
        self,
        blurred: Image,
        psf: Float[Tensor, "#batch 1 kh kw"],
        nsr: Float[Tensor, "#batch feature 1 1"] | None = None,
        strength: float = 1.0,
    ) -> Float[Tensor, "batch feature height width"]:
        """Section 3.1: extract features and deconvolve them."""
        height, width = blurred.shape[-2:]
        if height % MULTIPLE or width % MULTIPLE:
            raise UsageError(
                f"the image is {height} x {width}; DWDN takes multiples of {MULTIPLE}. Pad it, or "
                "call the method dwdn, which does."
            )
        features = self.extract(blurred)
        transfer = Transfer.of(psf, (height, width), faithful=self.faithful)
        if nsr is None:
            nsr = noise_to_signal(features, transfer.margin, faithful=self.faithful)
        return wiener_step(features, transfer, nsr / strength**2)

    def _half(self, deconvolved: Tensor) -> Tensor:
        """Section 3.2, the coarse scale: refined features at half the size."""
        small = interpolate(deconvolved, scale_factor=0.5, mode="bilinear", align_corners=False)
        return self.refine(self.unet(self.enter_half(small)))

    def _full(self, deconvolved: Tensor, half: Tensor) -> Tensor:
        """Section 3.2, the fine scale: the coarse one's refined features, not its image, go in."""
        size = (deconvolved.shape[-2], deconvolved.shape[-1])
        guide = interpolate(half, size=size, mode="bilinear", align_corners=False)
        return self.refine(self.unet(self.enter_full(torch.cat([deconvolved, guide], dim=1))))

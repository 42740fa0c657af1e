"""The fusion of INFWIDE: two images, one from each branch, merged at two scales by a cross-residual U-net."""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import interpolate

from nightsharp.methods._blocks.residual import (
    Encoder,
    ResidualBlock,
    Rise,
    conv5,
    cut_like,
    padded_like,
    residual_blocks,
)

Pair = tuple[Tensor, Tensor]


class Fall(nn.Module):
    """A 5 x 5 convolution of stride 2 and ReLU."""

    def __init__(self, enters: int, leaves: int) -> None:
        super().__init__()
        self.conv = conv5(enters, leaves, stride=2)

    def forward(self, x: Float[Tensor, "batch enters height width"]) -> Float[Tensor, "batch leaves rows columns"]:
        """Shrink."""
        return self.conv(x).relu_()


class Stream(nn.Module):
    """One stream of a cross-residual step: what two convolutions find, added to the mean of both streams."""

    def __init__(self, channels: int, leave: nn.Module) -> None:
        super().__init__()
        self.first = conv5(channels, channels)
        self.second = conv5(channels, channels)
        self.leave = leave

    def forward(
        self, x: Float[Tensor, "batch channel height width"], mean: Float[Tensor, "batch channel height width"]
    ) -> Float[Tensor, "batch leaves rows columns"]:
        """The sum is rectified, then shrunk or enlarged."""
        return self.leave(self.second(self.first(x).relu_()).add_(mean).relu_())


class CrossStep(nn.Module):
    """Both streams of a step; the mean is all they tell each other."""

    def __init__(self, enters: int, leaves: int, way: type[Fall] | type[Rise]) -> None:
        super().__init__()
        self.image = Stream(enters, way(enters, leaves))
        self.feature = Stream(enters, way(enters, leaves))

    def forward(self, p: Tensor, q: Tensor) -> Pair:
        """One step of both."""
        mean = (p + q) / 2
        return self.image(p, mean), self.feature(q, mean)


class CrossUNet(nn.Module):
    """The cross-residual U-net: two levels down and up, two streams."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.down1 = CrossStep(width, 2 * width, Fall)
        self.down2 = CrossStep(2 * width, 4 * width, Fall)
        self.up2 = CrossStep(4 * width, 2 * width, Rise)
        self.up1 = CrossStep(2 * width, width, Rise)

    def forward(self, p: Tensor, q: Tensor) -> Pair:
        """What is to be added to both streams is added."""
        p1, q1 = self.down1(p, q)
        u, v = self.up2(*self.down2(p1, q1))
        w, z = self.up1(u + padded_like(p1, u), v + padded_like(q1, v))
        return p + cut_like(w, p), q + cut_like(z, q)


class ToImage(nn.Module):
    """A residual block and two convolutions with nothing between them, down to an image."""

    def __init__(self, channels: int, colours: int) -> None:
        super().__init__()
        self.block = ResidualBlock(channels)
        self.mix = conv5(channels, channels)
        self.leave = conv5(channels, colours)

    def forward(self, x: Float[Tensor, "batch channel height width"]) -> Float[Tensor, "batch colour height width"]:
        """Make an image of features."""
        return self.leave(self.mix(self.block(x)))


class Fusion(nn.Module):
    """Merges the image branch's estimate with the feature branch's.

    Args:
        colours: of both and of the result.
        width: channels of each stream at full size.
        blocks: residual blocks of each stage.
    """

    def __init__(self, colours: int, width: int, blocks: int) -> None:
        super().__init__()
        self.enter_half_image = Encoder(colours, width, blocks)
        self.enter_half_feature = Encoder(colours, width, blocks)
        self.enter_full_image = Encoder(width + colours, width, blocks)
        self.enter_full_feature = Encoder(width + colours, width, blocks)
        # shared by the two scales
        self.unet = CrossUNet(width)
        self.refine_image = residual_blocks(width, blocks)
        self.refine_feature = residual_blocks(width, blocks)
        self.to_image = ToImage(2 * width, colours)

    def coarse(
        self, image: Float[Tensor, "batch colour height width"], feature: Float[Tensor, "batch colour height width"]
    ) -> Pair:
        """The coarse scale: refined features of both streams."""
        size = (halved(image.shape[-2]), halved(image.shape[-1]))
        p, q = self.unet(self.enter_half_image(_resized(image, size)), self.enter_half_feature(_resized(feature, size)))
        return self.refine_image(p), self.refine_feature(q)

    def fine(
        self,
        image: Float[Tensor, "batch colour height width"],
        feature: Float[Tensor, "batch colour height width"],
        half: Pair,
    ) -> Pair:
        """The fine scale, led by the refined features of the coarse one."""
        size = (image.shape[-2], image.shape[-1])
        p, q = self.unet(
            self.enter_full_image(torch.cat([_resized(half[0], size), image], dim=1)),
            self.enter_full_feature(torch.cat([_resized(half[1], size), feature], dim=1)),
        )
        return self.refine_image(p), self.refine_feature(q)

    def merged(self, streams: Pair) -> Float[Tensor, "batch colour height width"]:
        """The image that both streams make."""
        return self.to_image(torch.cat(streams, dim=1))


def halved(length: int) -> int:
    """Half a length, a half rounded to the even neighbour, without leaving the integers (an export has only those).

    Example:
        >>> [halved(length) for length in (61, 62, 63)]
        [30, 31, 32]
    """
    return length // 2 + length % 2 * (length // 2 % 2)


def _resized(image: Tensor, size: tuple[int, int]) -> Tensor:
    return interpolate(image, size=size, mode="bilinear", align_corners=False)

"""Layers that the deep Wiener networks share: 5 x 5 convolutions, residual blocks, a U-net of two levels."""

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import pad

from nightsharp.methods._blocks.winograd import fast_conv5


class Conv5(nn.Conv2d):
    """A 5 x 5 convolution of stride 1 with zeros beyond the border."""

    def __init__(self, enters: int, leaves: int) -> None:
        super().__init__(enters, leaves, 5, padding=2)

    def forward(
        self,
        input: Float[Tensor, "batch enters height width"],  # noqa: A002 - the name that nn.Conv2d gives it
    ) -> Float[Tensor, "batch leaves height width"]:
        """Convolve."""
        return fast_conv5(input, self.weight, self.bias)


def conv5(enters: int, leaves: int, stride: int = 1) -> nn.Conv2d:
    """A 5 x 5 convolution with zeros beyond the border."""
    return Conv5(enters, leaves) if stride == 1 else nn.Conv2d(enters, leaves, 5, stride, 2)


class Rise(nn.Module):
    """A transposed 3 x 3 convolution of stride 2 and ReLU: exactly twice the height and width."""

    def __init__(self, enters: int, leaves: int) -> None:
        super().__init__()
        self.conv = nn.ConvTranspose2d(enters, leaves, 3, 2, padding=1, output_padding=1)

    def forward(self, x: Float[Tensor, "batch enters height width"]) -> Float[Tensor, "batch leaves rows columns"]:
        """Enlarge."""
        return self.conv(x).relu_()


class ResidualBlock(nn.Module):
    """``x + conv(relu(conv(x)))``: no scaling, no ReLU after the sum."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = conv5(channels, channels)
        self.second = conv5(channels, channels)

    def forward(self, x: Float[Tensor, "batch channel height width"]) -> Float[Tensor, "batch channel height width"]:
        """Add what the two convolutions find."""
        return self.second(self.first(x).relu_()).add_(x)


def residual_blocks(channels: int, count: int) -> nn.Sequential:
    """Residual blocks one after the other."""
    return nn.Sequential(*(ResidualBlock(channels) for _ in range(count)))


class Encoder(nn.Module):
    """A 5 x 5 convolution with ReLU, of stride 1 or 2, and residual blocks."""

    def __init__(self, enters: int, leaves: int, blocks: int, stride: int = 1) -> None:
        super().__init__()
        self.enter = conv5(enters, leaves, stride)
        self.blocks = residual_blocks(leaves, blocks)

    def forward(self, x: Float[Tensor, "batch enters height width"]) -> Float[Tensor, "batch leaves rows columns"]:
        """Encode."""
        return self.blocks(self.enter(x).relu_())


class Decoder(nn.Module):
    """Residual blocks and a rise to twice the size."""

    def __init__(self, enters: int, leaves: int, blocks: int) -> None:
        super().__init__()
        self.blocks = residual_blocks(enters, blocks)
        self.rise = Rise(enters, leaves)

    def forward(self, x: Float[Tensor, "batch enters height width"]) -> Float[Tensor, "batch leaves rows columns"]:
        """Decode."""
        return self.rise(self.blocks(x))


class UNet(nn.Module):
    """The encoder-decoder of both networks: two levels down and up, skips by addition.

    Where a side is not a multiple of 4, the smaller tensor of a skip is surrounded by zeros and the last one cut.
    """

    def __init__(self, width: int, blocks: int) -> None:
        super().__init__()
        self.down1 = Encoder(width, 2 * width, blocks, stride=2)
        self.down2 = Encoder(2 * width, 4 * width, blocks, stride=2)
        self.up2 = Decoder(4 * width, 2 * width, blocks)
        self.up1 = Decoder(2 * width, width, blocks)

    def forward(self, x: Float[Tensor, "batch width height columns"]) -> Float[Tensor, "batch width height columns"]:
        """What is to be added is added: ``x + up1(up2(down2(down1(x))) + down1(x))``."""
        half = self.down1(x)
        quarter = self.up2(self.down2(half))
        return x + cut_like(self.up1(quarter + padded_like(half, quarter)), x)


def padded_like(x: Tensor, like: Tensor) -> Tensor:
    """Surround with zeros to the size of another; the odd row or column goes to the bottom or right."""
    down, across = like.shape[-2] - x.shape[-2], like.shape[-1] - x.shape[-1]
    return pad(x, (across // 2, across - across // 2, down // 2, down - down // 2))


def cut_like(x: Tensor, like: Tensor) -> Tensor:
    """Cut to the size of another; the odd row or column goes from the bottom or right."""
    height, width = like.shape[-2:]
    top, left = (x.shape[-2] - height) // 2, (x.shape[-1] - width) // 2
    return x[..., top : top + height, left : left + width]

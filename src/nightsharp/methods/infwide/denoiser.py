"""The denoiser of INFWIDE's image branch: a residual U-net that is told the noise, and fills what was saturated."""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import pad

_LEVELS = 3


class PlainBlock(nn.Module):
    """``x + conv(relu(conv(x)))``, 3 x 3, without bias."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.second = nn.Conv2d(channels, channels, 3, padding=1, bias=False)

    def forward(self, x: Float[Tensor, "batch channel height width"]) -> Float[Tensor, "batch channel height width"]:
        """Add what the two convolutions find."""
        return self.second(self.first(x).relu_()).add_(x)


def _plain_blocks(channels: int, count: int) -> nn.Sequential:
    return nn.Sequential(*(PlainBlock(channels) for _ in range(count)))


class Down(nn.Module):
    """Residual blocks, then half the size and twice the channels."""

    def __init__(self, channels: int, blocks: int) -> None:
        super().__init__()
        self.blocks = _plain_blocks(channels, blocks)
        self.shrink = nn.Conv2d(channels, 2 * channels, 2, 2, bias=False)

    def forward(self, x: Float[Tensor, "batch channel height width"]) -> Float[Tensor, "batch wide rows columns"]:
        """Shrink."""
        return self.shrink(self.blocks(x))


class Up(nn.Module):
    """Twice the size and half the channels, then residual blocks."""

    def __init__(self, channels: int, blocks: int) -> None:
        super().__init__()
        self.enlarge = nn.ConvTranspose2d(2 * channels, channels, 2, 2, bias=False)
        self.blocks = _plain_blocks(channels, blocks)

    def forward(self, x: Float[Tensor, "batch wide rows columns"]) -> Float[Tensor, "batch channel height width"]:
        """Enlarge."""
        return self.blocks(self.enlarge(x))


class Denoiser(nn.Module):
    """From a blurred image and its noise map to the image without noise, still blurred.

    Three levels, skips by addition, no activation outside the blocks.

    Args:
        colours: of the image; the noise map has as many.
        width: channels at full size.
        blocks: residual blocks of each stage.
    """

    def __init__(self, colours: int, width: int, blocks: int) -> None:
        super().__init__()
        widths = [width << level for level in range(_LEVELS)]
        self.head = nn.Conv2d(2 * colours, width, 3, padding=1, bias=False)
        self.down = nn.ModuleList(Down(channels, blocks) for channels in widths)
        self.body = _plain_blocks(width << _LEVELS, blocks)
        self.up = nn.ModuleList(Up(channels, blocks) for channels in reversed(widths))
        self.tail = nn.Conv2d(width, colours, 3, padding=1, bias=False)

    def forward(
        self,
        blurred: Float[Tensor, "batch colour height width"],
        noise: Float[Tensor, "#batch colour 1 1"],
    ) -> Float[Tensor, "batch colour height width"]:
        """Denoise; ``noise`` is spread over the whole image as further channels."""
        height, width = blurred.shape[-2:]
        multiple = 1 << _LEVELS
        told = torch.cat([blurred, noise.to(blurred).expand_as(blurred)], dim=1)
        x = self.head(pad(told, (0, -width % multiple, 0, -height % multiple), mode="replicate"))
        skips = [x]
        for down in self.down:
            x = down(x)
            skips.append(x)
        x = self.body(x)
        for up in self.up:
            x = up(x + skips.pop())
        return self.tail(x + skips.pop())[..., :height, :width]

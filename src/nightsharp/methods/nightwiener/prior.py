"""The prior: a small U-Net that takes away noise of a known size."""

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from nightsharp.methods.nightwiener.blocks import residual_blocks

VIEWS = 3
"""How many images the prior sees for each channel."""

MULTIPLE = 4
"""Sides that the prior takes are multiples of this."""


class NightPrior(nn.Module):
    r"""Takes white noise of a known standard deviation out of an image, one channel at a time.

    .. math:: \hat x = z + U(z,\, \bar z,\, s)

    As in NightWiener no layer has a bias and every view is in the units of the image, so that f(a z, a s) = a f(z, s).
    The last layer starts at zero: untrained, it takes nothing away.

    Args:
        widths: feature channels at half and quarter resolution.

    Source: this project; denoisers that are told the level after Zhang, Zuo and Zhang, "FFDNet", TIP 2018, without
    biases after Mohan et al., ICLR 2020.

    Example:
        >>> prior = NightPrior(widths=(8, 8))
        >>> stack = torch.rand(2, 3, 24, 40)
        >>> torch.equal(prior(stack), stack[:, :1])
        True
    """

    system = "nightprior"

    def __init__(self, widths: tuple[int, int] = (28, 48)) -> None:
        super().__init__()
        self.config: dict[str, Any] = {"widths": widths}
        first, second = widths
        self.head = nn.Conv2d(4 * VIEWS, first, 3, padding=1, bias=False)
        self.down = residual_blocks(first, 1)
        self.to_quarter = nn.Conv2d(first, second, 2, stride=2, bias=False)
        self.bottom = residual_blocks(second, 1)
        self.from_quarter = nn.ConvTranspose2d(second, first, 2, stride=2, bias=False)
        self.up = residual_blocks(first, 1)
        self.tail = nn.Conv2d(first, 4, 3, padding=1, bias=False)
        nn.init.zeros_(self.tail.weight)
        # on a CPU the convolutions then need no rearranged copies of what they read and write
        self.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]

    def forward(self, stack: Float[Tensor, "planes 3 height width"]) -> Float[Tensor, "planes 1 height width"]:
        """Clean an image.

        Args:
            stack: the image, its mean over the channels, the standard deviation of the noise (see :func:`seen`); height
                and width multiples of 4.

        Returns:
            The image without the noise, in the same units.
        """
        half = self.down(self.head(nn.functional.pixel_unshuffle(stack, 2)))
        quarter = self.bottom(self.to_quarter(half))
        half = self.up(half + self.from_quarter(quarter))
        return stack[:, :1] + nn.functional.pixel_shuffle(self.tail(half), 2)


def seen(
    image: Float[Tensor, "batch channel height width"], spread: Float[Tensor, "batch #channel 1 1"]
) -> Float[Tensor, "planes 3 height width"]:
    """What the prior sees of an image, channels laid along the batch.

    Args:
        image: in linear light or display values.
        spread: standard deviation of the noise in it.

    Example:
        >>> seen(torch.rand(2, 3, 8, 8), torch.full((2, 1, 1, 1), 0.1)).shape
        torch.Size([6, 3, 8, 8])
    """
    mean = image.mean(dim=1, keepdim=True).expand_as(image)
    return torch.stack([image, mean, spread.expand_as(image)], dim=2).flatten(0, 1)

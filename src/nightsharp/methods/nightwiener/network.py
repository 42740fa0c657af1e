"""The network: a small residual U-Net without biases, one channel at a time."""

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from nightsharp.methods.nightwiener.bank import TURNED, VIEWS
from nightsharp.methods.nightwiener.blocks import residual_blocks


class NightWiener(nn.Module):
    r"""Corrects a classical estimate, seeing what that estimate left unexplained.

    .. math:: \hat x = (1 - \alpha)\,[x_0 + U(x_0,\, y,\, r_1, r_2, r_3,\, \bar x_0, \bar r_2,\, \ldots,\, x_T, r_T)]
        + \alpha\, x_T

    No layer has a bias and every input is in the units of the image, so that

    .. math:: f(a\,y, a\,\sigma) = a\, f(y, \sigma), \qquad a > 0

    holds exactly: a quarter of the light with a quarter of the noise gives the same picture. The last layer starts at
    zero: an untrained network hands the classical estimate back, joined with that of the turns.

    Args:
        widths: feature channels at half, quarter, eighth resolution.
        depth: residual blocks on each level, on the way down and again on the way up.

    Source: this project; bias-free layers after Mohan et al., ICLR 2020, the U-Net of residual blocks after Zhang et
    al., "Plug-and-play image restoration with deep denoiser prior", TPAMI 2021.

    Example:
        >>> network = NightWiener(widths=(8, 8, 8), depth=1)
        >>> stack = torch.rand(2, 15, 24, 40)
        >>> torch.equal(network(stack), stack[:, :1])
        True
    """

    system = "nightwiener"

    def __init__(self, widths: tuple[int, int, int] = (32, 64, 112), depth: int = 2) -> None:
        super().__init__()
        self.config: dict[str, Any] = {"widths": widths, "depth": depth}
        first, second, third = widths
        self.head = nn.Conv2d(4 * VIEWS, first, 3, padding=1, bias=False)
        self.down_half = residual_blocks(first, depth)
        self.to_quarter = nn.Conv2d(first, second, 2, stride=2, bias=False)
        self.down_quarter = residual_blocks(second, depth)
        self.to_eighth = nn.Conv2d(second, third, 2, stride=2, bias=False)
        self.bottom = residual_blocks(third, depth)
        self.from_eighth = nn.ConvTranspose2d(third, second, 2, stride=2, bias=False)
        self.up_quarter = residual_blocks(second, depth)
        self.from_quarter = nn.ConvTranspose2d(second, first, 2, stride=2, bias=False)
        self.up_half = residual_blocks(first, depth)
        self.tail = nn.Conv2d(first, 4, 3, padding=1, bias=False)
        nn.init.zeros_(self.tail.weight)
        # on a CPU the convolutions then need no rearranged copies of what they read and write
        self.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]

    def forward(
        self,
        stack: Float[Tensor, "planes 15 height width"],
        share: Float[Tensor, "planes 1 height width"] | None = None,
    ) -> Float[Tensor, "planes 1 height width"]:
        """Restore.

        Args:
            stack: the views of ``bank.views``; height and width multiples of 8.
            share: of the turns' estimate in the picture, in [0, 1]; nothing of it when None.

        Returns:
            The latent image, in the units of the views.
        """
        half = self.head(nn.functional.pixel_unshuffle(stack, 2))
        half = self.down_half(half)
        quarter = self.down_quarter(self.to_quarter(half))
        eighth = self.bottom(self.to_eighth(quarter))
        quarter = self.up_quarter(quarter + self.from_eighth(eighth))
        half = self.up_half(half + self.from_quarter(quarter))
        corrected = stack[:, :1] + nn.functional.pixel_shuffle(self.tail(half), 2)
        return corrected if share is None else torch.lerp(corrected, stack[:, TURNED : TURNED + 1], share)

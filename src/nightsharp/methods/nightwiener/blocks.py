"""Residual blocks without biases."""

import torch
from torch import Tensor, nn


class ResidualBlock(nn.Module):
    """Two convolutions and the way around them."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.second = nn.Conv2d(width, width, 3, padding=1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Add what the convolutions find."""
        return x + self.second(torch.relu(self.first(x)))


def residual_blocks(width: int, count: int) -> nn.Sequential:
    """Several residual blocks, one after the other.

    Args:
        width: feature channels.
        count: how many blocks.

    Example:
        >>> residual_blocks(4, 2)(torch.rand(1, 4, 5, 6)).shape
        torch.Size([1, 4, 5, 6])
    """
    return nn.Sequential(*(ResidualBlock(width) for _ in range(count)))

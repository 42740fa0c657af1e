"""Sides that a network can halve."""

from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import pad


def to_multiple(
    images: Float[Tensor, "batch channel height width"], multiple: int
) -> Float[Tensor, "batch channel rows columns"]:
    """Repeat the last row and column until both sides are a multiple.

    Args:
        images: of any size.
        multiple: of what.

    Example:
        >>> import torch
        >>> to_multiple(torch.rand(1, 1, 5, 8), 4).shape
        torch.Size([1, 1, 8, 8])
    """
    height, width = images.shape[-2:]
    down, right = -height % multiple, -width % multiple
    return pad(images, (0, right, 0, down), mode="replicate") if down or right else images

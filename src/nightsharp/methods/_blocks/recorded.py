"""What of a tile was recorded at all."""

from types import EllipsisType

from torch import Tensor


def recorded(weight: Tensor | None, like: Tensor) -> tuple[EllipsisType, slice, slice]:
    """The rows and columns in which anything was recorded; a rim around the photograph has no weight.

    Args:
        weight: the trust in each pixel, ``(batch, channel, height, width)``; all was recorded when None.
        like: an image of that height and width.

    Example:
        >>> import torch
        >>> weight = torch.zeros(1, 1, 6, 6)
        >>> weight[..., 2:5, 1:5] = 1
        >>> torch.rand(1, 3, 6, 6)[recorded(weight, weight)].shape
        torch.Size([1, 3, 3, 4])
    """
    if weight is None:
        return ..., slice(0, like.shape[-2]), slice(0, like.shape[-1])
    known = (weight > 0).flatten(0, 1).any(0)
    rows, columns = (known.any(axis).nonzero().flatten().tolist() or [0] for axis in (1, 0))
    return ..., slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)

"""Paths brought to a size."""

import torch
from jaxtyping import Float
from torch import Tensor


def scaled_to(
    points: Float[Tensor, "batch points 2"], reach: Float[Tensor, " batch"]
) -> Float[Tensor, "batch points 2"]:
    """Paths with their mean at 0 and their farthest coordinate at ``reach``.

    Args:
        points: any unit.
        reach: pixels, one for each path.

    Example:
        >>> scaled_to(torch.tensor([[[0.0, 0.0], [0.0, 1.0]]]), torch.tensor([3.0]))
        tensor([[[ 0., -3.],
                 [ 0.,  3.]]])
    """
    centred = points - points.mean(1, keepdim=True)
    farthest = centred.abs().amax((1, 2)).clamp_min(1e-12)
    return centred * (reach.to(points) / farthest)[:, None, None]


def densified(points: Float[Tensor, "batch points 2"], times: int) -> Float[Tensor, "batch more 2"]:
    """More points between the given ones, so that a long path leaves no gaps.

    Args:
        points: visited at even intervals of time.
        times: how many for each one.

    Example:
        >>> densified(torch.tensor([[[0.0, 0.0], [0.0, 1.0], [1.0, 1.0]]]), 2)[0]
        tensor([[0.0000, 0.0000],
                [0.0000, 0.5000],
                [0.0000, 1.0000],
                [0.5000, 1.0000]])
    """
    share = torch.arange(times, dtype=points.dtype, device=points.device) / times
    between = points[:, :-1, None] + share[:, None] * points.diff(dim=1)[:, :, None]
    return between.flatten(1, 2)

"""Paths into PSFs, many at once."""

import torch
from jaxtyping import Float
from torch import Tensor


def splat(points: Float[Tensor, "batch points 2"], side: int) -> Float[Tensor, "batch 1 side side"]:
    r"""PSFs of lights that spend the same time at each of their points.

    .. math:: k[q] = \frac1n \sum_i \Lambda(q - p_i), \qquad \Lambda(u, v) = (1 - |u|)_+ (1 - |v|)_+

    Each point is shared among its four neighbours by bilinear weights; what lies outside the square is left out.

    Args:
        points: (row, column) from the centre tap, pixels; rows count downwards.
        side: of the PSFs.

    Returns:
        Non-negative, sum 1 each, in the dtype of ``points``; a PSF of which nothing lies inside the square is the
        centre tap alone.

    Example:
        >>> splat(torch.tensor([[[0.0, 0.0], [0.0, 0.5]]]), 3)[0, 0]
        tensor([[0.0000, 0.0000, 0.0000],
                [0.0000, 0.7500, 0.2500],
                [0.0000, 0.0000, 0.0000]])
    """
    batch, count, _ = points.shape
    # one ring around the square takes what is left out
    wide = side + 2
    place = (points + side // 2 + 1).clamp(0, side + 1)
    corner = place.floor()
    below, beside = (place - corner).unbind(-1)
    first = torch.arange(batch, device=points.device)[:, None] * wide * wide
    index = first + corner[..., 0].long() * wide + corner[..., 1].long()
    indices = torch.stack([index, index + 1, index + wide, index + wide + 1])
    weights = torch.stack([(1 - below) * (1 - beside), (1 - below) * beside, below * (1 - beside), below * beside])
    sums = points.new_zeros(batch * wide * wide + wide + 1).index_add(0, indices.flatten(), weights.flatten())
    kernels = sums[: batch * wide * wide].reshape(batch, 1, wide, wide)[..., 1:-1, 1:-1].contiguous()
    kernels[kernels.sum((-3, -2, -1)) < 1e-6 * count, :, side // 2, side // 2] = 1
    return kernels / kernels.sum((-2, -1), keepdim=True)

"""INFWIDE's camera path: a velocity that decays into a drift while the camera turns."""

import math

import torch
from jaxtyping import Float
from torch import Tensor

SAMPLES = 250
SIDE = 37
_LARGEST_GRID = 27


def rotating_paths(count: int, *, generator: torch.Generator) -> Float[Tensor, "count samples 2"]:
    r"""Random walks whose velocity is turned by a random rotation, all steps at once.

    .. math:: r_t &= r_{t-1} + \tfrac{2\pi}{T} \left( \tfrac{n_t}{t+1} + r_{t-1} \right), \quad
              v_t = v_{t-1} + \tfrac{m_t}{t+1}, \\
              x_t &= x_{t-1} + R_z R_y R_x(r_t)\, v_t

    with :math:`v_0, n_t, m_t \sim \mathcal N(0, I_3)`. The first recursion is linear, so that
    :math:`r_t = a^t \sum_{s \le t} a^{-s} \tfrac{2\pi}{T} \tfrac{n_s}{s+1}` with :math:`a = 1 + 2\pi/T`; the others are
    plain sums.

    Args:
        count: of paths.
        generator: the source of randomness, on the CPU.

    Returns:
        The first two coordinates of x, read as (row, column), in units of their own; they start at 0.

    Example:
        >>> rotating_paths(4, generator=torch.Generator().manual_seed(0)).shape
        torch.Size([4, 250, 2])

    Source: Zhang, Cheng, Suo et al., "INFWIDE", IEEE TIP 2023, training data.
    """
    step = torch.arange(1, SAMPLES, dtype=torch.float64)[:, None]
    start = torch.randn(count, 1, 3, generator=generator, dtype=torch.float64)
    kicks = torch.randn(2, count, SAMPLES - 1, 3, generator=generator, dtype=torch.float64) / (step + 1)
    growth = 1 + 2 * math.pi / SAMPLES
    turns = growth**step * (kicks[0] * growth**-step * (2 * math.pi / SAMPLES)).cumsum(1)
    velocity = start + kicks[1].cumsum(1)
    path = _turned(velocity, turns)[..., :2].cumsum(1)
    return torch.cat([path.new_zeros(count, 1, 2), path], dim=1)


def _turned(vectors: Tensor, angles: Tensor) -> Tensor:
    """Rz Ry Rx applied to vectors, each with its own angles."""
    x, y, z = vectors.unbind(-1)
    sines, cosines = angles.sin(), angles.cos()
    y, z = cosines[..., 0] * y - sines[..., 0] * z, sines[..., 0] * y + cosines[..., 0] * z
    x, z = cosines[..., 1] * x + sines[..., 1] * z, cosines[..., 1] * z - sines[..., 1] * x
    x, y = cosines[..., 2] * x - sines[..., 2] * y, sines[..., 2] * x + cosines[..., 2] * y
    return torch.stack([x, y, z], dim=-1)


def rotating_psfs(count: int, *, generator: torch.Generator) -> Float[Tensor, "count 1 37 37"]:
    r"""INFWIDE's PSFs, 37 x 37, of all its oddities: not centred, the last row and column of their grid empty.

    A path becomes a histogram on a grid of :math:`h \sim \min(5 - \ln U / 0.15,\ 27)` taps, made odd, smoothed by a
    2 x 2 Gaussian; one in four is stretched up to five times, each axis by itself, and cut to the middle.

    Args:
        count: of PSFs.
        generator: the source of randomness, on the CPU.

    Returns:
        Non-negative, sum 1 each.

    Example:
        >>> psfs = rotating_psfs(3, generator=torch.Generator().manual_seed(0))
        >>> psfs.shape, bool((psfs.sum((-2, -1)) - 1).abs().max() < 1e-5)
        (torch.Size([3, 1, 37, 37]), True)

    Source: as :func:`rotating_paths`; grid and stretching as in its released configuration.
    """
    paths = rotating_paths(count, generator=generator)
    draws = torch.rand(5, count, generator=generator, dtype=torch.float64)
    grid = (5 - draws[0].log() / 0.15).clamp_max(_LARGEST_GRID).round()
    grid = grid + (grid % 2 == 0)
    kernels = _histograms(paths, grid)
    stretched = draws[1] < 0.25
    sides = 37 + (draws[2:4] * 149).floor()
    rows, columns = (_stretching(side) for side in sides)
    kernels = torch.where(stretched[:, None, None], rows @ kernels @ columns.mT, kernels)
    lost = kernels.sum((-2, -1)) < 0.1
    kernels = torch.where(lost[:, None, None], _gaussians(0.1 + 6 * draws[4]), kernels)
    return (kernels / kernels.sum((-2, -1), keepdim=True)).float()[:, None]


def _histograms(paths: Tensor, grid: Tensor) -> Tensor:
    """How often a path visits each cell of its grid, in the middle of a 37 x 37 square."""
    low, high = paths.amin(1, keepdim=True), paths.amax(1, keepdim=True)
    cells = ((paths - low) / (high - low) * (grid[:, None, None] - 1)).floor()
    inside = (cells < grid[:, None, None] - 1).all(-1)
    place = (cells + ((SIDE - grid) / 2).floor()[:, None, None]).long().clamp_max(SIDE - 1)
    index = torch.arange(len(paths))[:, None] * SIDE**2 + place[..., 0] * SIDE + place[..., 1]
    counts = paths.new_zeros(len(paths) * SIDE**2).index_add(0, index.flatten(), inside.flatten().double())
    counts = counts.reshape(-1, SIDE, SIDE)
    # a 2 x 2 Gaussian of sigma 1, its taps at 0 and 1; the grid's last row and column are empty and take the shift
    tail = math.exp(-0.5)
    counts = counts + tail * counts.roll(1, 1)
    counts = counts + tail * counts.roll(1, 2)
    return counts / counts.sum((-2, -1), keepdim=True)


def _stretching(sides: Tensor) -> Float[Tensor, "count 37 37"]:
    """The middle 37 rows of a bilinear resize from 37 to each of the sides."""
    place = torch.arange(SIDE, dtype=torch.float64) + ((sides - SIDE) / 2).floor()[:, None]
    source = ((place + 0.5) * SIDE / sides[:, None] - 0.5).clamp(0, SIDE - 1)
    return (1 - (source[..., None] - torch.arange(SIDE)).abs()).clamp_min(0)


def _gaussians(sigmas: Tensor) -> Tensor:
    place = torch.arange(SIDE, dtype=torch.float64) - SIDE // 2
    profile = torch.exp(-0.5 * (place / sigmas[:, None]).square())
    return profile[:, :, None] * profile[:, None, :]

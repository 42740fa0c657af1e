"""The camera motion of the event paper: along an arc, with a little zoom and roll around one place of the picture."""

import math

import torch
from jaxtyping import Complex, Float
from torch import Tensor

SAMPLES = 25
GRID = (16, 20)
_CANVAS = 48
_FARTHEST = 45


def arc_paths(count: int, *, generator: torch.Generator) -> Complex[Tensor, "count samples"]:
    r"""Arcs about 34 pixels long, from nearly straight to half a circle.

    .. math:: p_i = \tfrac{L}{\theta}\, e^{j (\varphi + i\,\theta / 24)}, \quad L = 48\,(0.7 + U(-0.05, 0.05)), \quad
        \theta \sim U(\pi/6, \pi), \quad \varphi \sim U(0, 2\pi)

    run through either way, moved so that they start on a whole pixel near the middle of a canvas of 48.

    Args:
        count: of paths.
        generator: the source of randomness, on the CPU.

    Returns:
        25 points each, x to the right, y *upwards* as the imaginary part.

    Example:
        >>> paths = arc_paths(3, generator=torch.Generator().manual_seed(0))
        >>> bool((paths[:, 0].real == paths[:, 0].real.round()).all())
        True

    Source: Zhou et al., "Deblurring low-light images with events", IJCV 2023, data generation.
    """
    backwards = torch.randint(2, (count, 1), generator=generator).bool()
    draws = torch.rand(3, count, 1, generator=generator, dtype=torch.float64)
    length = _CANVAS * (0.7 + 0.1 * (draws[0] - 0.5))
    angle = math.pi / 6 + (math.pi - math.pi / 6) * draws[1]
    turn = 2 * math.pi * draws[2] + angle * torch.arange(SAMPLES) / (SAMPLES - 1)
    turn = torch.where(backwards, turn.flip(1), turn)
    points = length / angle * torch.stack([turn.cos(), turn.sin()])
    points = points - points.amin(-1, keepdim=True) + 1
    points = points - (points[..., :1] - points[..., :1].floor())
    points = points + ((_CANVAS - points.amax(-1, keepdim=True)) / 2).ceil()
    return torch.complex(points[0], points[1])


def patch_paths(
    count: int, *, grid: tuple[int, int] = GRID, generator: torch.Generator
) -> Float[Tensor, "count rows columns samples 2"]:
    r"""How each patch of a picture moves when the camera follows an arc, comes nearer and rolls.

    .. math:: \Delta p_i(r, c) = \Delta b_i + z_t\,\rho\, e^{j\psi} + z_r \tan(a)\,\rho\, e^{j(\psi \pm \pi/2)}

    with distance :math:`\rho` and bearing :math:`\psi` of the patch from a random one, in patches,
    :math:`z_t \sim U(-m/35, m/35)`, :math:`z_r \sim U(0, m/25)`, :math:`m = 48/25`, :math:`a \sim U(-\pi/4, \pi/4)`.
    Motions that lead a patch out of the canvas are drawn again, about half of them.

    Args:
        count: of motions.
        grid: rows and columns of patches.
        generator: the source of randomness, on the CPU.

    Returns:
        Displacement (down, right) of each patch from the start, pixels.

    Example:
        >>> patch_paths(2, grid=(4, 5), generator=torch.Generator().manual_seed(0)).shape
        torch.Size([2, 4, 5, 25, 2])

    Source: as :func:`arc_paths`; because the sign of the roll follows that of tan(a), all rolls are anticlockwise, as
    there.
    """
    rows, columns = grid
    base = arc_paths(count, generator=generator)
    moved = torch.zeros(count, rows, columns, SAMPLES, dtype=torch.complex128)
    open_ones = torch.arange(count)
    pace = _CANVAS / SAMPLES
    while len(open_ones):
        many = len(open_ones)
        draws = torch.rand(5, many, 1, 1, generator=generator, dtype=torch.float64)
        down = torch.arange(rows)[:, None] - (draws[0] * rows).floor()
        right = torch.arange(columns) - (draws[1] * columns).floor()
        outwards = torch.complex(right.expand(many, rows, columns), -down.expand(many, rows, columns))
        nearer = (2 * draws[2] - 1) * pace / 35
        lean = (2 * draws[3] - 1) * math.pi / 4
        rolled = draws[4] * pace / 25 * lean.tan() * torch.complex(torch.zeros_like(lean), lean.sign())
        drift = outwards * (nearer + rolled)
        steps = torch.arange(SAMPLES, dtype=torch.float64)
        paths = base[open_ones][:, None, None] + drift[..., None] * steps
        inside = [((part > 0) & (part < _FARTHEST)).flatten(1).all(1) for part in (paths.real, paths.imag)]
        kept = inside[0] & inside[1]
        moved[open_ones[kept]] = paths[kept] - paths[kept][..., :1]
        open_ones = open_ones[~kept]
    return torch.stack([-moved.imag, moved.real], dim=-1)

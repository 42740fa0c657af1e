"""How a result is compared with the truth."""

import math

import torch
from torch import Tensor


def psnr(restored: Tensor, sharp: Tensor, border: int = 0) -> float:
    """Peak signal-to-noise ratio in decibels for a peak of 1, values clipped to [0, 1], a border left out."""
    return decibel(_error(restored.clamp(0, 1), sharp, border, 0, 0))


def aligned_error(restored: Tensor, sharp: Tensor, border: int, *, reach: int = 5, quarter: bool = False) -> float:
    """The least mean squared error over shifts of up to ``reach`` pixels.

    A PSF has no place of its own: shifting it shifts the restored image the other way, so published figures on
    Levin's set search the shift. ``quarter`` refines the best whole shift in steps of a quarter pixel with bilinear
    interpolation, as Levin's own evaluation does; without it only whole pixels are tried.
    """
    restored = restored.clamp(0, 1)
    places = [(y, x) for y in range(-reach, reach + 1) for x in range(-reach, reach + 1)]
    best, y0, x0 = min((_error(restored, sharp, border, y, x), y, x) for y, x in places)
    if not quarter:
        return best
    steps = [step / 4 for step in range(-4, 5)]
    return min(_error(restored, sharp, border, y0 + y, x0 + x) for y in steps for x in steps)


def decibel(error: float) -> float:
    """A mean squared error as PSNR for a peak of 1."""
    return -10 * math.log10(max(error, 1e-12))


def _error(restored: Tensor, sharp: Tensor, border: int, y: float, x: float) -> float:
    height, width = sharp.shape[-2:]
    row, column = math.floor(y), math.floor(x)
    down, right = y - row, x - column

    def cut(dy: int, dx: int) -> Tensor:
        top, left = border + row + dy, border + column + dx
        return restored[..., top : top + height - 2 * border, left : left + width - 2 * border]

    moved = cut(0, 0)
    if right:
        moved = torch.lerp(moved, cut(0, 1), right)
    if down:
        below = torch.lerp(cut(1, 0), cut(1, 1), right) if right else cut(1, 0)
        moved = torch.lerp(moved, below, down)
    return float((moved - sharp[..., border : height - border, border : width - border]).square().mean())

"""The part of a very large photograph on which its PSF is estimated."""

import torch
from torch import Tensor

from nightsharp.restore.given import Given

# Side of a part, and the pixels from which a photograph is cut into parts. Only the memory asks for it.
_SIDE, _LARGE = 4096, 16_000_000
# A lamp's slope counts no more than an edge's.
_STEEP = 0.1


def richest_part(given: Given) -> tuple[slice, slice]:
    """The part with the most edges, each counted once; all of a photograph that is not very large.

    Example:
        >>> richest_part(Given(None, torch.zeros(1, 30, 40), None))
        (slice(0, 30, None), slice(0, 40, None))
    """
    height, width = given.size
    if height * width <= _LARGE:
        return slice(0, height), slice(0, width)
    parts = [(rows, columns) for rows in _cut(height) for columns in _cut(width)]
    return max(parts, key=lambda part: _edges(given, *part))


def _cut(length: int) -> list[slice]:
    count = -(-length // _SIDE)
    return [slice(length * n // count, length * (n + 1) // count) for n in range(count)]


def _edges(given: Given, rows: slice, columns: slice) -> float:
    total = 0.0
    for top in range(rows.start, rows.stop, 256):
        light = given.part("display", slice(top, min(top + 256, rows.stop)), columns).mean(1)
        total += sum(_counted(light, axis) for axis in (-1, -2))
    return total


def _counted(light: Tensor, axis: int) -> float:
    return float(torch.diff(light, dim=axis).abs().clamp_max(_STEEP).sum())

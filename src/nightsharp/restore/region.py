"""The part of a very large photograph in which its PSF is sought."""

import torch
from torch import Tensor

from nightsharp.methods.map_psf.trails import Box
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


def part_around(given: Given, box: Box) -> tuple[slice, slice]:
    """The part of a very large photograph with the box in its middle; all of it where the box lies outside.

    Example:
        >>> part_around(Given(None, torch.zeros(1, 30, 40), None), (3, 4, 5, 5))
        (slice(0, 30, None), slice(0, 40, None))
    """
    height, width = given.size
    left, top, across, down = box
    inside = min(left, top) >= 0 and left + across <= width and top + down <= height
    if height * width <= _LARGE or not inside:
        return slice(0, height), slice(0, width)
    return _about(top + down // 2, height), _about(left + across // 2, width)


def _about(middle: int, length: int) -> slice:
    start = min(max(0, middle - _SIDE // 2), max(0, length - _SIDE))
    return slice(start, min(start + _SIDE, length))


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

"""Some rows at a time: the same numbers in the memory of a strip, most of it in the processor's cache."""

from collections.abc import Callable, Iterator

import torch
from torch import Tensor

_VALUES = 12_000_000
_LEAST = 64


def strips(rows: int, values_of_a_row: int, halo: int) -> Iterator[tuple[slice, slice]]:
    """Cut rows into strips.

    Args:
        rows: how many.
        values_of_a_row: that are held at once, batch and channels together.
        halo: rows that a strip needs around it.

    Returns:
        For each strip the rows that it reads and the rows that it answers for.

    Example:
        >>> [(read.start, read.stop, own.start, own.stop) for read, own in strips(150, 120_000, 5)]
        [(0, 80, 0, 75), (70, 150, 75, 150)]
    """
    count = max(1, -(-rows // max(_LEAST, _VALUES // values_of_a_row)))
    height = -(-rows // count)
    for first in range(0, rows, height):
        last = min(first + height, rows)
        yield slice(max(0, first - halo), min(rows, last + halo)), slice(first, last)


def whole() -> bool:
    """Whether an image is taken as a whole: for a gradient, and where an exporter writes down what happens."""
    return torch.is_grad_enabled() or torch.compiler.is_exporting()


def in_strips(
    x: Tensor, function: Callable[[Tensor, slice, slice], Tensor], *, values: int, halo: int, into: Tensor
) -> Tensor:
    """Fill a tensor strip by strip.

    Args:
        x: what is read, ``(batch, channel, height, width)``.
        function: from some rows, which they are, and those of them to answer for, to the answer.
        values: held at once for each pixel of ``x``.
        halo: rows that an answer needs around it.
        into: what is filled; may have a multiple of the rows.
    """
    scale = into.shape[-2] // x.shape[-2]
    for read, own in strips(x.shape[-2], values * x.shape[0] * x.shape[-1], halo):
        into[..., own.start * scale : own.stop * scale, :] = function(x[..., read, :], read, own)
    return into

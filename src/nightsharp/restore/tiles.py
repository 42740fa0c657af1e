"""A large photograph in pieces: tiles that overlap and are blended, so that memory stays bounded."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

WHOLE_UP_TO = 2_000_000
"""Pixels per channel up to which a photograph is restored in one piece."""

CORE = 1024
_RAMP = 48


@dataclass(frozen=True)
class Span:
    """One tile along one axis: what it reads, and how much each pixel of it counts.

    Attributes:
        start: first pixel read.
        stop: one past the last pixel read.
        weight: one value per pixel read; over all spans of an axis the weights sum to 1 at every pixel.
    """

    start: int
    stop: int
    weight: Float[Tensor, " length"]


def spans(length: int, core: int, halo: int, ramp: int = _RAMP) -> list[Span]:
    r"""Cut an axis into overlapping tiles.

    Neighbours meet at a seam :math:`s` and hand over within ``ramp`` pixels about it,

    .. math:: w(p) = \sin^2\!\left( \tfrac\pi2\, \mathrm{clip}_{[0,1]} \frac{p - s + r/2}{r} \right)

    while ``halo`` further pixels are read and given no weight, because there a tile's border shows.

    Args:
        length: pixels of the axis.
        core: pixels between two seams, about.
        halo: pixels read beyond the hand-over.
        ramp: width of the hand-over.

    Example:
        >>> [(span.start, span.stop) for span in spans(100, core=50, halo=4, ramp=8)]
        [(0, 58), (42, 100)]
    """
    count = max(1, round(length / max(core, 2 * ramp)))
    seams = [round(length * n / count) for n in range(count + 1)]
    place = torch.arange(length) + 0.5

    def risen(seam: int) -> Tensor:
        return torch.sin(((place - seam + ramp / 2) / ramp).clamp(0, 1) * (torch.pi / 2)) ** 2

    found = []
    for number in range(count):
        start = 0 if number == 0 else max(0, seams[number] - ramp // 2 - halo)
        stop = length if number == count - 1 else min(length, seams[number + 1] + ramp // 2 + halo)
        rise = torch.ones(length) if number == 0 else risen(seams[number])
        fall = torch.zeros(length) if number == count - 1 else risen(seams[number + 1])
        found.append(Span(start, stop, (rise - fall)[start:stop]))
    return found


def _grid(height: int, width: int, halo: tuple[int, int], core: int) -> Iterator[tuple[Span, Span]]:
    columns = spans(width, core, halo[1])
    for row in spans(height, core, halo[0]):
        for column in columns:
            yield row, column


def in_tiles(
    image: Float[Tensor, "batch channel height width"],
    restore: Callable[[Tensor], Tensor],
    *,
    halo: tuple[int, int],
    core: int = CORE,
    step: Callable[[int, int], None] | None = None,
) -> Float[Tensor, "batch channel height width"]:
    """Run ``restore`` over overlapping tiles and blend what comes back.

    Args:
        image: any range.
        restore: image to image of the same size; it must not compute statistics that differ from tile to tile.
        halo: rows and columns that a tile needs around it: the PSF's reach plus a margin.
        core: side of a tile without its overlap, pixels.
        step: called before each tile with (its number from 0, how many).

    Returns:
        The restored image, same shape.

    Example:
        >>> image = torch.rand(1, 3, 200, 300)
        >>> torch.allclose(in_tiles(image, lambda tile: 2 * tile, halo=(8, 8), core=100), 2 * image, atol=1e-5)
        True
    """
    whole = torch.zeros_like(image)
    tiles = list(_grid(image.shape[-2], image.shape[-1], halo, core))
    for number, (row, column) in enumerate(tiles):
        if step is not None:
            step(number, len(tiles))
        here = (..., slice(row.start, row.stop), slice(column.start, column.stop))
        weight = (row.weight[:, None] * column.weight[None, :]).to(image)
        whole[here] += restore(image[here].contiguous()) * weight
    return whole

"""A large photograph in pieces: tiles that overlap and are blended, so that memory stays bounded."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from threading import Event

import torch
from jaxtyping import Float
from torch import Tensor

WHOLE_UP_TO = 1_000_000
"""Pixels per channel up to which a photograph is restored in one piece."""

CORE = 1024
_RAMP = 48


@dataclass(frozen=True)
class Place:
    """Where a tile lies: its number from 0, how many there are, the rows and columns it reads, and whether to stop."""

    number: int
    count: int
    rows: slice
    columns: slice
    stopping: Event


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
    restore: Callable[[Tensor, Place], Tensor],
    *,
    halo: tuple[int, int],
    core: int = CORE,
) -> Float[Tensor, "batch channel height width"]:
    """Run ``restore`` over overlapping tiles, as many at once as torch has threads, and blend what comes back.

    One thread a tile is quicker than all threads on one: the arrays stay in the cache, and nobody waits at a barrier.

    Args:
        image: any range.
        restore: from a tile and its place in the image to a tile of the same size; called in threads of its own. It
            must not compute statistics that differ from tile to tile.
        halo: rows and columns that a tile needs around it: the PSF's reach plus a margin.
        core: side of a tile without its overlap, pixels.

    Returns:
        The restored image, same shape.

    Example:
        >>> image = torch.rand(1, 3, 200, 300)
        >>> doubled = in_tiles(image, lambda tile, place: 2 * tile, halo=(8, 8), core=100)
        >>> torch.allclose(doubled, 2 * image, atol=1e-5)
        True
    """
    whole = torch.zeros_like(image)
    tiles = list(_grid(image.shape[-2], image.shape[-1], halo, core))
    threads, stopping = torch.get_num_threads(), Event()

    def run(number: int) -> Tensor:
        row, column = tiles[number]
        here = slice(row.start, row.stop), slice(column.start, column.stop)
        tile = restore(image[(..., *here)].contiguous(), Place(number, len(tiles), *here, stopping))
        return tile * (row.weight[:, None] * column.weight[None, :]).to(image)

    with ThreadPoolExecutor(threads, initializer=torch.set_num_threads, initargs=(1,)) as pool:
        waiting = [pool.submit(run, number) for number in range(len(tiles))]
        try:
            # added up in order, so that the sum does not depend on who finished first
            for number, (row, column) in enumerate(tiles):
                whole[..., row.start : row.stop, column.start : column.stop] += waiting[number].result()
                waiting[number] = Future()
        except BaseException:
            stopping.set()
            pool.shutdown(wait=False, cancel_futures=True)
            raise
        finally:
            torch.set_num_threads(threads)
    return whole

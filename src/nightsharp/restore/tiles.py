"""A large photograph in pieces: tiles that overlap and are blended, so that memory stays bounded."""

from collections import deque
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import Event

import torch
from jaxtyping import Float
from torch import Tensor

CORE = 1024
RAMP = 48
GRAIN = 8
"""Tiles begin at multiples of this, as far as their halo is one."""


@dataclass(frozen=True)
class Place:
    """Where a tile lies.

    Attributes:
        number: from 0.
        count: how many tiles there are.
        size: height and width of the whole.
        rows: what it reads.
        columns: what it reads.
        stopping: whether to stop.
    """

    number: int
    count: int
    size: tuple[int, int]
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

    @property
    def kept(self) -> slice:
        """The pixels read that count at all."""
        counting = torch.nonzero(self.weight).flatten()
        return slice(int(counting[0]), int(counting[-1]) + 1)


def spans(length: int, core: int, halo: int, ramp: int = RAMP) -> list[Span]:
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
        [(0, 56), (40, 100)]
    """
    count = max(1, round(length / max(core, 2 * ramp)))
    seams = [*(GRAIN * round(length * n / count / GRAIN) for n in range(count)), length]
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


def grid(size: tuple[int, int], core: int, halo: tuple[int, int]) -> tuple[list[Span], list[Span]]:
    """The rows and columns of tiles of an image of (height, width).

    Example:
        >>> rows, columns = grid((300, 600), core=300, halo=(8, 8))
        >>> len(rows), len(columns)
        (1, 2)
    """
    return spans(size[0], core, halo[0]), spans(size[1], core, halo[1])


def in_tiles(
    size: tuple[int, int],
    restore: Callable[[Place], Tensor],
    *,
    halo: tuple[int, int],
    core: int = CORE,
    parallel: int = 1,
) -> Generator[tuple[slice, Float[Tensor, "batch channel rows width"]]]:
    """Run ``restore`` over overlapping tiles, several at once, blend what comes back, and hand out finished rows.

    One thread a tile is quicker than all threads on one, because nobody waits at a barrier; a single tile gets them
    all.
    Only the rows that still wait for a neighbour are held, so that memory does not grow with the image.

    Args:
        size: height and width of the image.
        restore: from a tile's place in the image to a tile of that size; called in threads of its own. It must not
            compute statistics that differ from tile to tile.
        halo: rows and columns that a tile needs around it.
        core: side of a tile without its overlap, pixels.
        parallel: tiles at once.

    Yields:
        Rows from top to bottom, each once, and their values.

    Example:
        >>> image = torch.rand(1, 3, 200, 300)
        >>> doubled = in_tiles((200, 300), lambda p: 2 * image[..., p.rows, p.columns], halo=(8, 8), core=100)
        >>> torch.allclose(torch.cat([band for _, band in doubled], dim=-2), 2 * image, atol=1e-5)
        True
    """
    down, across = grid(size, core, halo)
    count = len(down) * len(across)
    threads, stopping = torch.get_num_threads(), Event()
    if count == 1:
        yield slice(0, size[0]), restore(Place(0, 1, size, slice(0, size[0]), slice(0, size[1]), stopping))
        return

    def run(number: int) -> Tensor:
        row, column = down[number // len(across)], across[number % len(across)]
        here = slice(row.start, row.stop), slice(column.start, column.stop)
        tile = restore(Place(number, count, size, *here, stopping))[..., row.kept, column.kept]
        return tile * (row.weight[row.kept, None] * column.weight[None, column.kept]).to(tile)

    with ThreadPoolExecutor(parallel, initializer=torch.set_num_threads, initargs=(1,)) as pool:
        # a few tiles ahead of the one that is waited for, and no more: finished ones wait in memory
        waiting = deque(pool.submit(run, number) for number in range(min(count, parallel + 1)))
        band, top, number = None, 0, 0
        try:
            for below, row in zip([*down[1:], None], down, strict=True):
                for column in across:
                    # added up in order, so that the sum does not depend on who finished first
                    tile = waiting.popleft().result()
                    if number + parallel + 1 < count:
                        waiting.append(pool.submit(run, number + parallel + 1))
                    number += 1
                    start = row.start + row.kept.start
                    band = _reaching(band, tile, row.start + row.kept.stop - top, size[1])
                    rows = slice(start - top, start - top + tile.shape[-2])
                    left = column.start + column.kept.start
                    band[..., rows, left : left + tile.shape[-1]] += tile
                    del tile
                assert band is not None
                done = size[0] if below is None else below.start + below.kept.start
                finished, band = band[..., : done - top, :], band[..., done - top :, :].clone()
                yield slice(top, done), finished
                top = done
        except BaseException:
            stopping.set()
            pool.shutdown(wait=False, cancel_futures=True)
            raise
        finally:
            torch.set_num_threads(threads)


def _reaching(band: Tensor | None, tile: Tensor, rows: int, width: int) -> Tensor:
    """The band with room for ``rows`` rows."""
    if band is None:
        return tile.new_zeros(*tile.shape[:2], rows, width)
    if band.shape[-2] < rows:
        return torch.nn.functional.pad(band, (0, 0, 0, rows - band.shape[-2]))
    return band

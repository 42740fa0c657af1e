"""What a restoration will take, told before it runs: tiles, seconds, memory."""

import heapq
import itertools
import math
from dataclasses import dataclass
from typing import Any

from nightsharp.errors import LimitError
from nightsharp.methods import MethodSpec
from nightsharp.optics.fourier import fast_size
from nightsharp.restore.cost import Cost
from nightsharp.restore.memory import say_bytes
from nightsharp.restore.rim import RIM
from nightsharp.restore.tiles import CORE, GRAIN, RAMP, Span, grid

WHOLE_UP_TO = 1_000_000
"""Pixels per channel up to which a photograph is restored in one piece."""

# Sides of a tile without its overlap, the wanted first; smaller ones read more overlap.
_CORES = (CORE, 768, 512, 384, 256, 128)
# Pixels that every tile reads beyond what its method needs of the PSF, and the most it reads.
_MARGIN, _MOST_HALO = 32, 384
_FLOAT = 4
# Values per pixel and channel that the guard holds.
_GUARD = 20
# Threads keep freed memory apart from each other.
_SLACK = 1.2


@dataclass(frozen=True)
class Work:
    """What is to be done.

    Attributes:
        size: height and width of the photograph.
        channels: 1 or 3.
        method: what restores.
        psf: height and width of the PSF, known or assumed.
        held: bytes that the process holds before it begins, the photograph among them.
        result: bytes per value of the result.
        writing: bytes per pixel that writing the file takes besides the result; 0 where none is written.
        threads: tiles that may run at once.
        guard: whether the result is judged.
    """

    size: tuple[int, int]
    channels: int
    method: MethodSpec
    psf: tuple[int, int]
    held: int
    result: int
    writing: int
    threads: int
    guard: bool = True


@dataclass(frozen=True)
class Plan:
    """How a photograph is cut, and what that will take.

    Attributes:
        core: side of a tile without its overlap, pixels.
        halo: rows and columns that a tile reads around it.
        tiles: how many there are; 1 is the photograph in one piece.
        parallel: tiles at once.
        memory: bytes that the process will hold at its peak.
        budget: bytes that it may hold.
        seconds: time the restoration will take; None where the method was not timed on this machine.
        search: what has to be found first; sizes were assumed, and its time is not counted in ``seconds``.
        search_seconds: from which to which the search is likely to take; None where that was not measured.
    """

    core: int
    halo: tuple[int, int]
    tiles: int
    parallel: int
    memory: int
    budget: int
    seconds: float | None
    search: str | None = None
    search_seconds: tuple[float, float] | None = None

    def words(self) -> str:
        """The plan in one line.

        Example:
            >>> Plan(1024, (80, 80), 12, 2, 1_300_000_000, 8_000_000_000, 41.2).words()
            'plan: 12 tiles of 1024 px, 2 at once; about 41 s and 1.3 GB'
        """
        how = "in one piece" if self.tiles == 1 else f"{self.tiles} tiles of {self.core} px, {self.parallel} at once"
        takes = say_bytes(self.memory)
        if self.seconds is not None:
            takes = f"{say_seconds(self.seconds)} and {takes}"
        if self.search is None:
            return f"plan: {how}; about {takes}"
        likely = ""
        if self.search_seconds is not None:
            likely = ", {} to {}".format(*map(say_seconds, self.search_seconds))
        return f"plan: {how}; about {takes}, and {self.search}{likely}"

    def describe(self) -> dict[str, Any]:
        """The plan for machines."""
        return {
            "tiles": self.tiles,
            "core": self.core,
            "halo": list(self.halo),
            "parallel": self.parallel,
            "max_memory_bytes": self.budget,
            "expected": {
                "seconds": None if self.seconds is None else round(self.seconds, 2),
                "peak_memory_bytes": self.memory,
                "search_seconds": None if self.search_seconds is None else [round(s, 1) for s in self.search_seconds],
            },
        }


def make_plan(work: Work, *, budget: int, cost: Cost | None, core: int | None = None) -> Plan:
    """Cut a photograph so that the work stays within a memory budget and takes as little time as it can.

    The cut depends on the budget, not on how fast the machine is, so that the same command gives the same picture.

    Args:
        work: what is to be done.
        budget: bytes that the process may hold at its peak.
        cost: what the method takes here; None leaves the time open.
        core: the side of a tile that must be taken, as another run had it.

    Raises:
        LimitError: the budget is too small; the message says the least that would do.

    Example:
        >>> from nightsharp.methods import get_method
        >>> work = Work((3000, 4000), 3, get_method("wiener"), (15, 15), 500_000_000, 2, 7, threads=2)
        >>> plan = make_plan(work, budget=8_000_000_000, cost=None)
        >>> plan.core, plan.parallel, plan.tiles
        (1024, 2, 12)
        >>> make_plan(work, budget=100_000_000, cost=None)
        Traceback (most recent call last):
        nightsharp.errors.LimitError: this photo (4000 x 3000) cannot be restored within 0.1 GB; ...
    """
    cores = (core,) if core is not None else _cores(work)
    ways = [
        (_area(work, side) / parallel, _memory(work, side, parallel), side, parallel)
        for side, parallel in itertools.product(cores, range(work.threads, 0, -1))
    ]
    fitting = [way for way in ways if way[1] <= budget]
    if not fitting:
        height, width = work.size
        least = say_bytes(1.02 * min(way[1] for way in ways))
        raise LimitError(
            f"this photo ({width} x {height}) cannot be restored within {say_bytes(budget)}; the least that would do "
            f"is about {least}. Allow more memory (--max-memory {least.replace(' ', '')}), close other programs, or "
            "give a smaller photo."
        )
    _, memory, side, parallel = min(fitting, key=lambda way: way[0])
    rows, columns = grid(work.size, side, halo_of(work))
    tiles = len(rows) * len(columns)
    parallel = min(parallel, tiles)
    seconds = None if cost is None else _time(work, side, parallel, cost)
    return Plan(side, halo_of(work), tiles, parallel, memory, budget, seconds)


def halo_of(work: Work) -> tuple[int, int]:
    """Rows and columns that a tile reads around it: the PSF's reach times what the method's ringing needs."""
    reach = min(_MOST_HALO, round(work.method.halo * max(work.psf)) + max(_MARGIN, work.method.reach))
    # tiles that begin at multiples of 8 are halved by a network as the whole is
    reach += -reach % GRAIN
    return reach, reach


def _cores(work: Work) -> tuple[int, ...]:
    height, width = work.size
    whole = (max(height, width),) if height * width <= WHOLE_UP_TO else ()
    return (*whole, *(side for side in _CORES if side < max(height, width)))[: len(_CORES)]


def _canvases(work: Work, core: int) -> list[int]:
    """Pixels of each tile's canvas, in order."""
    down, across = grid(work.size, core, halo_of(work))

    def length(span: Span, most: int, reach: int) -> int:
        rims = (span.start == 0) + (span.stop == most)
        return span.stop - span.start + rims * RIM + reach + 1

    rows = [length(span, work.size[0], work.psf[0]) for span in down]
    columns = [length(span, work.size[1], work.psf[1]) for span in across]
    return [math.prod(fast_size(row, column)) for row in rows for column in columns]


def _area(work: Work, core: int) -> int:
    return sum(_canvases(work, core))


def _memory(work: Work, core: int, parallel: int) -> int:
    """Bytes at the peak: what is held, the result, the rows that wait, the tiles at work; or the writing, if more."""
    height, width = work.size
    canvases = _canvases(work, core)
    parallel = min(parallel, len(canvases))
    at_once = 1 if work.method.apart else work.channels
    largest = max(canvases) * _FLOAT
    # the guard comes after the method, but sees all channels at once
    busiest = max(work.method.floats * at_once, work.guard * _GUARD * work.channels)
    tile = largest * (busiest + 3 * work.channels)
    rows = height if len(canvases) == 1 else min(height, core + 2 * RAMP)
    waiting = rows * width * work.channels * (3 * _FLOAT)
    result = height * width * work.channels * work.result
    working = waiting + _SLACK * parallel * tile
    return int(work.held + result + max(working, height * width * work.writing))


def _time(work: Work, core: int, parallel: int, cost: Cost) -> float:
    """Seconds until the last tile is done, each begun as soon as a thread is free."""
    canvases = _canvases(work, core)
    each = (cost.whole if len(canvases) == 1 else cost.tile) + cost.around + work.guard * cost.guard
    ends = [0.0] * parallel
    for canvas in canvases:
        heapq.heapreplace(ends, ends[0] + canvas * work.channels * each)
    return max(ends)


def say_seconds(seconds: float) -> str:
    """Seconds for people.

    Example:
        >>> say_seconds(3.14), say_seconds(75)
        ('3.1 s', '1 min 15 s')
    """
    if seconds < 10:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"

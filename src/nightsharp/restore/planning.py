"""The plan for a photograph, its PSF known or still to be found."""

import math
import time
from dataclasses import replace
from typing import Literal

import torch

from nightsharp.errors import LimitError
from nightsharp.methods import MethodSpec
from nightsharp.methods.map_psf.effort import search_seconds
from nightsharp.methods.map_psf.trails import Box
from nightsharp.restore.cost import known_cost, measured_cost, timing_memory
from nightsharp.restore.function import usable_methods
from nightsharp.restore.given import Given
from nightsharp.restore.memory import free_memory, held_memory, release_memory, say_bytes
from nightsharp.restore.plan import Plan, Work, make_plan
from nightsharp.restore.result import Result
from nightsharp.restore.varying import window_grid

# What is assumed of a PSF that has to be estimated first.
_LIKELY_PSF = 31
# What each way to the PSF is called in a plan.
_SEARCHES = {
    "whole": "the search for the PSF",
    "streak": "the search for a lamp's trail",
    "varying": "the search for PSFs all over the photo",
}
# Of a larger photograph only a part is searched for its one PSF.
_MOST_SEARCHED = 4096**2
# Side of the smallest tile where the blur varies.
_LEAST_CORE = 96
# Pixels from which a method's speed is worth measuring.
_WORTH_TIMING = 500_000
# Bytes per pixel that writing takes besides the result: the integers of the file, the encoder's copy, the file itself.
_WRITING = 9


class Clock:
    """Seconds since the start, and for each part of the work."""

    def __init__(self, started: float) -> None:
        self._last = self._started = started
        self.seconds: dict[str, float] = {}
        self.mark("read")

    def mark(self, name: str) -> None:
        """End a part, or another stretch of one."""
        now = time.perf_counter()
        self.seconds[name] = self.seconds.get(name, 0.0) + now - self._last
        self._last = now

    def spent(self) -> float:
        """Seconds since the start."""
        return time.perf_counter() - self._started


def plan_for(
    given: Given,
    method: MethodSpec,
    psf_size: tuple[int, int],
    max_memory: int | None,
    clock: Clock,
    *,
    guard: bool = True,
    core: int | None = None,
    timed: bool = False,
) -> Plan:
    """The plan with a PSF of this size.

    ``timed`` where nothing will be restored now, so that timing the method is no part of the work.
    """
    height, width = given.size
    threads = torch.get_num_threads()
    # nor is it measured where the measurement would take the memory that the work may not
    room = max_memory is None or max_memory > held_memory() + timing_memory(method, threads)
    # nor for weights of one's own, which may be of any size
    times = room and (timed or height * width >= _WORTH_TIMING) and method in usable_methods()
    began = time.perf_counter()
    cost = measured_cost(method, threads) if times else known_cost(method, threads)
    timing = time.perf_counter() - began if timed else 0.0
    release_memory()
    held = held_memory()
    work = Work(
        size=given.size,
        channels=given.channels,
        method=method,
        psf=psf_size,
        held=held,
        result=Result.bytes_per_value(given),
        writing=0 if given.photo is None else _WRITING,
        threads=threads,
        guard=guard,
    )
    plan = make_plan(work, budget=max_memory or held + free_memory() // 2, cost=cost, core=core)
    if plan.seconds is None:
        return plan
    # writing takes about as long as reading did
    return replace(plan, seconds=plan.seconds + clock.spent() - timing + clock.seconds["read"])


def likely_plan(
    given: Given,
    method: MethodSpec,
    psf_size: int | None,
    max_memory: int | None,
    clock: Clock,
    *,
    streak: Literal["auto"] | Box | None,
    varying: bool,
    guard: bool,
    timed: bool = False,
) -> Plan:
    """The plan where the PSF has to be found first: with one of a usual size, and what the search holds."""
    psf = _likely_psf(given, psf_size)
    grid = window_grid(*given.size, psf[0]) if varying else (1, 1)
    core = None if grid == (1, 1) else core_of(given, grid)
    plan = plan_for(given, method, psf, max_memory, clock, guard=guard, core=core, timed=timed)
    way = "streak" if streak is not None else "varying" if varying else "whole"
    pixels = math.prod(given.size) if way == "varying" else min(math.prod(given.size), _MOST_SEARCHED)
    searching = held_memory() + _search_memory(pixels, streak=streak is not None)
    if max_memory is not None and searching > max_memory:
        least = say_bytes(1.02 * searching)
        raise LimitError(
            f"{_SEARCHES[way]} in this photo takes about {least}, not {say_bytes(max_memory)}. Allow more memory "
            f"(--max-memory {least.replace(' ', '')}), or give a PSF that is known."
        )
    likely = search_seconds(*given.size, psf_size) if way == "whole" else None
    return replace(plan, memory=max(plan.memory, searching), search=_SEARCHES[way], search_seconds=likely)


def core_of(given: Given, grid: tuple[int, int]) -> int:
    """Side of a tile: half a window, so that the PSF changes little from tile to tile."""
    return max(_LEAST_CORE, min(length // (2 * n) for length, n in zip(given.size, grid, strict=True)))


def _likely_psf(given: Given, size: int | None) -> tuple[int, int]:
    side = min(size or _LIKELY_PSF, *given.size)
    return side, side


def _search_memory(pixels: int, *, streak: bool) -> int:
    """Bytes that the way to the PSF holds: measured on 0.2 to 16 megapixels in colour, one thread."""
    return 90 * pixels if streak else min(470 * pixels, 250_000_000 + 45 * pixels)

"""Several ways to the PSF at once: they start differently, and the sparsest sharp image wins."""

import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cached_property

import torch
from torch import Tensor

from nightsharp.methods.map_psf.confidence import similarity, sparsity
from nightsharp.methods.map_psf.light_streak import EXPLAINS, explains
from nightsharp.methods.map_psf.observation import Canvas, Observation
from nightsharp.methods.map_psf.pyramid import (
    FIRM,
    GENTLE,
    Fit,
    Prior,
    alternations,
    coarse_to_fine,
    finished,
    finishes,
    polished,
    polishes,
)

# A wider window wins when its gain is higher by this part. A window that is too small loses 10 to 20 %; one that is
# too large may reach 5 % more with a PSF that doubles the picture.
_WIDER = 0.06
# Another start must do better by so much. The gentle prior may do worse by so much: 16 of Levin's images with either
# prior, mean 34.59 dB with the gentle one and 34.40 with the firm one, at gains that differ by less than 1 %.
_OTHERWISE, _GENTLE = 0.005, -0.01
# From this similarity on two PSFs are the same found twice. On Levin's set the right ones agreed by 0.85 to 0.97, five
# wrong ones with higher gains by 0.50 to 0.83.
AGREED = 0.8
# A small bright thing may be a lamp or just a bright thing.
_STREAK = 0.03
# So many lamps of one shape are a witness of their own: they are heard even where two ways agree. Two ways agreed on a
# point with specks in photographs where 15 and 18 lamps had drawn a path of 35 and 60 pixels.
_WITNESSES = 4
# Asked once more by more edges, PSFs that came nearer to the true ones lost up to 6 % of their gain; two trails of
# lamps that were led astray lost 9 and 12 %.
_ASTRAY = 0.92
STREAK = "light streak"
CONVINCING = 1.10
"""Gain of a PSF that plainly sharpens."""


@dataclass(frozen=True)
class Hypothesis:
    """One PSF that may be right.

    Attributes:
        origin: how it came about, in words.
        size: side of its window.
        fit: the PSF and the sharp image that go together.
        point: the sparsity of the sharp image under a point.
    """

    origin: str
    size: int
    fit: Fit
    point: float

    @cached_property
    def gain(self) -> float:
        """Sparsity under a point over sparsity under this PSF; above 1, the PSF sharpens."""
        return self.gain_under(self.fit.kernel)

    def gain_under(self, kernel: Tensor) -> float:
        """The same under another PSF, as with the one this one was made of."""
        return self.point / max(sparsity(self.fit.canvas, kernel, self.fit.noise), 1e-6)


@dataclass(frozen=True)
class Start:
    """A PSF that is known roughly.

    Attributes:
        kernel: in a window with some room.
        lamps: how many lamps of the photograph drew it.
        trail: as they drew it, no narrower than a lamp; None where none did.
    """

    kernel: Tensor
    lamps: int = 0
    trail: Tensor | None = None

    def backs(self, kernel: Tensor) -> float:
        """How well many lamps bear a kernel witness, in [0, 1]; 0 where they are few."""
        return 0.0 if self.trail is None or self.lamps < _WITNESSES else explains(kernel, self.trail)


class Race:
    """Hypotheses about one observation, two at a time.

    Args:
        seen: the observation, scaled to a contrast of about 0.2.
        noise: standard deviation of its noise.
        tick: called before each alternation, from several threads; may raise to stop.
    """

    def __init__(self, seen: Observation, noise: float, tick: Callable[[], None]) -> None:
        self.seen, self.noise, self.tick = seen, noise, tick
        self.hypotheses: list[Hypothesis] = []

    def elsewhere(self, seen: Observation) -> "Race":
        """Another race, about the same photograph seen otherwise."""
        return Race(seen, self.noise, self.tick)

    def judged(self, way: Hypothesis) -> Hypothesis:
        """What was found in another race, with its gain in this one."""
        canvas = Canvas.around(self.seen, way.fit.kernel.shape[0] - 1)
        return replace(way, fit=replace(way.fit, canvas=canvas), point=self._point)

    def climb(self, *starts: tuple[int, Prior, bool]) -> list[Hypothesis]:
        """Go coarse to fine with these windows, priors and (True) upright starts."""

        def run(start: tuple[int, Prior, bool]) -> tuple[str, int, Fit]:
            size, prior, upright = start
            origin = f"{prior.name} prior, {'upright' if upright else 'level'} start"
            return origin, size, coarse_to_fine(self.seen, size, prior, self.noise, self.tick, upright=upright)

        return self._together(run, starts)

    def polish(self, starts: Iterable[Start], origin: str = STREAK) -> list[Hypothesis]:
        """Take up PSFs that are known roughly, as from the trails of lamps."""

        def run(start: Start) -> tuple[str, int, Fit]:
            kernel = start.kernel
            return origin, kernel.shape[0], polished(self.seen, kernel, FIRM, self.noise, self.tick)

        return self._together(run, starts)

    def finish(self, way: Hypothesis) -> Hypothesis:
        """The one that is taken, asked once more by more edges; as it was where they lead away from what sharpens."""
        done = replace(way, fit=finished(way.fit, self.tick))
        return done if done.gain >= _ASTRAY * way.gain else way

    def refine(self, kernel: Tensor) -> Hypothesis:
        """A PSF that is known roughly, fitted and finished."""
        [found] = self.polish([Start(kernel)])
        return self.finish(found)

    def best_size(self, sizes: list[int]) -> Hypothesis:
        """The smallest window that does about as well as the best."""
        best, *others = self.climb(*((size, FIRM, False) for size in sizes[:2]))
        for found in others:
            best = self._wider(found, best)
        for size in sizes[2:]:
            # nothing gained by more room: no need to look at still wider windows
            if best.gain > CONVINCING and best is not self.hypotheses[-1]:
                break
            best = self._wider(self.climb((size, FIRM, False))[0], best)
        return best

    @staticmethod
    def _wider(found: Hypothesis, best: Hypothesis) -> Hypothesis:
        return found if found.gain > (1 + _WIDER) * best.gain else best

    def best_way(self, first: Hypothesis, starts: Sequence[Start]) -> tuple[Hypothesis, float]:
        """The best of all starts with the window of the first, and how far another way led to the same PSF.

        Two that agree are taken before one that sharpens more: a wrong PSF may sharpen more than the right one, but two
        ways seldom lead to the same wrong PSF. Only where no two agree, every start is asked and the gain decides. Many
        lamps that drew the same are asked always: both ways know the edges alone, and go wrong together where the
        path is long and the edges are few.
        """
        gentle, upright = self.climb((first.size, GENTLE, False), (first.size, FIRM, True))
        pairs = [(first, gentle), (upright, gentle), (first, upright)]
        alike = [similarity(one.fit.kernel, other.fit.kernel) for one, other in pairs]
        agreed = max(alike) > AGREED
        rivals: list[tuple[Hypothesis, float]] = []
        if max(alike[:2]) > AGREED:
            firm = pairs[0 if alike[0] >= alike[1] else 1][0]
            best = gentle if gentle.gain > (1 + _GENTLE) * firm.gain else firm
        elif alike[2] > AGREED:
            best = upright if upright.gain > (1 + _OTHERWISE) * first.gain else first
        else:
            best, rivals = first, [(upright, _OTHERWISE), (gentle, _OTHERWISE)]
        asked = [start for start in starts if start.lamps >= _WITNESSES] if agreed else starts
        for found, start in zip(self.polish(asked), asked, strict=True):
            # what the edges made of a trail must still be that trail if it is to stand against two ways that agree
            if not agreed or start.backs(found.fit.kernel) >= EXPLAINS:
                rivals.append((found, _STREAK))
        for found, more in rivals:
            if found.gain > (1 + more) * best.gain:
                best = found
        same_size = [way for way in self.hypotheses if way is not best and way.size >= first.size]
        agreement = max(similarity(best.fit.kernel, way.fit.kernel) for way in same_size)
        return best, max([agreement, *(start.backs(best.fit.kernel) for start in starts)])

    def _together(self, run: Callable[..., tuple[str, int, Fit]], starts: Iterable) -> list[Hypothesis]:
        threads = torch.get_num_threads()
        with ThreadPoolExecutor(max(1, threads), initializer=torch.set_num_threads, initargs=(1,)) as pool:
            try:
                found = [Hypothesis(*result, self._point) for result in pool.map(run, starts)]
            finally:
                torch.set_num_threads(threads)
        self.hypotheses += found
        return found

    @cached_property
    def _point(self) -> float:
        return sparsity(Canvas.around(self.seen, 32), torch.ones(1, 1), self.noise)


def most_alternations(sizes: list[int], kernels: int) -> int:
    """How many alternations a race takes at most."""
    return sum(map(alternations, sizes)) + 2 * alternations(sizes[-1]) + (kernels + 1) * polishes() + finishes()


class Counter:
    """Counts alternations over threads, and passes one stop on to all of them."""

    def __init__(self, advance: Callable[[int], None]) -> None:
        self._advance, self._lock, self._done = advance, threading.Lock(), 0
        self._stopped: BaseException | None = None

    def __call__(self) -> None:
        """Count one alternation."""
        with self._lock:
            if self._stopped is not None:
                raise self._stopped
            self._done += 1
            try:
                self._advance(self._done)
            except BaseException as stop:
                self._stopped = stop
                raise

"""Several ways to the PSF at once: they start differently, and the sparsest sharp image wins."""

import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from nightsharp.methods.map_psf.confidence import Print, look_of_print, similarity, sparsity
from nightsharp.methods.map_psf.light_streak import EXPLAINS, explains
from nightsharp.methods.map_psf.observation import Canvas, Observation
from nightsharp.methods.map_psf.pyramid import (
    FIRM,
    GENTLE,
    PRINT,
    Fit,
    Prior,
    alternations,
    coarse_to_fine,
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
STREAK = "light streak"
# What two tones explain of a page's variance: 40 rendered pages under the right PSF 0.75 to 0.93, photographs 0.42 to
# 0.80 and one in ten up to 0.9. Where two windows or starts agree on the PSF, less is enough.
_PAGE, _PAGE_TWICE, _PAGE_AGREED = 0.82, 0.75, 0.95
# How often two neighbouring pixels are of two tones: those pages 0.030 to 0.13; of 200 photographs half below 0.017,
# and of those with two tones all but one in eight below 0.03. Signs of few large letters (0.020 to 0.022) have to be of
# two tones all the more. Where two ways agree already, it is asked only what looks like letters even under their PSF.
_STROKES, _FEW_STROKES, _SIGN, _STROKES_AGREED = 0.028, 0.015, 0.88, 0.022
# A page must sharpen more by so much than what it is to replace, and by so much at all: 31 of 32 pages reached 1.15 to
# 1.54, a fir with lights that was none 1.12. From the last on it is better whatever it reaches: slight
# blurs gain little.
_PRINTED, _PAGE_GAIN, _FAR_BETTER = 0.02, 1.14, 0.10
# Windows with which pages are read.
_PAGE_SIZES = 3
# Below this gain, what two ways agreed on may still be wrong: five pages of 30 were, and no page above it.
HARDLY = 1.12
# Gain of a PSF that plainly sharpens.
_CONVINCING = 1.10


@dataclass(frozen=True)
class Hypothesis:
    """One PSF that may be right.

    Attributes:
        origin: how it came about, in words.
        size: side of its window.
        prior: what kind of sharp image was expected.
        fit: the PSF and the sharp image that go together.
        point: the sparsity of the sharp image under a point.
    """

    origin: str
    size: int
    prior: Prior
    fit: Fit
    point: float

    @cached_property
    def gain(self) -> float:
        """Sparsity under a point over sparsity under this PSF; above 1, the PSF sharpens."""
        return self.point / max(sparsity(self.fit.canvas, self.fit.kernel, self.fit.noise), 1e-6)


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

    def climb(self, *starts: tuple[int, Prior, bool]) -> list[Hypothesis]:
        """Go coarse to fine with these windows, priors and (True) upright starts."""

        def run(start: tuple[int, Prior, bool]) -> tuple[str, int, Prior, Fit]:
            size, prior, upright = start
            origin = f"{prior.name} prior, {'upright' if upright else 'level'} start"
            return origin, size, prior, coarse_to_fine(self.seen, size, prior, self.noise, self.tick, upright=upright)

        return self._together(run, starts)

    def polish(self, starts: Iterable[Start]) -> list[Hypothesis]:
        """Take up PSFs that are known roughly, as from the trails of lamps."""

        def run(start: Start) -> tuple[str, int, Prior, Fit]:
            kernel = start.kernel
            return STREAK, kernel.shape[0], FIRM, polished(self.seen, kernel, FIRM, self.noise, self.tick)

        return self._together(run, starts)

    def best_size(self, sizes: list[int]) -> Hypothesis:
        """The smallest window that does about as well as the best."""
        best, *others = self.climb(*((size, FIRM, False) for size in sizes[:2]))
        for found in others:
            best = self._wider(found, best)
        for size in sizes[2:]:
            # nothing gained by more room: no need to look at still wider windows
            if best.gain > _CONVINCING and best is not self.hypotheses[-1]:
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

    def best_page(self, sizes: Sequence[int], best: Hypothesis, agreement: float) -> tuple[Hypothesis, float]:
        """Read the photograph as a page of print, where the other ways led nowhere.

        One window and start in two or three leads to a page's PSF, and chance decides which; so they are tried in
        turns until two agree.

        Args:
            sizes: the windows that there is room for.
            best: what the page has to beat.
            agreement: how far another way led to it.

        Returns:
            The PSF under which the photograph is a page, and how far another way led to it; else the best, and a page
            that led to it as well counts as another way. Two tones and many strokes make a page: what is none may
            sharpen more under a wrong PSF that this prior led to than under the right one.
        """
        if self._print(best).strokes < (_FEW_STROKES if agreement < AGREED else _STROKES_AGREED):
            return best, agreement
        pages: list[Hypothesis] = []
        page, seen, twice = best, Print(0.0, 0.0), False
        for starts in _page_starts(sizes):
            pages += self.climb(*starts)
            page = max(pages, key=lambda way: way.gain)
            alike = max(similarity(page.fit.kernel, way.fit.kernel) for way in pages if way is not page)
            seen = self._print(page)
            twice = alike > _PAGE_AGREED
            if twice and _is_page(seen, twice=True):
                break
        if not _is_page(seen, twice=twice):
            return best, agreement
        if page.gain > min(max(_PAGE_GAIN, (1 + _PRINTED) * best.gain), (1 + _FAR_BETTER) * best.gain):
            return page, max(similarity(page.fit.kernel, way.fit.kernel) for way in self.hypotheses if way is not page)
        # a witness for what was found without it, at least
        return best, max(agreement, similarity(page.fit.kernel, best.fit.kernel))

    def _print(self, way: Hypothesis) -> Print:
        return look_of_print(way.fit.canvas, way.fit.kernel, self.noise)

    def _together(self, run: Callable[..., tuple[str, int, Prior, Fit]], starts: Iterable) -> list[Hypothesis]:
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
    pages = sum(alternations(size) for starts in _page_starts(sizes) for size, *_ in starts)
    return sum(map(alternations, sizes)) + 2 * alternations(sizes[-1]) + pages + (kernels + 1) * polishes()


def _is_page(seen: Print, *, twice: bool) -> bool:
    """Whether it is ink on paper; ``twice`` where two ways led to its PSF."""
    if seen.strokes >= _STROKES:
        return seen.tones >= (_PAGE_TWICE if twice else _PAGE)
    return twice and seen.strokes >= _FEW_STROKES and seen.tones >= _SIGN


def _page_starts(sizes: Sequence[int]) -> list[list[tuple[int, Prior, bool]]]:
    """In pairs: the middle window from both starts, then the others."""
    sizes = sizes[:_PAGE_SIZES]
    ordered = [sizes[len(sizes) // 2], *(size for size in sizes if size != sizes[len(sizes) // 2])]
    return [[(size, PRINT, upright) for upright in (False, True)] for size in ordered]


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

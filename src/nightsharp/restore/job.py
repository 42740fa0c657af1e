"""The job users run: look at what is known, choose the route, restore, check, report."""

import math
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from nightsharp.errors import PhotoError, PsfError, UsageError
from nightsharp.methods import MethodSpec
from nightsharp.methods._blocks import CLIPPED, Cancel
from nightsharp.methods.map_psf import LARGEST_SIZE, PsfEstimate
from nightsharp.methods.map_psf import estimate_psf as find_psf
from nightsharp.methods.map_psf.light_streak import from_light_streak
from nightsharp.methods.map_psf.trails import Box
from nightsharp.optics import Psf
from nightsharp.optics.field import PsfField
from nightsharp.optics.fourier import check_fits
from nightsharp.photo import Limits, Photo, read_photo, srgb_to_linear
from nightsharp.restore.cost import known_cost, measured_cost, timing_memory
from nightsharp.restore.formula import field_in_file, parse_psf
from nightsharp.restore.function import network_of, usable_methods
from nightsharp.restore.gentle import restore_estimated
from nightsharp.restore.given import Given, Light
from nightsharp.restore.guard import Verdict, judge_psf
from nightsharp.restore.instead import classical_for, classical_instead
from nightsharp.restore.memory import free_memory, held_memory, parse_memory, peak_memory, release_memory
from nightsharp.restore.noise import Noise, measure_noise
from nightsharp.restore.order import Order
from nightsharp.restore.plan import Plan, Work, make_plan
from nightsharp.restore.region import part_around, richest_part
from nightsharp.restore.report import describe_file, describe_psf, describe_run, describe_weights
from nightsharp.restore.restoration import Restoration
from nightsharp.restore.result import Result
from nightsharp.restore.route import Route, choose_route
from nightsharp.restore.varying import estimate_field, window_grid
from nightsharp.restore.work import restore_tiles

StageProgress = Callable[[str, int, int], None]
"""Called with (what is being done, steps done, steps at most)."""

PSF_LIGHT: Light = "display"
"""The domain in which the PSF is estimated."""

# The PSF of an image this small cannot be told from its content.
_SMALLEST_SIDE = 32
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


def deblur(
    photo: Photo | str | os.PathLike[str] | Float[Tensor, "channel height width"],
    *,
    method: str | None = None,
    weights: str | os.PathLike[str] | None = None,
    psf: Psf | PsfField | Tensor | np.ndarray | str | os.PathLike[str] | None = None,
    streak: Literal["auto"] | Box | None = None,
    varying: bool = False,
    strength: float = 1.0,
    psf_size: int | None = None,
    light: Light | None = None,
    limits: Limits | None = None,
    guard: bool = True,
    max_memory: int | str | None = None,
    progress: StageProgress | None = None,
    cancel: Cancel | None = None,
    tell_plan: Callable[[Plan], None] | None = None,
) -> Restoration:
    r"""Take the blur out of a photograph.

    Solves :math:`y = k * x + n` for the sharp x. A known PSF k is used; an unknown one is estimated from y first.

    Args:
        photo: a :class:`~nightsharp.Photo`, a file, or a tensor ``(1 or 3, height, width)``, range [0, 1], which is
            taken as it is, without colour conversion.
        method: one of :func:`~nightsharp.list_methods`; None or ``"auto"`` chooses.
        weights: of a learned method, a file or the name of shipped ones; None takes those that bear its name.
        psf: what is known of the blur: a :class:`~nightsharp.Psf`, a tensor or array ``(kh, kw)``, a file, a formula as
            ``"line:15,30"``; a :class:`~nightsharp.optics.field.PsfField`, or a ``.npy`` file of one, where it varies
            over the photograph; None or ``"auto"`` estimates it.
        streak: take the PSF from the trail of a lamp: found (``"auto"``), or in the box (left, top, width, height).
        varying: look for blur that varies over the photograph; one PSF where it does not.
        strength: > 0; below 1 gentler, above 1 sharper and noisier.
        psf_size: the largest side of an estimated PSF, pixels, odd; None chooses.
        light: how the values in a file are to be read; None asks the file. Only for a file.
        limits: what a file may ask of this machine; None takes the preset for desktops. Only for a file.
        guard: keep the input where the result does not explain it.
        max_memory: what this process may hold at its peak, bytes or such as ``"3GB"``; None takes half of what is free.
        progress: called with (stage, steps done, steps at most).
        cancel: asked between steps; True stops.
        tell_plan: called once with the :class:`~nightsharp.restore.plan.Plan`, before the work begins.

    Returns:
        The :class:`~nightsharp.Restoration`; its values are finite and of the input's size.

    Raises:
        PhotoError: the photograph cannot be read, or is no image of 1 or 3 channels.
        PsfError: the PSF is none, or larger than the photograph.
        UsageError: the method or formula is unknown, or an option does not belong here.
        WeightsError: the weights of a learned method are missing, damaged, or of another network.
        LimitError: the photograph is larger than the limits, or cannot be restored within ``max_memory``.
        Cancelled: ``cancel`` said so.

    Example:
        >>> blurred = torch.rand(1, 48, 64, generator=torch.Generator().manual_seed(0))
        >>> out = deblur(blurred, method="wiener", psf="line:4,0")
        >>> out.sharp.shape, out.photo, out.report["route"]["reason"]
        (torch.Size([1, 48, 64]), None, 'PSF given -> wiener (asked for)')
    """
    started = time.perf_counter()
    check_strength(strength)
    known, source, field = _known_psf(psf)
    route = _checked_route(method, weights, known, streak=streak, varying=varying, psf_size=psf_size)
    psf_given = known is not None
    if not route.method.needs_psf:
        known, source = Psf.from_tensor(torch.ones(1, 1)), "none needed"
    most = None if max_memory is None else parse_memory(max_memory)
    _tell(progress, "reading", 0, 1)
    given = _open(photo, light=light, limits=limits)
    route = _seen_route(route, given, psf_given=psf_given, varies=varying or field is not None)
    clock = Clock(started)
    confidence = None
    if known is None:
        likely = _likely_plan(given, route.method, psf_size, most, clock, streak=streak, varying=varying, guard=guard)
        if tell_plan is not None:
            tell_plan(likely)
        if streak is not None:
            known, confidence, source = psf_from_streak(given, None if streak == "auto" else streak)
        elif varying:
            known, confidence, source, field = psf_varying(given, size=psf_size, progress=progress, cancel=cancel)
        else:
            estimate = _estimate(given, size=psf_size, progress=progress, cancel=cancel)
            known, confidence = (Psf.from_tensor(torch.ones(1, 1)), 0.0) if estimate is None else estimate
        clock.mark("psf")
        tell_plan = None
    return carry_out(
        given,
        Order(
            route=route,
            psf=known,
            source=source or f"estimated by {route.estimator}",
            confidence=confidence,
            strength=strength,
            guard=guard,
            light=light,
            core=None if field is None else _core(given, field.grid),
            weights=weights,
            field=field,
        ),
        max_memory=most,
        clock=clock,
        progress=progress,
        cancel=cancel,
        tell_plan=tell_plan,
    )


def check_strength(strength: float) -> None:
    """Refuse a strength that is none.

    Raises:
        UsageError: it is not above 0, or not finite.
    """
    if not 0 < strength < float("inf"):
        raise UsageError(f"strength is {strength}; it must be above 0, and 1 is the default.")


def plan_deblur(
    photo: Photo | str | os.PathLike[str] | Float[Tensor, "channel height width"],
    *,
    method: str | None = None,
    weights: str | os.PathLike[str] | None = None,
    psf: Psf | PsfField | Tensor | np.ndarray | str | os.PathLike[str] | None = None,
    streak: Literal["auto"] | Box | None = None,
    varying: bool = False,
    psf_size: int | None = None,
    light: Light | None = None,
    limits: Limits | None = None,
    guard: bool = True,
    max_memory: int | str | None = None,
) -> Plan:
    """What :func:`deblur` would take; nothing is restored.

    Args:
        photo: as for :func:`deblur`.
        method: as for :func:`deblur`.
        weights: as for :func:`deblur`.
        psf: as for :func:`deblur`; an unknown one is taken to be of a usual size, and finding it is counted in memory,
            not in time.
        streak: as for :func:`deblur`.
        varying: as for :func:`deblur`; planned as if the blur did vary.
        psf_size: as for :func:`deblur`.
        light: as for :func:`deblur`.
        limits: as for :func:`deblur`.
        guard: as for :func:`deblur`.
        max_memory: as for :func:`deblur`.

    Raises:
        NightsharpError: as :func:`deblur` does.

    Example:
        >>> plan_deblur(torch.rand(1, 48, 64), method="wiener", psf="line:4,0").tiles
        1
    """
    started = time.perf_counter()
    known, _, field = _known_psf(psf)
    route = _checked_route(method, weights, known, streak=streak, varying=varying, psf_size=psf_size)
    most = None if max_memory is None else parse_memory(max_memory)
    given = _open(photo, light=light, limits=limits)
    chosen = _seen_route(route, given, psf_given=known is not None, varies=varying or field is not None).method
    clock = Clock(started)
    if route.method.needs_psf and known is None:
        return _likely_plan(
            given, chosen, psf_size, most, clock, streak=streak, varying=varying, guard=guard, timed=True
        )
    size = (1, 1) if known is None else known.size
    check_fits(size, given.size)
    core = None if field is None else _core(given, field.grid)
    # the work begins with it, so its time belongs to the plan
    measure_noise(given, chosen.light)
    return _plan(given, chosen, size, most, clock, guard=guard, core=core, timed=True)


def _seen_route(route: Route, given: Given, *, psf_given: bool, varies: bool) -> Route:
    """The route once the photograph is there; a method that was asked for stays, and nothing is measured for it."""
    words = None if route.asked else classical_for(given, varies=varies)
    return route if words is None else choose_route(None, psf_given=psf_given, classical_for=words)


def _checked_route(
    method: str | None,
    weights: str | os.PathLike[str] | None,
    known: Psf | None,
    *,
    streak: Literal["auto"] | Box | None,
    varying: bool,
    psf_size: int | None,
) -> Route:
    """The route, before any work: a mistyped name is answered, and weights that are not there are missed."""
    if (known is not None) + (streak is not None) + varying > 1:
        raise UsageError("psf, streak and varying are three ways to come by the PSF. Choose one.")
    if psf_size is not None and (known is not None or streak is not None):
        raise UsageError(f"psf_size is {psf_size}, but the PSF is given or read off a trail. Leave psf_size out.")
    if psf_size is not None and not 3 <= psf_size <= LARGEST_SIZE:
        raise PsfError(f"psf_size is {psf_size}; the side of a PSF that is looked for is 3 to {LARGEST_SIZE} pixels.")
    route = choose_route(method, psf_given=known is not None)
    if not route.method.needs_psf and (known is not None or streak is not None or varying):
        raise UsageError(f"{route.method.name} looks at the photo alone. Leave the PSF out, or choose another method.")
    network_of(route.method, weights)
    if weights is not None and route.method.floats_at_most is not None:
        return replace(route, method=replace(route.method, floats=route.method.floats_at_most))
    return route


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


def carry_out(
    given: Given,
    order: Order,
    *,
    max_memory: int | None,
    clock: Clock,
    progress: StageProgress | None = None,
    cancel: Cancel | None = None,
    tell_plan: Callable[[Plan], None] | None = None,
) -> Restoration:
    """Restore with a PSF that is known by now: plan, tiles, guard, report."""
    psf = order.psf
    check_fits(psf.size, given.size)
    stage = _stage(progress, "restoring")
    done = _restored(given, order, max_memory, clock, stage, cancel, tell_plan)
    second = classical_instead(order, done.verdict, given)
    if second is not None:
        again = _restored(given, replace(second, core=done.plan.core), max_memory, clock, stage, cancel, None)
        order, done = (order, done) if again.verdict.kept == "input" else (second, again)
    method, plan, noise, verdict = order.route.method, done.plan, done.noise, done.verdict
    photo, tensor = (given.photo, given.tensor) if done.sharp is None else done.sharp
    beyond = [] if verdict.kept == "input" else _beyond_white(given)
    # how an estimate looks is a part of its confidence
    odd = psf.quality().warnings if order.confidence is None else ()
    warnings = [*odd, *beyond, *([verdict.words] if verdict.kept != "result" else [])]
    report: dict[str, Any] = {
        "version": describe_run(),
        "input": None if given.file is None else describe_file(given.file),
        "output": None,
        "size": {
            "width": given.size[1],
            "height": given.size[0],
            "channels": 3 if photo is not None else given.channels,
        },
        "method": method.name,
        "weights": describe_weights(method, order.weights),
        "light": method.light if given.photo is not None else "as given",
        "strength": order.strength,
        "applied_strength": done.strength,
        "route": {"estimator": order.route.estimator, "method": method.name, "reason": order.route.reason},
        "psf": describe_psf(psf, order.source, order.confidence)
        | ({} if order.field is None else {"grid": list(order.field.grid)}),
        "noise_sigma": [round(s, 6) for s in noise.measured.flatten().tolist()],
        "guard": {
            "on": order.guard,
            "kept": verdict.kept,
            "words": verdict.words,
            "misfit": verdict.misfit,
            "allowed": verdict.allowed,
            "scores": verdict.scores,
        },
        "options": {"light": order.light, "core": plan.core},
        # no method here draws random numbers
        "seed": None,
        "plan": {**plan.describe(), "actual": {"seconds": round(clock.spent(), 2), "peak_memory_bytes": peak_memory()}},
        "seconds": {name: round(seconds, 3) for name, seconds in (*clock.seconds.items(), ("total", clock.spent()))},
        "peak_memory_bytes": peak_memory(),
        "notes": [] if given.photo is None else list(given.photo.notes),
        "warnings": warnings,
    }
    if tensor is not None and tensor is given.tensor:
        tensor = tensor.clone()
    return Restoration(photo=photo, tensor=tensor, psf=psf, method=method.name, report=report)


@dataclass(frozen=True)
class _Restored:
    """What came of an order.

    Attributes:
        plan: how it was cut.
        noise: what was measured for it.
        verdict: the guard's.
        sharp: photograph and tensor, one of them None; None where the input is kept.
        strength: with which it was restored.
    """

    plan: Plan
    noise: Noise
    verdict: Verdict
    sharp: tuple[Photo | None, Tensor | None] | None
    strength: float


def _restored(
    given: Given,
    order: Order,
    max_memory: int | None,
    clock: Clock,
    stage: Callable[[int, int], None] | None,
    cancel: Cancel | None,
    tell_plan: Callable[[Plan], None] | None,
) -> _Restored:
    """Plan, restore, judge; the result itself is let go where the input is kept."""
    method, psf = order.route.method, order.psf
    noise = measure_noise(given, method.light)
    plan = _plan(given, method, psf.size, max_memory, clock, guard=order.guard, core=order.core)
    if tell_plan is not None:
        tell_plan(plan)
    clock.mark("plan")
    verdict = judge_psf(psf, order.confidence) if order.guard and method.needs_psf else None
    sharp, applied = None, order.strength
    if verdict is None:
        clip = _clip(given, method.light)
        result, verdict, applied = restore_estimated(
            given, order, lambda tried: restore_tiles(given, tried, plan, noise, clip, stage, cancel)
        )
        sharp = None if verdict.kept == "input" else result.sharp()
    release_memory()
    clock.mark("restore")
    return _Restored(plan, noise, verdict, sharp, applied)


def estimate_psf(
    photo: Photo | str | os.PathLike[str] | Float[Tensor, "channel height width"],
    *,
    size: int | None = None,
    light: Light | None = None,
    limits: Limits | None = None,
    progress: StageProgress | None = None,
    cancel: Cancel | None = None,
) -> PsfEstimate:
    """Find the PSF of a photograph from the photograph alone.

    Args:
        photo: a :class:`~nightsharp.Photo`, a file, or a tensor ``(1 or 3, height, width)``, range [0, 1].
        size: the largest side of the PSF, pixels, odd; None chooses.
        light: how the values in a file are to be read; None asks the file. Only for a file.
        limits: what a file may ask of this machine; None takes the preset for desktops. Only for a file.
        progress: called with (stage, steps done, steps at most).
        cancel: asked between steps; True stops.

    Returns:
        The PSF, how far to trust it, and the noise that was found.

    Raises:
        PhotoError: the photograph cannot be read, is no image of 1 or 3 channels, or is too small to tell.
        LimitError: the photograph is larger than the limits.
        Cancelled: ``cancel`` said so.

    Example:
        >>> estimate_psf(torch.rand(1, 8, 8))
        Traceback (most recent call last):
        nightsharp.errors.PhotoError: the photo is 8 x 8; a PSF needs at least 32 x 32 pixels to show. ...
    """
    given = _open(photo, light=light, limits=limits)
    height, width = given.size
    if min(height, width) < _SMALLEST_SIDE:
        raise PhotoError(
            f"the photo is {width} x {height}; a PSF needs at least {_SMALLEST_SIDE} x {_SMALLEST_SIDE} pixels to "
            "show. Give a larger part of it."
        )
    return _run_estimator(given, size=size, progress=progress, cancel=cancel)


def _open(photo: Photo | str | os.PathLike[str] | Tensor, *, light: Light | None, limits: Limits | None) -> Given:
    if isinstance(photo, str | os.PathLike):
        return Given(read_photo(photo, light=light, limits=limits), None, Path(photo))
    if light is not None:
        raise UsageError("light says how the values in a file are to be read. Leave it out for a Photo or a tensor.")
    if isinstance(photo, Photo):
        return Given(photo, None, None)
    if photo.ndim != 3 or photo.shape[0] not in (1, 3) or 0 in photo.shape:
        shape = " x ".join(str(n) for n in photo.shape)
        raise PhotoError(f"the tensor is {shape or 'a scalar'}; an image is (1 or 3, height, width).")
    if not photo.is_floating_point():
        raise PhotoError(f"the tensor holds {photo.dtype}; an image is floating point in [0, 1]. Convert it.")
    if not bool(photo.isfinite().all()):
        raise PhotoError("the tensor holds NaN or infinite values. Replace them first.")
    return Given(None, photo.detach(), None)


def _known_psf(
    psf: Psf | PsfField | Tensor | np.ndarray | str | os.PathLike[str] | None,
) -> tuple[Psf | None, str | None, PsfField | None]:
    """The PSF that was given, where it came from, and the field whose mean it is."""
    psf = field_in_file(psf) or psf
    match psf:
        case None:
            return None, None, None
        case PsfField():
            return psf.mean(), "a field, given", psf
        case Psf():
            return psf, "given", None
        case Tensor() | np.ndarray():
            return Psf.from_tensor(psf), "given", None
        case str():
            parsed = parse_psf(psf)
            return parsed, None if parsed is None else psf, None
        case _:
            return Psf.load(psf), os.fspath(psf), None


def _estimate(
    given: Given, *, size: int | None, progress: StageProgress | None, cancel: Cancel | None
) -> tuple[Psf, float] | None:
    """The PSF and its confidence; None where the photograph is too small to show one."""
    if min(given.size) < _SMALLEST_SIDE:
        return None
    estimate = _run_estimator(given, size=size, progress=progress, cancel=cancel)
    return estimate.psf, float(estimate.confidence)


def psf_from_streak(given: Given, box: Box | None) -> tuple[Psf, float, str]:
    """The PSF off the trail of lamps, its confidence, and where it came from."""
    rows, columns = richest_part(given) if box is None else part_around(given, box)
    found = from_light_streak(
        given.part("linear", rows, columns)[0],
        None if box is None else (box[0] - columns.start, box[1] - rows.start, *box[2:]),
        clip=_clip(given, "linear"),
        display=given.part(PSF_LIGHT, rows, columns)[0],
    )
    if found is None:
        raise PsfError("no lamp with a trail that sharpens the photo was found. Show one with a box, or leave it out.")
    lamps = "1 lamp" if len(found.boxes) == 1 else f"{len(found.boxes)} lamps"
    return found.psf, found.confidence, f"the trail of {lamps}"


def psf_varying(
    given: Given, *, size: int | None, progress: StageProgress | None = None, cancel: Cancel | None = None
) -> tuple[Psf, float, str, PsfField | None]:
    """The PSF, its confidence, where it came from, and the PSFs where the blur varies."""
    found = estimate_field(
        given.values(PSF_LIGHT)[0],
        size=size,
        saturation=_clip(given, PSF_LIGHT),
        progress=_stage(progress, "estimating the PSFs"),
        cancel=cancel,
    )
    if found.field is None:
        return found.psf, found.confidence, f"estimated by map_psf; {found.reason}", None
    # what the windows say together counts, not the one PSF that does not fit
    return found.field.mean(), max(found.confidence, found.near), f"a field by map_psf; {found.reason}", found.field


def opened(photo: str | os.PathLike[str] | Tensor, *, light: Light | None) -> Given:
    """A photograph or tensor as the work takes it, within the usual limits."""
    return _open(photo, light=light, limits=None)


def clip_of(given: Given, light: Light) -> float:
    """The value from which a pixel counts as saturated."""
    return _clip(given, light)


def _core(given: Given, grid: tuple[int, int]) -> int:
    """Side of a tile: half a window, so that the PSF changes little from tile to tile."""
    return max(_LEAST_CORE, min(length // (2 * n) for length, n in zip(given.size, grid, strict=True)))


def _run_estimator(
    given: Given, *, size: int | None, progress: StageProgress | None, cancel: Cancel | None
) -> PsfEstimate:
    return find_psf(
        given.part(PSF_LIGHT, *richest_part(given))[0],
        size=size,
        saturation=_clip(given, PSF_LIGHT),
        progress=_stage(progress, "estimating the PSF"),
        cancel=cancel,
    )


def _clip(given: Given, light: Light) -> float:
    """The value from which a pixel counts as saturated, in the light that is worked in."""
    linear = given.photo is not None and light == "linear"
    return float(srgb_to_linear(torch.tensor(CLIPPED, dtype=torch.float64))) if linear else CLIPPED


def _likely_psf(given: Given, size: int | None) -> tuple[int, int]:
    side = min(size or _LIKELY_PSF, *given.size)
    return side, side


def _likely_plan(
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
    core = None if grid == (1, 1) else _core(given, grid)
    plan = _plan(given, method, psf, max_memory, clock, guard=guard, core=core, timed=timed)
    way = "streak" if streak is not None else "varying" if varying else "whole"
    pixels = math.prod(given.size) if way == "varying" else min(math.prod(given.size), _MOST_SEARCHED)
    searching = held_memory() + _search_memory(pixels, streak=streak is not None)
    return replace(plan, memory=max(plan.memory, searching), search=_SEARCHES[way])


def _search_memory(pixels: int, *, streak: bool) -> int:
    """Bytes that the way to the PSF holds: measured on 0.2 to 16 megapixels in colour, one thread."""
    return 90 * pixels if streak else min(470 * pixels, 250_000_000 + 45 * pixels)


def _plan(
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
    """The plan; ``timed`` where nothing will be restored now, so that timing the method is no part of the work."""
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


def _beyond_white(given: Given) -> list[str]:
    """A warning where a floating-point photograph is brighter than white, which is where the result ends."""
    photo = given.photo
    if photo is None or not photo.meta.floating:
        return []
    most = max(float(photo.part(rows).max()) for rows in photo.bands())
    if most <= 1:
        return []
    return [f"the photo has values up to {most:.3g}; those above 1 are cut off. Divide it by its white value before"]


def _stage(progress: StageProgress | None, name: str) -> Callable[[int, int], None] | None:
    return None if progress is None else lambda done, most: progress(name, done, most)


def _tell(progress: StageProgress | None, name: str, done: int, most: int) -> None:
    if progress is not None:
        progress(name, done, most)

"""Restore with a PSF that is known by now: plan, tiles, guard, report."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from torch import Tensor

from nightsharp.methods._blocks import Cancel
from nightsharp.optics.fourier import check_fits
from nightsharp.photo import Photo
from nightsharp.restore.gentle import restore_estimated
from nightsharp.restore.given import Given
from nightsharp.restore.guard import Verdict, judge_psf
from nightsharp.restore.instead import classical_instead
from nightsharp.restore.memory import peak_memory, release_memory
from nightsharp.restore.noise import Noise, measure_noise
from nightsharp.restore.opening import beyond_white, clip_of
from nightsharp.restore.order import Order
from nightsharp.restore.plan import Plan
from nightsharp.restore.planning import Clock, plan_for
from nightsharp.restore.progress import StageProgress, stage
from nightsharp.restore.report import describe_file, describe_psf, describe_run, describe_weights
from nightsharp.restore.restoration import Restoration
from nightsharp.restore.result import Result
from nightsharp.restore.work import restore_tiles


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
    steps = stage(progress, "restoring")
    done = _restored(given, order, max_memory, clock, steps, cancel, tell_plan)
    second = classical_instead(order, done.verdict, given)
    if second is not None:
        again = _restored(given, replace(second, core=done.plan.core), max_memory, clock, steps, cancel, None)
        order, done = (order, done) if again.verdict.kept == "input" else (second, again)
    method, plan, noise, verdict = order.route.method, done.plan, done.noise, done.verdict
    photo, tensor = (given.photo, given.tensor) if done.sharp is None else done.sharp
    beyond = [] if verdict.kept == "input" else beyond_white(given)
    # how an estimate looks is a part of its confidence
    odd = psf.quality().warnings if order.confidence is None else ()
    warnings = [*odd, *beyond, *([verdict.words] if verdict.kept != "result" else [])]
    report: dict[str, Any] = {
        "version": describe_run(),
        "input": None if given.file is None else describe_file(given.file),
        "output": None,
        "size": {"width": given.size[1], "height": given.size[0], "channels": given.channels},
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
    steps: Callable[[int, int], None] | None,
    cancel: Cancel | None,
    tell_plan: Callable[[Plan], None] | None,
) -> _Restored:
    """Plan, restore, judge; the result itself is let go where the input is kept."""
    method, psf = order.route.method, order.psf
    noise = measure_noise(given, method.light)
    plan = plan_for(given, method, psf.size, max_memory, clock, guard=order.guard, core=order.core)
    if tell_plan is not None:
        tell_plan(plan)
    clock.mark("plan")
    verdict = judge_psf(psf, order.confidence) if order.guard and method.needs_psf else None
    sharp, applied = None, order.strength
    if verdict is None:
        clip = clip_of(given, method.light)
        result, verdict, applied = restore_estimated(
            given,
            order,
            lambda tried: restore_tiles(given, tried, plan, noise, clip, steps, cancel),
            room_for_two=plan.memory + Result.bytes_in_all(given) <= plan.budget,
        )
        sharp = None if verdict.kept == "input" else result.sharp()
    release_memory()
    clock.mark("restore")
    return _Restored(plan, noise, verdict, sharp, applied)

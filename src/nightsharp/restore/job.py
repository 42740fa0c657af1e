"""The job users run: look at what is known, choose the route, find the PSF, restore."""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from nightsharp.errors import PsfError, UsageError
from nightsharp.methods._blocks import Cancel
from nightsharp.methods.map_psf import LARGEST_SIZE
from nightsharp.methods.map_psf.trails import Box
from nightsharp.optics import Psf, without_grain
from nightsharp.optics.field import PsfField
from nightsharp.optics.fourier import check_fits
from nightsharp.photo import Limits, Photo
from nightsharp.restore.execute import carry_out
from nightsharp.restore.formula import field_in_file, parse_psf
from nightsharp.restore.found import FoundPsf
from nightsharp.restore.function import network_of
from nightsharp.restore.given import Given, Light
from nightsharp.restore.kind import kind_of
from nightsharp.restore.memory import parse_memory
from nightsharp.restore.noise import measure_noise
from nightsharp.restore.opening import opened
from nightsharp.restore.order import Order
from nightsharp.restore.plan import Plan
from nightsharp.restore.planning import Clock, core_of, likely_plan, plan_for
from nightsharp.restore.progress import StageProgress, tell
from nightsharp.restore.restoration import Restoration
from nightsharp.restore.route import Route, choose_route
from nightsharp.restore.searching import psf_from_edges, psf_from_streak, psf_varying


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
        guard: keep the input where the result does not explain it, and use a PSF that was photographed without its
            grain (:func:`~nightsharp.optics.without_grain`).
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
    most = None if max_memory is None else parse_memory(max_memory)
    wish = _checked(method, weights, psf, streak=streak, varying=varying, psf_size=psf_size, guard=guard)
    tell(progress, "reading", 0, 1)
    given = opened(photo, light=light, limits=limits)
    route, known = _seen(wish.route, given, wish.known, varies=wish.varies), wish.known
    clock = Clock(started)
    if known is None:
        likely = likely_plan(given, route.method, psf_size, most, clock, streak=streak, varying=varying, guard=guard)
        if tell_plan is not None:
            tell_plan(likely)
        if streak is not None:
            known = psf_from_streak(given, None if streak == "auto" else streak)
        elif varying:
            known = psf_varying(given, size=psf_size, progress=progress, cancel=cancel)
        else:
            known = psf_from_edges(given, size=psf_size, progress=progress, cancel=cancel)
        route = _seen(wish.route, given, known, varies=known.field is not None)
        clock.mark("psf")
        tell_plan = None
    return carry_out(
        given,
        Order(
            route=route,
            psf=known.psf,
            source=known.source,
            confidence=known.confidence,
            strength=strength,
            guard=guard,
            light=light,
            core=None if known.field is None else core_of(given, known.field.grid),
            weights=weights,
            field=known.field,
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
    most = None if max_memory is None else parse_memory(max_memory)
    wish = _checked(method, weights, psf, streak=streak, varying=varying, psf_size=psf_size, guard=guard)
    given = opened(photo, light=light, limits=limits)
    known, chosen = wish.known, _seen(wish.route, given, wish.known, varies=wish.varies).method
    clock = Clock(started)
    if known is None:
        return likely_plan(
            given, chosen, psf_size, most, clock, streak=streak, varying=varying, guard=guard, timed=True
        )
    check_fits(known.psf.size, given.size)
    core = None if known.field is None else core_of(given, known.field.grid)
    # the work begins with it, so its time belongs to the plan
    measure_noise(given, chosen.light)
    return plan_for(given, chosen, known.psf.size, most, clock, guard=guard, core=core, timed=True)


def _seen(route: Route, given: Given, known: FoundPsf | None, *, varies: bool) -> Route:
    """The route once the photograph is there; a method that was asked for stays, and nothing is measured for it."""
    kind = None if route.asked else kind_of(given, None if known is None else known.psf, varies=varies)
    return route if kind is None else choose_route(None, psf_given=route.estimator is None, kind=kind)


@dataclass(frozen=True)
class _Wish:
    """What is asked for, before the photograph is there.

    Attributes:
        route: by what is known.
        known: the PSF that was given, a point where the method asks for none; None where it has to be found.
        varies: whether the blur is said to vary.
    """

    route: Route
    known: FoundPsf | None
    varies: bool


def _checked(
    method: str | None,
    weights: str | os.PathLike[str] | None,
    psf: Psf | PsfField | Tensor | np.ndarray | str | os.PathLike[str] | None,
    *,
    streak: Literal["auto"] | Box | None,
    varying: bool,
    psf_size: int | None,
    guard: bool,
) -> _Wish:
    """What is asked for, before any work: a mistyped name is answered, and weights that are not there are missed."""
    known = _known_psf(psf)
    if (known is not None) + (streak is not None) + varying > 1:
        raise UsageError("a PSF, a streak and varying PSFs are three ways to come by the blur. Choose one.")
    if psf_size is not None and (known is not None or streak is not None):
        raise UsageError(
            f"a size of {psf_size} is asked of the PSF, but it is given or read off a trail. Leave its size out."
        )
    if psf_size is not None and not 3 <= psf_size <= LARGEST_SIZE:
        raise PsfError(f"a PSF of {psf_size} pixels cannot be looked for; its side is 3 to {LARGEST_SIZE} pixels.")
    route = choose_route(method, psf_given=known is not None)
    if not route.method.needs_psf and (known is not None or streak is not None or varying):
        raise UsageError(f"{route.method.name} looks at the photo alone. Leave the PSF out, or choose another method.")
    network_of(route.method, weights)
    if weights is not None and route.method.floats_at_most is not None:
        route = replace(route, method=replace(route.method, floats=route.method.floats_at_most))
    if known is not None and guard and known.field is None:
        known = replace(known, psf=without_grain(known.psf))
    if not route.method.needs_psf:
        known = FoundPsf(Psf.from_tensor(torch.ones(1, 1)), None, "none needed")
    return _Wish(route, known, varying or (known is not None and known.field is not None))


def _known_psf(psf: Psf | PsfField | Tensor | np.ndarray | str | os.PathLike[str] | None) -> FoundPsf | None:
    """The PSF that was given, where it came from, and the field whose mean it is."""
    psf = field_in_file(psf) or psf
    match psf:
        case None:
            return None
        case PsfField():
            return FoundPsf(psf.mean(), None, "a field, given", psf)
        case Psf():
            return FoundPsf(psf, None, "given")
        case Tensor() | np.ndarray():
            return FoundPsf(Psf.from_tensor(psf), None, "given")
        case str():
            parsed = parse_psf(psf)
            return None if parsed is None else FoundPsf(parsed, None, psf)
        case _:
            return FoundPsf(Psf.load(psf), None, os.fspath(psf))

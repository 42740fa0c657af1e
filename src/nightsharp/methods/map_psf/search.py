"""The search for the PSF of a photograph at the size it has: region, windows, starts and priors, confidence."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import torch
from jaxtyping import Float
from torch import Tensor

from nightsharp.methods.map_psf.answer import PsfEstimate, Trial
from nightsharp.methods.map_psf.confidence import gather, similarity, weigh
from nightsharp.methods.map_psf.hypotheses import CONVINCING, Hypothesis, Race, Start, most_alternations
from nightsharp.methods.map_psf.kernel import window
from nightsharp.methods.map_psf.light_streak import streak_candidates
from nightsharp.methods.map_psf.page import page_alternations, read_as_page
from nightsharp.methods.map_psf.pyramid import finishes, polishes
from nightsharp.methods.map_psf.region import SIDE, Region
from nightsharp.methods.map_psf.room import given_room, room_alternations
from nightsharp.optics import Psf, estimate_sigma
from nightsharp.photo import srgb_to_linear

WIDEST = 101
"""The largest window, pixels."""
_SIZES = (31, 51, 75, 101)
# Trails of lamps that compete.
_STREAKS = 3
# An image side must hold a window this many times.
_ROOM = 3
# Six sharp photographs reached gains of 0.92 to 1.05, the least that was right on Levin's set 1.12.
_LEAST_GAIN = 1.06
# A PSF found from further away has twice the width here.
_WIDEST_FIT = 129
# Its fit may sharpen less by so much: of nine fits those that lost 3 % and more were worse by 2 and 4 dB twice and
# better by 1 once, the others better by 1 to 4 but for one (-0.6).
_AS_SHARP = 0.98


def search(
    photo: Float[Tensor, "channel height width"],
    *,
    size: int | None,
    sigma: float | None,
    saturation: float,
    starts: Sequence[Float[Tensor, "kh kw"]] | None,
    tick: Callable[[], None],
) -> PsfEstimate:
    """Look for the PSF at the size the photograph has.

    Windows compete, then other priors and starts with the best of them, among them the trails of lamps, then print.

    Args:
        photo: 1 or 3 channels, range [0, 1].
        size: side of the PSF's window, odd, at most :data:`WIDEST`; None finds it.
        sigma: standard deviation of the noise; estimated when None.
        saturation: the value from which a pixel counts as clipped.
        starts: PSFs known roughly; None looks for trails of lamps.
        tick: called before each of at most :func:`most_ticks` alternations; may raise to stop.
    """
    # at full resolution: halved, thin strokes and small PSFs are lost
    part = Region.of(photo, saturation, sigma=sigma)
    sizes = _sizes(size, min(part.seen.light.shape))
    race = Race(part.seen, part.noise, tick)
    first = race.best_size(sizes)
    best, agreement = race.best_way(first, _starts(photo, starts, saturation, sizes[-1]))
    best, agreement = given_room(race, sizes, best, agreement)
    best, agreement = read_as_page(race, sizes, best, agreement)
    # of what hardly sharpens more edges make a PSF where there is no blur at all
    best = race.finish(best) if best.gain >= CONVINCING else best
    return _answer(best, agreement, photo, sigma, race.hypotheses)


def refine(
    photo: Float[Tensor, "channel height width"],
    start: Float[Tensor, "kh kw"],
    *,
    sigma: float | None,
    saturation: float,
    tick: Callable[[], None],
) -> PsfEstimate:
    """Fit a PSF that is known roughly; arguments as in :func:`search`."""
    part = Region.of(photo, saturation, sigma=sigma)
    kernel = _with_room(start, min(part.seen.light.shape) // _ROOM * 2 + 1)
    found = replace(Race(part.seen, part.noise, tick).refine(kernel), origin="refined")
    return _answer(found, similarity(found.fit.kernel, start), photo, sigma, [found])


def fitted(
    photo: Float[Tensor, "channel height width"],
    rough: Psf,
    *,
    sigma: float | None,
    saturation: float,
    tick: Callable[[], None],
) -> Psf:
    """A PSF that was found from further away, fitted to what is seen from here.

    It stays as it is where it is wider than a window, or where the fit, misled, sharpens less; other arguments as in
    :func:`search`.
    """
    if max(rough.size) > _WIDEST_FIT:
        return rough
    part = Region.of(photo, saturation, sigma=sigma)
    start = _with_room(rough.kernel.to(photo), _WIDEST_FIT)
    found = Race(part.seen, part.noise, tick).refine(start)
    return Psf.from_tensor(found.fit.kernel).centred() if found.gain >= _AS_SHARP * found.gain_under(start) else rough


def most_ticks(side: int, size: int | None, starts: int | None) -> int:
    """How many alternations a search takes at most, in a photograph of that shorter side, with so many starts given."""
    sizes = _sizes(size, min(side, SIDE))
    return (
        most_alternations(sizes, _STREAKS if starts is None else starts)
        + room_alternations(sizes)
        + page_alternations(sizes)
    )


def refine_ticks() -> int:
    """How many alternations :func:`refine` and :func:`fitted` take."""
    return polishes() + finishes()


def _answer(
    best: Hypothesis, agreement: float, photo: Tensor, sigma: float | None, tried: Sequence[Hypothesis]
) -> PsfEstimate:
    evidence = gather(best.fit, agreement)
    # a PSF that sharpens nothing is noise: without visible blur the honest answer is a point
    kernel = best.fit.kernel if evidence.gain > _LEAST_GAIN else torch.ones(1, 1)
    return PsfEstimate(
        psf=Psf.from_tensor(kernel).centred(),
        confidence=weigh(evidence),
        noise_sigma=float(estimate_sigma(photo[None]).mean()) if sigma is None else float(sigma),
        size=best.size,
        evidence=evidence,
        scales=best.fit.scales,
        origin=best.origin,
        tried=tuple(Trial(way.origin, way.size, way.gain) for way in tried),
    )


def _sizes(size: int | None, side: int) -> list[int]:
    if size is not None:
        return [size]
    room = side // _ROOM
    return [s for s in _SIZES if s <= room] or [max(3, (room - 1) // 2 * 2 + 1)]


def _starts(photo: Tensor, starts: Sequence[Tensor] | None, saturation: float, most: int) -> list[Start]:
    """The PSFs to begin with: those given, or what lamps in the photograph draw."""
    if starts is not None:
        return [Start(_with_room(start.to("cpu", torch.float32), most)) for start in starts]
    light = srgb_to_linear(photo.clamp(0, 1))
    clip = float(srgb_to_linear(torch.tensor(min(saturation, 1.0))))
    return [
        Start(_with_room(found.kernel, most), len(found.boxes), found.kernel)
        for found in streak_candidates(light, clip=clip, display=photo, most=_STREAKS)
    ]


def _with_room(kernel: Tensor, most: int) -> Tensor:
    """A kernel in a square odd window with some room to grow, not larger than ``most``."""
    side = min(most, max(kernel.shape) // 2 * 2 + 1 + 2 * max(2, max(kernel.shape) // 8))
    return window(kernel / kernel.sum(), side)

"""From a blurred photograph to its PSF: region, size, coarse to fine, confidence."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Tensor

from nightsharp.errors import PsfError, UsageError
from nightsharp.methods._blocks import CLIPPED, Cancel, Progress, tick
from nightsharp.methods.map_psf.confidence import Evidence, gather, similarity, weigh
from nightsharp.methods.map_psf.hypotheses import Counter, Race, Start, most_alternations
from nightsharp.methods.map_psf.kernel import window
from nightsharp.methods.map_psf.light_streak import streak_candidates
from nightsharp.methods.map_psf.observation import Observation
from nightsharp.methods.map_psf.page import page_alternations, read_as_page
from nightsharp.methods.map_psf.pyramid import Scale, polishes
from nightsharp.optics import Psf, estimate_sigma
from nightsharp.photo import srgb_to_linear

LARGEST_SIZE = 101
_SIZES = (31, 51, 75, 101)
# The weights of the priors were set on images of this contrast; another is scaled to it.
_CONTRAST = 0.17
# Side of the region the PSF is estimated on. Four of Pan's low-illumination images, mean: 28.2 dB with 384, and 26.2
# when the PSF was fitted once more on 640, where more of the scene is lamps and their trails.
_REGION = 384
# Trails of lamps that compete.
_STREAKS = 3
# An image side must hold a window this many times.
_ROOM = 3
_LEAST_SIDE = 32
# Six sharp photographs reached gains of 0.92 to 1.05, the least that was right on Levin's set 1.12.
_LEAST_GAIN = 1.06
# Noise in a photograph without contrast is not pulled up without end.
_MOST_GAIN = 20


@dataclass(frozen=True)
class Trial:
    """One attempt at the PSF.

    Attributes:
        origin: its start and prior, in words.
        size: side of its window, pixels.
        gain: how much it sharpens; above 1 the sharp image is sparser than under a point.
    """

    origin: str
    size: int
    gain: float


@dataclass(frozen=True)
class PsfEstimate:
    """What a blurred photograph tells about its blur.

    Attributes:
        psf: the estimated PSF.
        confidence: how far to trust it, in [0, 1]; a photograph without visible blur has a PSF of about one pixel.
        noise_sigma: standard deviation of the noise that was assumed, in the range of the photograph.
        size: side of the window the PSF was sought in, pixels.
        evidence: what the confidence was weighed from.
        scales: the PSF on every scale, coarsest first.
        origin: the start and prior that led to it, in words.
        tried: what competed, in the order of the attempts.
    """

    psf: Psf
    confidence: float
    noise_sigma: float
    size: int
    evidence: Evidence
    scales: tuple[Scale, ...]
    origin: str
    tried: tuple[Trial, ...]


def estimate_psf(
    blurred: Float[Tensor, "channel height width"] | Float[Tensor, "1 channel height width"],
    *,
    size: int | None = None,
    sigma: float | None = None,
    saturation: float = CLIPPED,
    starts: Sequence[Float[Tensor, "kh kw"]] | None = None,
    progress: Progress | None = None,
    cancel: Cancel | None = None,
) -> PsfEstimate:
    r"""Estimate the PSF of a photograph from the photograph alone.

    .. math:: \min_{u,\,k}\; \| k * g * u - y \|^2 + \lambda \| \nabla u \|_0 + \gamma \| k \|^2,
        \qquad k \ge 0,\ \textstyle\sum k = 1

    The two unknowns take turns, from a coarse scale to the finest. Windows of several sizes compete when no size is
    given, and the smallest whose sharp image is as sparse as the best one's wins; then other priors and starts compete
    with it, among them the trails that lamps in the photograph draw. Clipped pixels and whatever lies beyond the
    border are unknown rather than wrong.

    Args:
        blurred: 1 or 3 channels, range [0, 1], a side of at least 32; blur that is the same all over.
        size: side of the PSF's window in pixels, 3 to 101 (made odd); None finds it.
        sigma: standard deviation of the noise, in the range of ``blurred``; estimated when None.
        saturation: the value from which a pixel counts as clipped.
        starts: PSFs known roughly, to compete with the rest; None looks for trails of lamps, an empty list does not.
        progress: told after each alternation.
        cancel: asked after each alternation.

    Returns:
        The PSF with a confidence. A photograph without edges, or without blur, gives a point.

    Raises:
        PsfError: the size is out of range, the photograph too small for it, or a value is not finite.
        UsageError: ``sigma`` is negative.
        Cancelled: ``cancel`` answered True.

    Example:
        >>> from skimage.data import camera
        >>> from nightsharp.optics import Blur, line
        >>> sharp = torch.from_numpy(camera()[None, None, 40:168, 160:288] / 255).float()
        >>> blurred = Blur(line(7), boundary="replicate")(sharp)
        >>> estimate = estimate_psf(blurred, size=13)
        >>> similarity(estimate.psf.kernel, line(7).kernel) > 0.7, estimate.confidence > 0.5
        (True, True)

    Source: Pan et al., CVPR 2014 (the scheme; the intensity prior for pages only); Cho and Lee, SIGGRAPH Asia 2009 (PSF
    step); Krishnan et al., CVPR 2011 (the measure by which sizes compete).
    """
    photo = blurred[0] if blurred.ndim == 4 else blurred
    photo = photo.detach().to("cpu", torch.float32)
    _check(photo, size, sigma)
    noise = float(estimate_sigma(photo[None]).mean()) if sigma is None else float(sigma)

    # at full resolution: halved, thin strokes and small PSFs are lost
    part = _Region.of(Observation.of(photo, saturation), _REGION, None if sigma is None else noise)
    sizes = _sizes(size, min(part.seen.light.shape))
    total = most_alternations(sizes, _STREAKS if starts is None else len(starts)) + page_alternations(sizes)
    race = Race(part.seen, part.noise, Counter(lambda done: tick(done, total, progress, cancel)))
    first = race.best_size(sizes)
    best, agreement = race.best_way(first, _starts(photo, starts, saturation, sizes[-1]))
    best, agreement = read_as_page(race, sizes, best, agreement)
    fit = best.fit
    if progress is not None:
        progress(total, total)
    evidence = gather(fit, agreement)
    # a PSF that sharpens nothing is noise: without visible blur the honest answer is a point
    kernel = fit.kernel if evidence.gain > _LEAST_GAIN else torch.ones(1, 1)
    return PsfEstimate(
        psf=Psf.from_tensor(kernel).centred(),
        confidence=weigh(evidence),
        noise_sigma=noise,
        size=best.size,
        evidence=evidence,
        scales=fit.scales,
        origin=best.origin,
        tried=tuple(Trial(way.origin, way.size, way.gain) for way in race.hypotheses),
    )


def refine_psf(
    blurred: Float[Tensor, "channel height width"],
    start: Psf,
    *,
    sigma: float | None = None,
    saturation: float = CLIPPED,
    cancel: Cancel | None = None,
) -> PsfEstimate:
    """Fit a PSF that is known roughly to a photograph, or to a part of one.

    Args:
        blurred: 1 or 3 channels, range [0, 1].
        start: the PSF to begin with.
        sigma: standard deviation of the noise, in the range of ``blurred``; estimated when None.
        saturation: the value from which a pixel counts as clipped.
        cancel: asked after each alternation.

    Returns:
        The PSF; its evidence's agreement is the similarity to the start.

    Raises:
        PsfError: the photograph is too small for the PSF.
        UsageError: ``sigma`` is negative.
        Cancelled: ``cancel`` answered True.

    Example:
        >>> from skimage.data import camera
        >>> from nightsharp.optics import Blur, line
        >>> sharp = torch.from_numpy(camera()[None, None, 40:168, 160:288] / 255).float()
        >>> blurred = Blur(line(9), boundary="replicate")(sharp)
        >>> refined = refine_psf(blurred[0], line(6))
        >>> similarity(refined.psf.kernel, line(9).kernel) > similarity(line(6).kernel, line(9).kernel)
        True
    """
    photo = blurred.detach().to("cpu", torch.float32)
    side = max(start.size) // 2 * 2 + 1
    _check(photo, max(3, side), sigma)
    region = _Region.of(Observation.of(photo, saturation), _REGION, sigma)
    kernel = _fitted(start.kernel.to(photo), min(region.seen.light.shape) // _ROOM * 2 + 1)
    counter = Counter(lambda done: tick(done, polishes(), None, cancel))
    [found] = Race(region.seen, region.noise, counter).polish([Start(kernel)])
    evidence = gather(found.fit, similarity(found.fit.kernel, start.kernel.to(photo)))
    return PsfEstimate(
        psf=Psf.from_tensor(found.fit.kernel if evidence.gain > _LEAST_GAIN else torch.ones(1, 1)).centred(),
        confidence=weigh(evidence),
        noise_sigma=float(estimate_sigma(photo[None]).mean()) if sigma is None else float(sigma),
        size=found.size,
        evidence=evidence,
        scales=found.fit.scales,
        origin="refined",
        tried=(Trial("refined", found.size, found.gain),),
    )


@dataclass(frozen=True)
class _Region:
    """The most informative part of a photograph at the contrast for which the priors were set, and its noise there."""

    seen: Observation
    noise: float

    @classmethod
    def of(cls, whole: Observation, side: int, sigma: float | None) -> "_Region":
        seen = whole.informative(side)
        region, gain = _scaled(seen)
        # the luma averages the channels' noise; its own is measured unless the caller knows better
        measured = float(estimate_sigma(seen.light[None, None])) if sigma is None else sigma
        return cls(region, gain * measured)


def _sizes(size: int | None, side: int) -> list[int]:
    if size is not None:
        return [size // 2 * 2 + 1]
    room = side // _ROOM
    return [s for s in _SIZES if s <= room] or [max(3, (room - 1) // 2 * 2 + 1)]


def _starts(photo: Tensor, starts: Sequence[Tensor] | None, saturation: float, most: int) -> list[Start]:
    """The PSFs to begin with: those given, or what lamps in the photograph draw."""
    if starts is not None:
        return [Start(_fitted(start.to("cpu", torch.float32), most)) for start in starts]
    light = srgb_to_linear(photo.clamp(0, 1))
    clip = float(srgb_to_linear(torch.tensor(min(saturation, 1.0))))
    return [
        Start(_fitted(found.kernel, most), len(found.boxes), found.kernel)
        for found in streak_candidates(light, clip=clip, display=photo, most=_STREAKS)
    ]


def _fitted(kernel: Tensor, most: int) -> Tensor:
    """A kernel in a square odd window with some room to grow, not larger than ``most``."""
    side = min(most, max(kernel.shape) // 2 * 2 + 1 + 2 * max(2, max(kernel.shape) // 8))
    return window(kernel / kernel.sum(), side)


def _scaled(seen: Observation) -> tuple[Observation, float]:
    """The same light at the contrast for which the priors were set, and the factor."""
    known = seen.light[~seen.clipped]
    spread = float(known.std(correction=0)) if len(known) else 0.0
    gain = _CONTRAST / max(spread, _CONTRAST / _MOST_GAIN)
    return replace(seen, light=seen.light * gain), gain


def _check(photo: Tensor, size: int | None, sigma: float | None) -> None:
    channels, height, width = photo.shape
    if channels not in (1, 3):
        raise PsfError(f"the photograph has {channels} channels. A PSF is estimated from grey (1) or colour (3).")
    if min(height, width) < _LEAST_SIDE:
        raise PsfError(
            f"the photograph is {height} x {width}; no blur can be told from less than {_LEAST_SIDE} pixels."
        )
    if not bool(photo.isfinite().all()):
        raise PsfError("the photograph holds NaN or infinite values. Check how it was decoded.")
    if size is not None and not 3 <= size <= min(LARGEST_SIZE, min(height, width) - 1):
        raise PsfError(
            f"a PSF size of {size} does not fit: it goes from 3 to {LARGEST_SIZE}, "
            f"and below the photograph's shorter side ({min(height, width)}). Leave it out to have it found."
        )
    if sigma is not None and not 0 <= sigma < math.inf:
        raise UsageError(f"sigma is {sigma}; a standard deviation is a number of 0 or more.")

"""From a blurred photograph to its PSF: region, size, coarse to fine, confidence."""

import math
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Tensor

from nightsharp.errors import PsfError, UsageError
from nightsharp.methods._blocks import CLIPPED, Cancel, Progress, tick
from nightsharp.methods.map_psf.confidence import Evidence, gather, sparsity, weigh
from nightsharp.methods.map_psf.observation import Observation
from nightsharp.methods.map_psf.pyramid import GRAPHIC, NATURAL, Scale, alternations, coarse_to_fine
from nightsharp.optics import Psf, estimate_sigma

LARGEST_SIZE = 101
_SIZES = (27, 47, 75, 101)
# A smaller window wins when its score is within this part of the best.
_TIE = 0.02
# The weights of the priors were set on images of this contrast; another is scaled to it.
_CONTRAST = 0.17
# Side of the region the PSF is estimated on, and of the small version on which sizes compete.
_REGION, _RACE_REGION = 640, 320
# An image side must hold a window this many times.
_ROOM = 3
_LEAST_SIDE = 32
# Six sharp photographs reached gains of 0.92 to 1.02.
_LEAST_GAIN = 1.04
# Noise in a photograph without contrast is not pulled up without end.
_MOST_GAIN = 20


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
        tried: the score of every size that competed, lower is better; empty when the size was given.
    """

    psf: Psf
    confidence: float
    noise_sigma: float
    size: int
    evidence: Evidence
    scales: tuple[Scale, ...]
    tried: dict[int, float]


def estimate_psf(
    blurred: Float[Tensor, "channel height width"] | Float[Tensor, "1 channel height width"],
    *,
    size: int | None = None,
    sigma: float | None = None,
    saturation: float = CLIPPED,
    progress: Progress | None = None,
    cancel: Cancel | None = None,
) -> PsfEstimate:
    r"""Estimate the PSF of a photograph from the photograph alone.

    .. math:: \min_{u,\,k}\; \| k * g * u - y \|^2 + \lambda \| \nabla u \|_0 + \gamma \| k \|^2,
        \qquad k \ge 0,\ \textstyle\sum k = 1

    The two unknowns take turns, from a coarse scale to the finest. Windows of several sizes compete when no size is
    given, and the smallest whose sharp image is as sparse as the best one's wins. Clipped pixels and whatever lies
    beyond the border are unknown rather than wrong.

    Args:
        blurred: 1 or 3 channels, range [0, 1], a side of at least 32; blur that is the same all over.
        size: side of the PSF's window in pixels, 3 to 101 (made odd); None finds it.
        sigma: standard deviation of the noise, in the range of ``blurred``; estimated when None.
        saturation: the value from which a pixel counts as clipped.
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
        >>> estimate.psf.size[0] < estimate.psf.size[1]
        True

    Source: Pan et al., CVPR 2014 (the scheme, intensity prior left out); Cho and Lee, SIGGRAPH Asia 2009 (PSF step);
    Krishnan et al., CVPR 2011 (the measure by which sizes compete).
    """
    photo = blurred[0] if blurred.ndim == 4 else blurred
    photo = photo.detach().to("cpu", torch.float32)
    _check(photo, size, sigma)
    noise = float(estimate_sigma(photo[None]).mean()) if sigma is None else float(sigma)

    seen = Observation.of(photo, saturation).informative(_REGION)
    region, gain = _scaled(seen)
    # the luma averages the channels' noise; its own is measured unless the caller knows better
    relative = gain * (float(estimate_sigma(seen.light[None, None])) if sigma is None else noise)
    shrink = min(1.0, _RACE_REGION / max(region.light.shape)) if size is None else 1.0
    room = min(region.light.shape) // _ROOM
    sizes = [s for s in _SIZES if s <= room] or [max(3, room // 2 * 2 - 1)]
    if size is not None:
        sizes = [size // 2 * 2 + 1]
    race = [max(5, math.ceil(s * shrink) // 2 * 2 + 1) for s in sizes]

    # one run more, with the other prior; and one at full size when the race was run on a small version
    total = sum(map(alternations, race)) + alternations(race[-1]) + (alternations(sizes[-1]) if shrink < 1 else 0)
    done = 0

    def step() -> None:
        nonlocal done
        done += 1
        tick(done, total, progress, cancel)

    small = region.shrunk(shrink)
    fits = {s: coarse_to_fine(small, s, NATURAL, relative * shrink, step) for s in race}
    scores = {s: sparsity(fit.canvas, fit.kernel, fit.noise) for s, fit in fits.items()}
    chosen = next(s for s in race if scores[s] <= (1 + _TIE) * min(scores.values()))
    window, fit, prior = sizes[race.index(chosen)], fits[chosen], NATURAL
    other = coarse_to_fine(small, chosen, GRAPHIC, relative * shrink, step)
    if sparsity(other.canvas, other.kernel, other.noise) < (1 - _TIE) * scores[chosen]:
        fit, prior = other, GRAPHIC
    if shrink < 1:
        fit = coarse_to_fine(region, window, prior, relative, step)
    if progress is not None:
        progress(total, total)
    evidence = gather(fit)
    # a PSF that sharpens nothing is noise: without visible blur the honest answer is a point
    kernel = fit.kernel if evidence.gain > _LEAST_GAIN else torch.ones(1, 1)
    return PsfEstimate(
        psf=Psf.from_tensor(kernel).centred(),
        confidence=weigh(evidence),
        noise_sigma=noise,
        size=window,
        evidence=evidence,
        scales=fit.scales,
        tried=dict(zip(sizes, scores.values(), strict=True)) if size is None else {},
    )


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

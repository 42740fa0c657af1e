"""From a blurred photograph to its PSF: region, size, coarse to fine, confidence."""

import math
from collections.abc import Sequence
from dataclasses import replace

import torch
from jaxtyping import Float
from torch import Tensor

from nightsharp.errors import PsfError, UsageError
from nightsharp.methods._blocks import CLIPPED, Cancel, Progress, tick
from nightsharp.methods.map_psf.answer import PsfEstimate
from nightsharp.methods.map_psf.hypotheses import Counter
from nightsharp.methods.map_psf.octaves import FURTHEST, octaves, seen_from, widest
from nightsharp.methods.map_psf.search import WIDEST, fitted, most_ticks, refine, refine_ticks, search
from nightsharp.optics import Psf, estimate_sigma

LARGEST_SIZE = FURTHEST * WIDEST
_LEAST_SIDE = 32
SURE = 0.8
"""From this confidence on an estimate is not looked for from further away."""
# From there it must be surer by so much.
_SURER = 0.08
# A PSF of so many pixels, seen from further away, loses nothing: two of two were better than what was found from near.
_WIDE = 9


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
    border are unknown rather than wrong. A large photograph that does not show its PSF so is looked at from further
    away, at a half and a quarter of its size.

    Args:
        blurred: 1 or 3 channels, range [0, 1], a side of at least 32; blur that is the same all over.
        size: side of the PSF's window in pixels, 3 to 101 (made odd), in a photograph of 400 pixels a side to 202, of
            800 to 404; None finds it.
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
        >>> from nightsharp.methods.map_psf import similarity
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
    shorter = min(photo.shape[-2:])
    windows = octaves(shorter, size)
    total = (max(windows, default=1) - 1) * refine_ticks() + sum(
        most_ticks(shorter // octave, window, None if starts is None else len(starts))
        for octave, window in windows.items()
    )
    counter = Counter(lambda done: tick(done, total, progress, cancel))
    answers: dict[int, PsfEstimate] = {}
    for octave, window in windows.items():
        # what was seen surely is looked for from nearer at most
        if octave > min((known for known, found in answers.items() if found.confidence >= SURE), default=octave):
            continue
        found = answers[octave] = search(
            seen_from(photo, octave),
            size=window,
            sigma=None if sigma is None else sigma / octave,
            saturation=saturation,
            starts=None if starts is None else [_from(start, octave) for start in starts],
            tick=counter,
        )
        if found.confidence >= SURE and (octave == 1 or max(found.psf.size) >= _WIDE):
            break
    octave, found = _surest(answers)
    psf, found = found.psf, found.nearer(octave)
    while octave > 1 and psf.size != (1, 1):
        octave //= 2
        psf = fitted(
            seen_from(photo, octave),
            psf.resize(2).centred(),
            sigma=None if sigma is None else sigma / octave,
            saturation=saturation,
            tick=counter,
        )
    if progress is not None:
        progress(total, total)
    return replace(found, psf=psf, noise_sigma=_noise(photo, sigma))


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
        >>> from nightsharp.methods.map_psf import similarity
        >>> from nightsharp.optics import Blur, line
        >>> sharp = torch.from_numpy(camera()[None, None, 40:168, 160:288] / 255).float()
        >>> blurred = Blur(line(9), boundary="replicate")(sharp)
        >>> refined = refine_psf(blurred[0], line(6))
        >>> similarity(refined.psf.kernel, line(9).kernel) > similarity(line(6).kernel, line(9).kernel)
        True
    """
    photo = blurred.detach().to("cpu", torch.float32)
    side = max(3, max(start.size) // 2 * 2 + 1)
    _check(photo, side, sigma)
    octave = min(octaves(min(photo.shape[-2:]), side))
    counter = Counter(lambda done: tick(done, refine_ticks(), None, cancel))
    found = refine(
        seen_from(photo, octave),
        _from(start.kernel.to(photo), octave),
        sigma=None if sigma is None else sigma / octave,
        saturation=saturation,
        tick=counter,
    )
    psf = found.psf if octave == 1 or found.psf.size == (1, 1) else found.psf.resize(octave).centred()
    return replace(found.nearer(octave), psf=psf, noise_sigma=_noise(photo, sigma))


def _surest(answers: dict[int, PsfEstimate]) -> tuple[int, PsfEstimate]:
    """The nearest answer, unless one from further away is surer by enough."""
    octave = min(answers)
    for further in sorted(answers):
        if answers[further].confidence > answers[octave].confidence + _SURER:
            octave = further
    return octave, answers[octave]


def _from(kernel: Tensor, octave: int) -> Tensor:
    return kernel if octave == 1 else Psf.from_tensor(kernel.to("cpu", torch.float32)).resize(1 / octave).kernel


def _noise(photo: Tensor, sigma: float | None) -> float:
    return float(estimate_sigma(photo[None]).mean()) if sigma is None else float(sigma)


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
    shorter = min(height, width)
    if size is not None and not (3 <= size < shorter and octaves(shorter, size)):
        raise PsfError(
            f"a PSF size of {size} does not fit: it goes from 3 to {min(widest(shorter), shorter - 1)} in a photograph "
            f"of {height} x {width}. Leave it out to have it found."
        )
    if sigma is not None and not 0 <= sigma < math.inf:
        raise UsageError(f"sigma is {sigma}; a standard deviation is a number of 0 or more.")

"""The ways to the PSF of a photograph: its edges, the trail of a lamp, windows all over it."""

import os

import torch
from jaxtyping import Float
from torch import Tensor

from nightsharp.errors import PhotoError, PsfError
from nightsharp.methods import map_psf
from nightsharp.methods._blocks import Cancel
from nightsharp.methods.map_psf import PsfEstimate
from nightsharp.methods.map_psf.light_streak import from_light_streak
from nightsharp.methods.map_psf.trails import Box
from nightsharp.optics import Psf
from nightsharp.photo import Limits, Photo
from nightsharp.restore.found import FoundPsf
from nightsharp.restore.given import Given, Light
from nightsharp.restore.opening import clip_of, opened
from nightsharp.restore.progress import StageProgress, stage
from nightsharp.restore.region import part_around, richest_part
from nightsharp.restore.varying import estimate_field

PSF_LIGHT: Light = "display"
"""The domain in which the PSF is estimated."""

# The PSF of an image this small cannot be told from its content.
_SMALLEST_SIDE = 32
_LEAST_SIZE = 3


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
        >>> import torch
        >>> estimate_psf(torch.rand(1, 8, 8))
        Traceback (most recent call last):
        nightsharp.errors.PhotoError: the photo is 8 x 8; a PSF needs at least 32 x 32 pixels to show. ...
    """
    given = opened(photo, light=light, limits=limits)
    height, width = given.size
    if min(height, width) < _SMALLEST_SIDE:
        raise PhotoError(
            f"the photo is {width} x {height}; a PSF needs at least {_SMALLEST_SIDE} x {_SMALLEST_SIDE} pixels to "
            "show. Give a larger part of it."
        )
    return _run_estimator(given, size=size, progress=progress, cancel=cancel)


def psf_from_edges(
    given: Given, *, size: int | None, progress: StageProgress | None, cancel: Cancel | None
) -> FoundPsf:
    """The PSF by the photograph's edges; a point that nobody trusts where it is too small to show one."""
    source = "estimated by map_psf"
    if min(given.size) < _SMALLEST_SIDE:
        return FoundPsf(Psf.from_tensor(torch.ones(1, 1)), 0.0, source)
    side = odd_window(size)
    estimate = _run_estimator(given, size=side, progress=progress, cancel=cancel)
    psf = within_window(estimate.psf, side)
    return FoundPsf(psf, float(estimate.confidence), source, noise_sigma=estimate.noise_sigma)


def psf_from_streak(given: Given, box: Box | None) -> FoundPsf:
    """The PSF off the trail of lamps."""
    rows, columns = richest_part(given) if box is None else part_around(given, box)
    found = from_light_streak(
        given.part("linear", rows, columns)[0],
        None if box is None else (box[0] - columns.start, box[1] - rows.start, *box[2:]),
        clip=clip_of(given, "linear"),
        display=given.part(PSF_LIGHT, rows, columns)[0],
    )
    if found is None:
        raise PsfError("no lamp with a trail that sharpens the photo was found. Show one with a box, or leave it out.")
    lamps = "1 lamp" if len(found.boxes) == 1 else f"{len(found.boxes)} lamps"
    return FoundPsf(found.psf, found.confidence, f"the trail of {lamps}")


def psf_varying(
    given: Given, *, size: int | None, progress: StageProgress | None = None, cancel: Cancel | None = None
) -> FoundPsf:
    """The PSF, and the PSFs where the blur varies."""
    found = estimate_field(
        given.values(PSF_LIGHT)[0],
        size=size,
        saturation=clip_of(given, PSF_LIGHT),
        progress=stage(progress, "estimating the PSFs"),
        cancel=cancel,
    )
    if found.field is None:
        return FoundPsf(found.psf, found.confidence, f"estimated by map_psf; {found.reason}")
    # what the windows say together counts, not the one PSF that does not fit
    source = f"a field by map_psf; {found.reason}"
    return FoundPsf(found.field.mean(), max(found.confidence, found.near), source, found.field)


def odd_window(size: int | None) -> int | None:
    """The largest window for a PSF of at most this side: windows are odd; what is too small is left to be refused.

    Example:
        >>> odd_window(30), odd_window(31), odd_window(None)
        (29, 31, None)
    """
    return size if size is None or size < _LEAST_SIZE else size - 1 + size % 2


def within_window(psf: Psf, side: int | None) -> Psf:
    """The PSF cut evenly about its centre: moving the centroid there can make it larger than its window.

    Example:
        >>> within_window(Psf.from_tensor(torch.ones(9, 7)), 7).size
        (7, 7)
    """
    if side is None or max(psf.size) <= side:
        return psf
    height, width = psf.size
    return psf.crop(min(height, side), min(width, side))


def _run_estimator(
    given: Given, *, size: int | None, progress: StageProgress | None, cancel: Cancel | None
) -> PsfEstimate:
    return map_psf.estimate_psf(
        given.part(PSF_LIGHT, *richest_part(given))[0],
        size=size,
        saturation=clip_of(given, PSF_LIGHT),
        progress=stage(progress, "estimating the PSF"),
        cancel=cancel,
    )

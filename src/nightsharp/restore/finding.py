"""The ways to come by a PSF, by what is at hand: the photograph, a lamp in it, a sharp shot beside it."""

import os
from typing import Literal

from jaxtyping import Float
from torch import Tensor

from nightsharp.errors import UsageError
from nightsharp.methods._blocks import Cancel
from nightsharp.methods.map_psf.pair import from_pair
from nightsharp.methods.map_psf.trails import Box
from nightsharp.photo import Limits
from nightsharp.restore.found import FoundPsf
from nightsharp.restore.given import Light
from nightsharp.restore.opening import clip_of, opened
from nightsharp.restore.progress import StageProgress
from nightsharp.restore.searching import estimate_psf, odd_window, psf_from_streak, psf_varying, within_window


def find_psf(
    photo: str | os.PathLike[str] | Float[Tensor, "channel height width"],
    *,
    size: int | None = None,
    streak: Literal["auto"] | Box | None = None,
    sharp: str | os.PathLike[str] | Float[Tensor, "channel height width"] | None = None,
    varying: bool = False,
    light: Light | None = None,
    limits: Limits | None = None,
    progress: StageProgress | None = None,
    cancel: Cancel | None = None,
) -> FoundPsf:
    """Find the PSF of a photograph.

    Args:
        photo: a file, or a tensor ``(1 or 3, height, width)``, range [0, 1].
        size: the largest side of the PSF, pixels; None chooses.
        streak: read it off the trail of a lamp: found (``"auto"``), or in the box (left, top, width, height).
        sharp: a sharp shot of the same scene.
        varying: look for blur that varies over the photograph.
        light: how the values in a file are to be read; None asks the file.
        limits: what a file may ask of this machine; None takes the preset for desktops. Only for a file.
        progress: called with (stage, steps done, steps at most).
        cancel: asked between steps of a search; True stops.

    Returns:
        The PSF, how far to trust it and where it came from.

    Raises:
        PhotoError: a photograph cannot be read, or is too small.
        LimitError: a photograph is larger than the limits.
        PsfError: there is no trail, or the shots do not belong together.
        UsageError: a size for a PSF that is read off a trail.
        Cancelled: ``cancel`` said so.

    Example:
        >>> import torch
        >>> from skimage.data import camera
        >>> from nightsharp.optics import Blur, line
        >>> scene = torch.from_numpy(camera()[None, 40:168, 160:288] / 255).float()
        >>> find_psf(Blur(line(9), boundary="replicate")(scene[None])[0], sharp=scene).psf.size
        (1, 11)
    """
    if size is not None and streak is not None:
        raise UsageError(f"a size of {size} is asked of the PSF, but it is read off a trail. Leave its size out.")
    side = odd_window(size)
    if sharp is not None:
        still, moved = (opened(shot, light=light, limits=limits) for shot in (sharp, photo))
        pair = from_pair(still.values("linear")[0], moved.values("linear")[0], size=side, clip=clip_of(moved, "linear"))
        words = (
            f"a pair of shots: {pair.gain:.3g} of the sharp one's light, shifted by {pair.shift[1]}, {pair.shift[0]} "
            f"pixels, {pair.explained:.0%} of the edges explained"
        )
        return FoundPsf(within_window(pair.psf, side), pair.explained, words)
    if streak is not None:
        return psf_from_streak(opened(photo, light=light, limits=limits), None if streak == "auto" else streak)
    if varying:
        given = opened(photo, light=light, limits=limits)
        return psf_varying(given, size=side, progress=progress, cancel=cancel)
    found = estimate_psf(photo, size=side, light=light, limits=limits, progress=progress, cancel=cancel)
    return FoundPsf(within_window(found.psf, side), found.confidence, "the photograph alone", None, found.noise_sigma)

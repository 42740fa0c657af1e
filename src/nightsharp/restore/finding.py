"""The ways to come by a PSF, by what is at hand: the photograph, a lamp in it, a sharp shot beside it."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from nightsharp.errors import PsfError, UsageError
from nightsharp.methods.map_psf.pair import from_pair
from nightsharp.methods.map_psf.trails import Box
from nightsharp.optics import Psf, _psf_files
from nightsharp.optics.field import PsfField
from nightsharp.restore.given import Light
from nightsharp.restore.opening import clip_of, opened
from nightsharp.restore.progress import StageProgress
from nightsharp.restore.searching import estimate_psf, psf_from_streak, psf_varying

_LEAST_SIZE = 3


@dataclass(frozen=True, eq=False)
class FoundPsf:
    """A PSF and where it came from.

    Attributes:
        psf: of the photograph as a whole.
        confidence: how far to trust it, in [0, 1].
        source: in words.
        field: the PSFs where the blur varies; None where it does not.
        noise_sigma: the noise that was found; None where it was not asked for.
    """

    psf: Psf
    confidence: float
    source: str
    field: PsfField | None = None
    noise_sigma: float | None = None

    def save(self, file: str | os.PathLike[str], *, overwrite: bool = True) -> Path:
        """Write the PSF; a field as ``.npy`` for use, as ``.png`` with all its PSFs beside and below each other.

        Args:
            file: the path; its ending says the format, as for :meth:`nightsharp.optics.Psf.save`.
            overwrite: whether an existing file may be replaced.

        Returns:
            The path written.

        Raises:
            PsfError: the ending is unknown, or none of a field's; the place cannot be written, or the name is taken.
        """
        path = Path(file)
        if self.field is None:
            values = self.psf.kernel
        elif path.suffix.lower() == ".npy":
            values = self.field.kernels
        elif path.suffix.lower() == ".png":
            values = _mosaic(self.field.kernels)
        else:
            # a mosaic that is stored exactly would be taken for one PSF
            raise PsfError(
                f"{path.name}: PSFs that vary are written as .npy, or as .png to look at. Choose one of these."
            )
        return _psf_files.write(path, values.cpu().numpy(), overwrite=overwrite)


def find_psf(
    photo: str | os.PathLike[str] | Float[Tensor, "channel height width"],
    *,
    size: int | None = None,
    streak: Literal["auto"] | Box | None = None,
    sharp: str | os.PathLike[str] | Float[Tensor, "channel height width"] | None = None,
    varying: bool = False,
    light: Light | None = None,
    progress: StageProgress | None = None,
) -> FoundPsf:
    """Find the PSF of a photograph.

    Args:
        photo: a file, or a tensor ``(1 or 3, height, width)``, range [0, 1].
        size: the largest side of the PSF, pixels; None chooses.
        streak: read it off the trail of a lamp: found (``"auto"``), or in the box (left, top, width, height).
        sharp: a sharp shot of the same scene.
        varying: look for blur that varies over the photograph.
        light: how the values in a file are to be read; None asks the file.
        progress: called with (stage, steps done, steps at most).

    Raises:
        PhotoError: a photograph cannot be read, or is too small.
        PsfError: there is no trail, or the shots do not belong together.
        UsageError: a size for a PSF that is read off a trail.

    Example:
        >>> from skimage.data import camera
        >>> from nightsharp.optics import Blur, line
        >>> scene = torch.from_numpy(camera()[None, 40:168, 160:288] / 255).float()
        >>> find_psf(Blur(line(9), boundary="replicate")(scene[None])[0], sharp=scene).psf.size
        (1, 11)
    """
    if size is not None and streak is not None:
        raise UsageError(f"size is {size}, but the PSF is read off a trail, whatever its size. Leave size out.")
    # windows are odd, and never larger than what was asked for
    side = size if size is None or size < _LEAST_SIZE else size - 1 + size % 2
    if sharp is not None:
        shots = [opened(shot, light=light).values("linear")[0] for shot in (sharp, photo)]
        pair = from_pair(shots[0], shots[1], size=side, clip=clip_of(opened(photo, light=light), "linear"))
        words = (
            f"a pair of shots: {pair.gain:.3g} of the sharp one's light, shifted by {pair.shift[1]}, {pair.shift[0]} "
            f"pixels, {pair.explained:.0%} of the edges explained"
        )
        return FoundPsf(_within(pair.psf, side), pair.explained, words)
    if streak is not None:
        return FoundPsf(*psf_from_streak(opened(photo, light=light), None if streak == "auto" else streak))
    if varying:
        return FoundPsf(*psf_varying(opened(photo, light=light), size=side, progress=progress))
    found = estimate_psf(photo, size=side, light=light, progress=progress)
    return FoundPsf(_within(found.psf, side), found.confidence, "the photograph alone", None, found.noise_sigma)


def _within(psf: Psf, side: int | None) -> Psf:
    """The PSF cut evenly about its centre: moving the centroid there can make it larger than its window."""
    if side is None or max(psf.size) <= side:
        return psf
    height, width = psf.size
    return psf.crop(min(height, side), min(width, side))


def _mosaic(kernels: Float[Tensor, "rows columns k k"]) -> Float[Tensor, "height width"]:
    """The PSFs in their grid, a pixel of black between them."""
    framed = torch.nn.functional.pad(kernels, (0, 1, 0, 1))
    return torch.cat([torch.cat(list(row), dim=1) for row in framed])

"""A PSF, found or given, and where it came from."""

import os
from dataclasses import dataclass
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor

from nightsharp.errors import PsfError
from nightsharp.optics import Psf, _psf_files
from nightsharp.optics.field import PsfField


@dataclass(frozen=True, eq=False)
class FoundPsf:
    """A PSF and where it came from.

    Attributes:
        psf: of the photograph as a whole.
        confidence: how far to trust it, in [0, 1]; None for one that was given.
        source: in words.
        field: the PSFs where the blur varies; None where it does not.
        noise_sigma: the noise that was found; None where it was not asked for.
    """

    psf: Psf
    confidence: float | None
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


def _mosaic(kernels: Float[Tensor, "rows columns k k"]) -> Float[Tensor, "height width"]:
    """The PSFs in their grid, a pixel of black between them."""
    framed = torch.nn.functional.pad(kernels, (0, 1, 0, 1))
    return torch.cat([torch.cat(list(row), dim=1) for row in framed])

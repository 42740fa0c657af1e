"""What a restoration hands back."""

from dataclasses import dataclass
from typing import Any

from jaxtyping import Float
from torch import Tensor

from nightsharp.optics import Psf
from nightsharp.photo import Photo


@dataclass(frozen=True, eq=False)
class Restoration:
    """A restored photograph and how it came about.

    Attributes:
        photo: the photograph to save; None when a tensor was given.
        tensor: the restored tensor; None when a photograph was given.
        psf: the PSF that was used.
        method: the method that restored.
        report: the same story for machines: a plain dict that ``json.dumps`` takes.
    """

    photo: Photo | None
    tensor: Float[Tensor, "channel height width"] | None
    psf: Psf
    method: str
    report: dict[str, Any]

    @property
    def sharp(self) -> Float[Tensor, "channel height width"]:
        """The restored values: of a photograph linear light, of a tensor its own domain; the input's size."""
        if self.photo is not None:
            return self.photo.pixels
        if self.tensor is None:
            raise AssertionError("neither a photograph nor a tensor")
        return self.tensor

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
        sharp: the restored values; of a photograph linear light, of a tensor the tensor's own domain; the input's size.
        psf: the PSF that was used.
        method: the method that restored.
        report: the same story for machines: a plain dict that ``json.dumps`` takes.
    """

    photo: Photo | None
    sharp: Float[Tensor, "channel height width"]
    psf: Psf
    method: str
    report: dict[str, Any]

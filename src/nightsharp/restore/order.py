"""What is to be done with a photograph, when all is known."""

from dataclasses import dataclass

from nightsharp.optics import Psf
from nightsharp.optics.field import PsfField
from nightsharp.restore.function import Weights
from nightsharp.restore.given import Light
from nightsharp.restore.route import Route
from nightsharp.restore.tiles import Place


@dataclass(frozen=True)
class Order:
    """All that decides a restoration, besides the photograph.

    Attributes:
        route: the methods.
        psf: the PSF to restore with.
        source: where it came from, in words.
        confidence: how far to trust it; None for one that was given.
        strength: as the user asked.
        guard: whether the result is judged.
        light: how the values in the file were to be read; None as the file says.
        core: side of a tile that must be taken, as another run had it; None leaves it to the plan.
        weights: of a learned method, in place of the shipped ones.
        field: the PSFs where the blur varies over the photograph; ``psf`` is then their mean.
        gentle: whether it is restored so gently that a result which explains the photograph bears its PSF witness.
    """

    route: Route
    psf: Psf
    source: str
    confidence: float | None
    strength: float
    guard: bool
    light: Light | None
    core: int | None = None
    weights: Weights | None = None
    field: PsfField | None = None
    gentle: bool = False

    def psf_at(self, place: Place) -> Psf:
        """The PSF of a tile: where the blur varies, that of its middle."""
        if self.field is None:
            return self.psf
        row, column = ((part.start + part.stop - 1) / 2 for part in (place.rows, place.columns))
        return self.field.at(row, column, place.size)

"""What happened to the light: point spread functions, blur operators, borders, noise."""

from nightsharp.optics.blur import Blur, Boundary
from nightsharp.optics.border import edge_taper
from nightsharp.optics.field import PsfField
from nightsharp.optics.fourier import psf_to_otf
from nightsharp.optics.grain import without_grain
from nightsharp.optics.noise import estimate_sigma
from nightsharp.optics.psf import Psf, PsfQuality
from nightsharp.optics.sensor import expose
from nightsharp.optics.shapes import defocus, disk, gaussian, line, shake

__all__ = [
    "Blur",
    "Boundary",
    "Psf",
    "PsfField",
    "PsfQuality",
    "defocus",
    "disk",
    "edge_taper",
    "estimate_sigma",
    "expose",
    "gaussian",
    "line",
    "psf_to_otf",
    "shake",
    "without_grain",
]

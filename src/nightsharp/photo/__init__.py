"""A photograph as a file: read into linear light, written back as it came."""

from nightsharp.photo.codes import Codes
from nightsharp.photo.container import Header
from nightsharp.photo.destination import check_destination, write_whole
from nightsharp.photo.limits import Limits
from nightsharp.photo.metadata import Metadata
from nightsharp.photo.photo import Photo
from nightsharp.photo.reading import probe, read_photo
from nightsharp.photo.tone import ToneCurve, linear_to_srgb, srgb_to_linear
from nightsharp.photo.writing import write_photo

__all__ = [
    "Codes",
    "Header",
    "Limits",
    "Metadata",
    "Photo",
    "ToneCurve",
    "check_destination",
    "linear_to_srgb",
    "probe",
    "read_photo",
    "srgb_to_linear",
    "write_photo",
    "write_whole",
]

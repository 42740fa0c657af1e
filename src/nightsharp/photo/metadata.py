"""What a photo is besides its pixels."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from nightsharp.photo.magic import Format
from nightsharp.photo.tone import ToneCurve

Light = Literal["linear", "display"]


@dataclass(frozen=True)
class Metadata:
    """What is kept of a file so that the photo can be written back as it came.

    Args:
        format: what the file was.
        depth: bits per sample, 8 or 16; of floats 16, 32 or 64.
        floating: whether samples are floating point.
        grey: whether the file has one colour channel; the photo then has three equal ones.
        light: how values stand in the file, ``"display"`` through the tone curve or ``"linear"``.
        curve: the tone curve of the file.
        icc: the colour profile, byte for byte.
        exif: the EXIF block without its ``Exif`` prefix, orientation 1, no thumbnail.
        xmp: the XMP packet.
        dpi: print size, dots per inch across and down.
        source: the file it was read from.
        notes: words for the user on what could not be kept or had to be guessed.
        encoding: what the writer of the same format uses again.
    """

    format: Format = "png"
    depth: int = 8
    floating: bool = False
    grey: bool = False
    light: Light = "display"
    curve: ToneCurve = field(default_factory=ToneCurve.srgb, repr=False)
    icc: bytes | None = field(default=None, repr=False)
    exif: bytes | None = field(default=None, repr=False)
    xmp: bytes | None = field(default=None, repr=False)
    dpi: tuple[float, float] | None = None
    source: Path | None = None
    notes: tuple[str, ...] = ()
    encoding: Mapping[str, Any] = field(default_factory=dict, repr=False)

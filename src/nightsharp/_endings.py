"""Which format the ending of a name stands for; light to import, because the command asks before it begins."""

from pathlib import Path
from typing import Literal

Format = Literal["jpeg", "png", "tiff", "webp", "heif", "avif", "raw"]

ENDINGS: dict[str, Format] = {
    ".jpg": "jpeg",
    ".jpeg": "jpeg",
    ".jpe": "jpeg",
    ".jfif": "jpeg",
    ".png": "png",
    ".tif": "tiff",
    ".tiff": "tiff",
    ".webp": "webp",
    ".avif": "avif",
    ".heic": "heif",
    ".heif": "heif",
    ".hif": "heif",
    ".dng": "raw",
    ".cr2": "raw",
    ".cr3": "raw",
    ".nef": "raw",
    ".nrw": "raw",
    ".arw": "raw",
    ".raf": "raw",
    ".orf": "raw",
    ".rw2": "raw",
    ".pef": "raw",
    ".srw": "raw",
    ".3fr": "raw",
    ".iiq": "raw",
    ".x3f": "raw",
}
"""Those of photographs, in small letters."""


def photographs_below(folder: Path) -> list[Path]:
    """The photographs in a folder and in its folders, by path."""
    return sorted(file for file in folder.rglob("*") if file.suffix.lower() in ENDINGS and file.is_file())

"""Files that hold a PSF: pictures, NumPy, MATLAB, text."""

import io
import math
import re
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import tifffile
from PIL import Image

from nightsharp._atomic import write_atomically
from nightsharp.errors import PsfError
from nightsharp.optics import _matlab

_LARGEST_FILE = 64 * 2**20
LARGEST_SIDE = 2001
_PICTURES = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".webp": "WEBP", ".bmp": "BMP"}
_TEXT = {".txt", ".csv", ".dlm"}
_TIFF_COMPRESSIONS = {
    tifffile.COMPRESSION.NONE,
    tifffile.COMPRESSION.LZW,
    tifffile.COMPRESSION.ADOBE_DEFLATE,
    tifffile.COMPRESSION.DEFLATE,
    tifffile.COMPRESSION.PACKBITS,
}
_COMMA, _BLANKS = re.compile(r"\d,\d"), re.compile(r"[^\s,][ \t]+[^\s,]")
_MAT_NAMES = ("psf", "kernel", "k", "f", "h", "filt")


def read(file: Path) -> np.ndarray:
    """The raw values in a PSF file, float64; those of ``.npy`` have as many dimensions as they were saved with."""
    readers: dict[str, Callable[[Path], np.ndarray]] = {
        ".npy": _read_npy,
        ".mat": _read_mat,
        ".tif": _read_tiff,
        ".tiff": _read_tiff,
    }
    readers |= dict.fromkeys(_PICTURES, _read_picture) | dict.fromkeys(_TEXT, _read_text)
    ending = file.suffix.lower()
    if ending not in readers:
        raise PsfError(
            f"{file.name}: a PSF is read from {', '.join(sorted(readers))}; {ending or 'no ending'} is not one."
        )
    try:
        if not file.is_file():
            what = "not a file" if file.exists() else "not there"
            raise PsfError(f"{file} is {what}. Check the path, or give a formula such as line:15,30.")
        size = file.stat().st_size
        if size > _LARGEST_FILE:
            raise PsfError(f"{file.name} has {size / 2**20:.0f} MiB; a PSF has a few. Is it the right file?")
        with warnings.catch_warnings():
            # numpy and Pillow only warn of an empty text file or an oversized picture; both end as errors here
            warnings.simplefilter("error")
            return readers[ending](file)
    except PsfError:
        raise
    except MemoryError:
        raise PsfError(f"{file.name} claims a size that does not fit the memory. Is it the right file?") from None
    except Exception as problem:
        # decoders raise a whole zoo on damaged files; every one of them means the same to the user
        reason = str(problem).partition("\n")[0].rstrip(".") or type(problem).__name__
        raise PsfError(
            f"{file.name} cannot be read as a PSF: {reason}. Check that it is whole and that its ending is right."
        ) from problem


def write(file: Path, kernel: np.ndarray, *, overwrite: bool = True) -> Path:
    """Write by the ending of the name, whole or not at all; without ``overwrite`` an existing file stays."""
    buffer = io.BytesIO()
    match file.suffix.lower():
        case ".npy":
            np.save(buffer, kernel.astype(np.float32))
        case ".tif" | ".tiff":
            tifffile.imwrite(buffer, kernel.astype(np.float32))
        case ".png":
            Image.fromarray(np.round(kernel / kernel.max() * 65535).astype(np.uint16)).save(buffer, format="PNG")
        case other:
            raise PsfError(f"{file.name}: a PSF is written as .npy, .png or .tif; {other or 'no ending'} is not one.")
    try:
        return write_atomically(file, buffer.getvalue(), overwrite=overwrite)
    except FileExistsError as problem:
        raise PsfError(f"{file} exists already. Choose another name, or ask for it to be replaced.") from problem
    except OSError as problem:
        raise PsfError(f"{file} cannot be written: {problem.strerror or problem}. Choose another place.") from problem


def _check_size(file: Path, *sides: int) -> None:
    if max(sides) > LARGEST_SIDE:
        raise PsfError(
            f"{file.name} is {' x '.join(str(side) for side in sides)}, which is a picture rather than a PSF "
            f"(sides up to {LARGEST_SIDE})."
        )


def _read_npy(file: Path) -> np.ndarray:
    # mapped, so that the header's claim is held against the file's length before memory is asked for
    values = np.lib.format.open_memmap(file, mode="r")
    if values.ndim:
        _check_size(file, *values.shape)
    if values.dtype.kind not in "fiub":
        raise PsfError(f"{file.name} holds {values.dtype}, not real numbers. Save the PSF as a float array.")
    return np.array(values, dtype=np.float64)


def _read_text(file: Path) -> np.ndarray:
    text = file.read_text(encoding="utf-8-sig")
    _check_size(file, text.count("\n"), 1)
    parted = "semicolons" if ";" in text else "blanks" if _parted_by_blanks(text) else None
    if "," in text and parted is not None:
        raise PsfError(
            f"{file.name} has both commas and {parted}, so that a comma may part numbers or be a decimal comma. "
            "Write decimal points and one kind of separator."
        )
    lines = text.replace(",", " ").replace(";", " ").splitlines()
    _check_size(file, len(lines), max((len(line.split()) for line in lines), default=0))
    return np.loadtxt(lines, ndmin=2)


def _parted_by_blanks(text: str) -> bool:
    """Whether a line with a comma between digits has numbers that blanks or tabs alone hold apart."""
    return any(_COMMA.search(line) and _BLANKS.search(line) for line in text.splitlines())


def _read_tiff(file: Path) -> np.ndarray:
    with tifffile.TiffFile(file) as tiff:
        page = tiff.pages.first
        _check_size(file, *(length for axis, length in zip(page.axes, page.shape, strict=True) if axis != "S"))
        if max(math.prod(page.shape), math.prod(page.chunks)) > 4 * LARGEST_SIDE**2:
            raise PsfError(
                f"{file.name} claims pixels of {page.shape} in tiles of {page.chunks}, far more than a PSF. "
                "Check that it is whole."
            )
        if page.compression not in _TIFF_COMPRESSIONS:
            method = tifffile.COMPRESSION(page.compression).name
            raise PsfError(f"{file.name} is compressed by {method}. Save it without compression.")
        values = np.asarray(page.asarray(), dtype=np.float64)
        if "S" in page.axes:
            samples = np.moveaxis(values, page.axes.index("S"), -1)
            # what comes after grey or RGB is alpha or a mask
            values = samples[..., : 3 if samples.shape[-1] >= 3 else 1].mean(axis=-1)
    return values


def _read_picture(file: Path) -> np.ndarray:
    with Image.open(file, formats=[_PICTURES[file.suffix.lower()]]) as picture:
        _check_size(file, picture.height, picture.width)
        if picture.has_transparency_data:
            pixels = np.asarray(picture.convert("RGBA"), dtype=np.float64)
            return pixels[..., :3].mean(axis=-1) * pixels[..., 3]
        grey = picture.mode in ("L", "F") or picture.mode.startswith("I")
        values = np.asarray(picture if grey else picture.convert("RGB"), dtype=np.float64)
    return values if grey else values.mean(axis=-1)


def _read_mat(file: Path) -> np.ndarray:
    found = {
        name.lower(): values
        for name, values in _matlab.read_matrices(file, _LARGEST_FILE).items()
        if values.size > 1 and max(values.shape) <= LARGEST_SIDE
    }
    known = [name for name in _MAT_NAMES if name in found]
    if not found:
        raise PsfError(f"{file.name} holds no real two-dimensional array of PSF size. Is it the right file?")
    if not known and len(found) > 1:
        raise PsfError(
            f"{file.name} holds {', '.join(sorted(found))}; which is the PSF is not clear. "
            f"Name the variable one of {', '.join(_MAT_NAMES)}."
        )
    return found[known[0] if known else next(iter(found))].astype(np.float64)

"""From a photo to a file."""

import math
import os
from collections.abc import Callable
from pathlib import Path
from typing import cast

import numpy as np
import torch
from jaxtyping import Float32, Shaped
from torch import Tensor

from nightsharp._endings import ENDINGS, Format
from nightsharp.errors import LimitError, NightsharpError, PhotoError
from nightsharp.photo.container import Picture
from nightsharp.photo.destination import check_destination, write_whole
from nightsharp.photo.exif import settle
from nightsharp.photo.metadata import Metadata
from nightsharp.photo.photo import Photo
from nightsharp.photo.tone import ToneCurve

Encoder = Callable[[Picture, list[str]], bytes | memoryview]

_WRITABLE = ".jpg, .png, .tif, .webp, .avif, .heic"

# Luminance of linear light with the primaries of sRGB, IEC 61966-2-1; for greys any weights that sum to 1 would do.
_LUMINANCE = (0.2126, 0.7152, 0.0722)


def write_photo(photo: Photo, path: str | os.PathLike[str], overwrite: bool = False) -> tuple[str, ...]:
    """Write a photo whole or not at all; the ending of the name chooses the format.

    Depth, grey, colour profile, EXIF, XMP and transparency go back as they came, as far as the format can hold them.
    The file gets its name in one step, when all of it is on the disk.

    Args:
        photo: what to write; values outside [0, 1] are clipped where the format holds integers.
        path: the file, ending in .jpg, .png, .tif, .webp, .avif or .heic.
        overwrite: whether an existing file may be replaced. The file the photo was read from never is.

    Returns:
        Words for the user on what the format could not hold.

    Raises:
        PhotoError: the ending is unknown, the format cannot hold the photo, or the place cannot be written.
        UsageError: the file is the one the photo was read from.
        LimitError: there is not enough memory.

    Example:
        >>> import tempfile
        >>> write_photo(Photo(torch.full((3, 4, 6), 0.25)), Path(tempfile.mkdtemp(), "grey.png"))
        ()
    """
    file = Path(path)
    target = format_of(file)
    source = photo.meta.source
    check_destination(file, overwrite=overwrite, source=source)
    notes: list[str] = []
    try:
        content = _encoder(target)(_picture(photo, target, notes), notes)
    except NightsharpError as problem:
        raise type(problem)(f"{file.name}: {problem}") from problem
    except MemoryError as problem:
        raise LimitError(f"{file.name}: there is not enough memory to write this photo.") from problem
    except Exception as problem:  # encoders raise what they like on metadata they do not like
        raise PhotoError(
            f"{file.name}: the photo cannot be encoded ({problem}). Save it in another format."
        ) from problem
    write_whole(file, content, overwrite=overwrite, source=source)
    return tuple(notes)


def format_of(file: Path) -> Format:
    """The format that the ending of a name asks for.

    Raises:
        PhotoError: no format is written under this ending.
    """
    ending = file.suffix.lower()
    asked = ENDINGS.get(ending)
    if asked not in (None, "raw"):
        return asked
    if asked == "raw":
        raise PhotoError(
            f"{file.name}: a camera RAW cannot be written. Save the developed photo as .tif, .png or .jpg."
        )
    raise PhotoError(f"{file.name}: the ending {ending or '(none)'} says no format. Use one of {_WRITABLE}.")


def _encoder(target: Format) -> Encoder:
    match target:
        case "jpeg":
            from nightsharp.photo.formats.jpeg import encode_jpeg as encoder
        case "png":
            from nightsharp.photo.formats.png import encode_png as encoder
        case "tiff":
            from nightsharp.photo.formats.tiff_writing import encode_tiff as encoder
        case "webp":
            from nightsharp.photo.formats.webp import encode_webp as encoder
        case "avif":
            from nightsharp.photo.formats.avif import encode_avif as encoder
        case "heif":
            from nightsharp.photo.formats.heif import encode_heif as encoder
        case "raw":
            raise AssertionError("no ending asks for RAW")
    return encoder


def _picture(photo: Photo, target: Format, notes: list[str]) -> Picture:
    meta = photo.meta
    exif = settle(meta.exif, photo.width, photo.height) if meta.exif else None
    if meta.exif and exif is None:
        notes.append("the EXIF block is damaged and is left out")
    curve = _file_curve(meta, target, notes)
    icc = meta.icc
    if icc and icc[16:20] == b"GRAY" and meta.grey and not _stays_grey(photo, target):
        notes.append(f"{target.upper()} holds this grey photo as colour; its grey profile is left out for sRGB")
        icc, curve = None, ToneCurve.srgb()
    return Picture(
        codes=_codes(photo, target, curve, notes),
        icc=icc,
        exif=exif,
        xmp=meta.xmp,
        dpi=meta.dpi,
        encoding=_encoding(meta, target),
    )


def _encoding(meta: Metadata, target: Format) -> dict[str, object]:
    if target == meta.format:
        return dict(meta.encoding)
    # what came without loss goes to WebP without loss, if WebP can hold it
    if target == "webp" and meta.format in ("png", "tiff") and meta.depth == 8:
        return {"lossless": True}
    return {}


def _stays_grey(photo: Photo, target: Format) -> bool:
    """Whether a grey photo goes into the file with one colour channel."""
    return target in ("jpeg", "png", "tiff") or (target in ("avif", "heif") and photo.alpha is None)


def _codes(
    photo: Photo, target: Format, curve: ToneCurve, notes: list[str]
) -> Shaped[np.ndarray, "height width channels"]:
    """The values that go into the file: alpha last, floats where the source was floating and the format can."""
    meta = photo.meta
    if target == "tiff" and meta.floating:
        return _floats(photo)
    kind = np.dtype(np.uint8 if target in ("jpeg", "webp", "avif") or meta.depth == 8 else np.uint16)
    if kind == np.uint8 and meta.depth > 8:
        notes.append(f"{target.upper()} is written with 8 bits per channel; the photo had {meta.depth}")
    channels = 1 if meta.grey else 3
    codes = np.empty((photo.height, photo.width, channels + (photo.alpha is not None)), kind)
    brightest = 0.0
    for rows in photo.bands():
        colour = _colour(photo, rows)
        brightest = max(brightest, float(colour.max()))
        codes[rows, :, :channels] = curve.encode_codes(colour, kind)
        if photo.alpha is not None:
            opacity = photo.alpha[:, rows].detach().to("cpu", torch.float32)
            codes[rows, :, channels:] = ToneCurve.linear().encode_codes(opacity, kind)
    if meta.floating and brightest > 1:
        notes.append("values above white are clipped; a .tif would keep them")
    return codes


def _colour(photo: Photo, rows: slice) -> Float32[Tensor, "channels height width"]:
    """Linear light of some rows; one channel where the file is grey."""
    part = photo.part(rows)
    light = (_one_channel(part) if photo.meta.grey else part).detach().to("cpu", torch.float32)
    if not all(math.isfinite(float(end)) for end in light.aminmax()):  # NaN where there is one
        raise PhotoError("the photo holds values that are no finite numbers. Replace them before saving.")
    return light


def _floats(photo: Photo) -> Shaped[np.ndarray, "height width samples"]:
    meta, pixels = photo.meta, _colour(photo, slice(None))
    values = pixels if meta.light == "linear" else meta.curve.encode(pixels)
    alpha = None if photo.alpha is None else photo.alpha.detach().to("cpu", torch.float32)
    together = values if alpha is None else torch.cat([values, alpha])
    with np.errstate(over="ignore"):
        floats = together.permute(1, 2, 0).numpy().astype(f"f{meta.depth // 8}")
    if not np.isfinite(floats).all():
        raise PhotoError(
            "values above 65504 do not fit 16-bit floats. Save a .png, or read the photo from 32-bit floats."
        )
    return floats


def _file_curve(meta: Metadata, target: Format, notes: list[str]) -> ToneCurve:
    """The curve through which values go into the file."""
    stated_in_png = meta.format == "png" and meta.icc is None
    curve = ToneCurve.srgb() if stated_in_png and target != "png" else meta.curve
    if meta.light == "display" or meta.floating:
        return curve
    if target in (meta.format, "png", "tiff"):
        return ToneCurve.linear()
    notes.append(f"the values were linear light; {target.upper()} is written with the display's tone curve")
    return ToneCurve.srgb() if curve.is_linear else curve


def _one_channel(pixels: Tensor) -> Tensor:
    """Grey of three channels: the one they all are, else their luminance."""
    if torch.equal(pixels[0], pixels[1]) and torch.equal(pixels[1], pixels[2]):
        return pixels[:1]
    weights = pixels.new_tensor(_LUMINANCE)[:, None, None]
    return cast(Tensor, (pixels * weights).sum(0, keepdim=True))

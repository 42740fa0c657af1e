"""From a file to a photo."""

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path  # noqa: F401 - the examples use it

import numpy as np
import torch
from jaxtyping import Float32, Shaped
from torch import Tensor

from nightsharp.errors import LimitError, PhotoError, UsageError
from nightsharp.photo.codes import Codes
from nightsharp.photo.container import Container, Decoded, Header
from nightsharp.photo.exif import density_of, settle, settle_xmp
from nightsharp.photo.limits import Limits
from nightsharp.photo.magic import HEAD, Format, sniff
from nightsharp.photo.metadata import Light, Metadata
from nightsharp.photo.orientation import turns, upright
from nightsharp.photo.photo import Photo
from nightsharp.photo.source import Source, open_source
from nightsharp.photo.tone import ToneCurve, curve_of_profile


def read_photo(path: str | os.PathLike[str], light: Light | None = None, limits: Limits | None = None) -> Photo:
    """Read a photograph into linear light, upright.

    The format is told by the first bytes, not by the name. Integer values go through the tone curve of the embedded
    colour profile, else that of sRGB; floating-point TIFF and camera RAW are linear already.

    Args:
        path: a JPEG, PNG, TIFF, WebP, AVIF, HEIC or camera RAW file.
        light: ``"linear"`` where the values of the file are linear already, ``"display"`` where floats are not; None
            lets the file say.
        limits: what reading may cost, checked before pixels are decoded; ``Limits.desktop()`` where None.

    Returns:
        The photo; ``photo.notes`` says what of the file could not be kept.

    Raises:
        PhotoError: there is no such file, it is no photo, damaged, or needs an extra that is not installed.
        LimitError: reading would cost more than ``limits``, or more memory than there is.
        UsageError: ``light="display"`` for a camera RAW.

    Example:
        >>> import tempfile
        >>> file = Path(tempfile.mkdtemp(), "street.png")
        >>> notes = Photo(torch.full((3, 4, 6), 0.25)).save(file)
        >>> photo = read_photo(file)
        >>> photo.width, photo.meta.format, photo.meta.depth
        (6, 'png', 8)
        >>> scan = read_photo(file, light="linear")
    """
    try:
        with open_source(path, limits or Limits.desktop()) as source:
            container = _open(source)
            if container.display and light == "display":
                raise UsageError(f"{source.file_name} is a camera RAW, which is linear. Leave light out.")
            return _assemble(container, container.decode(), light, source)
    except MemoryError as problem:
        raise LimitError(f"{path}: there is not enough memory to hold this photo. Crop or shrink it.") from problem


def probe(path: str | os.PathLike[str], limits: Limits | None = None) -> Header:
    """What a file says about its photo, and what reading it would cost; no pixel is decoded.

    Args:
        path: a file that ``read_photo`` reads.
        limits: checked as ``read_photo`` checks them; ``Limits.desktop()`` where None.

    Returns:
        Format, upright size, depth, frames, bytes of memory.

    Raises:
        PhotoError: there is no such file, it is no photo, or its header is damaged.
        LimitError: reading would cost more than ``limits``.

    Example:
        >>> import tempfile
        >>> file = Path(tempfile.mkdtemp(), "street.png")
        >>> notes = Photo(torch.full((3, 4, 6), 0.25)).save(file)
        >>> probe(file).width
        6
    """
    with open_source(path, limits or Limits.desktop()) as source:
        return _open(source).header


def _open(source: Source) -> Container:
    """The header, checked against the limits, its size upright."""
    container = _opener(sniff(source.file_name, source.at(0, HEAD)))(source)
    header, limits = container.header, source.limits
    limits.check_size(source.file_name, header.width, header.height)
    limits.check_frames(source.file_name, header.frames)
    limits.check_memory(source.file_name, header.memory)
    if turns(container.orientation):
        container.header = replace(header, width=header.height, height=header.width)
    return container


def _opener(format: Format) -> Callable[[Source], Container]:  # noqa: A002
    """The reader of a format; its libraries are loaded when it is first needed."""
    match format:
        case "jpeg":
            from nightsharp.photo.formats.jpeg import open_jpeg as opener
        case "png":
            from nightsharp.photo.formats.png import open_png as opener
        case "tiff":
            from nightsharp.photo.formats.tiff import open_tiff as opener
        case "webp":
            from nightsharp.photo.formats.webp import open_webp as opener
        case "avif":
            from nightsharp.photo.formats.avif import open_avif as opener
        case "heif":
            from nightsharp.photo.formats.heif import open_heif as opener
        case "raw":
            from nightsharp.photo.formats.raw import open_raw as opener
    return opener


def _assemble(container: Container, decoded: Decoded, light: Light | None, source: Source) -> Photo:
    header, notes = container.header, container.notes
    curve, said = _curve(container)
    if said:
        notes.append(said)
    read_as: Light = light or ("linear" if container.linear else "display")
    codes = upright(decoded.codes, container.orientation)
    height, width = codes.shape[:2]
    pixels = _held(codes, curve if read_as == "display" else ToneCurve.linear(), source.file_name)
    alpha = None
    if decoded.alpha is not None:
        opacity = upright(decoded.alpha, container.orientation)[..., None]
        alpha = _light(opacity, ToneCurve.linear(), source.file_name)
    source.deadline.check()
    exif = settle(container.exif, width, height) if container.exif else None
    if container.exif and exif is None:
        notes.append("the EXIF block is damaged and is left out")
    meta = Metadata(
        format=header.format,
        depth=header.depth,
        floating=header.floating,
        grey=header.channels == 1,
        # a RAW is linear, what is written of it is a developed picture
        light="display" if container.display else read_as,
        curve=curve,
        icc=container.icc,
        exif=exif,
        xmp=settle_xmp(container.xmp) if container.xmp else None,
        dpi=container.dpi or (density_of(exif) if exif else None),
        source=source.path.absolute(),
        notes=tuple(notes),
        encoding=container.encoding,
    )
    return Photo(pixels, alpha, meta)


def _curve(container: Container) -> tuple[ToneCurve, str | None]:
    """The tone curve of a file, and a word where its profile cannot be used."""
    if container.icc is None and container.gamma is not None:
        return ToneCurve.power(container.gamma), None
    return curve_of_profile(container.icc)


def _held(
    codes: Shaped[np.ndarray, "height width channels"], curve: ToneCurve, name: str
) -> Float32[Tensor, "3 height width"] | Codes:
    """What a photo holds of a file: its integers, or floats in linear light."""
    return Codes(codes, curve) if codes.dtype in (np.uint8, np.uint16) else _in_three(_light(codes, curve, name))


def _light(
    codes: Shaped[np.ndarray, "height width channels"], curve: ToneCurve, name: str
) -> Float32[Tensor, "channels height width"]:
    """Linear light of what a file holds, integers or floats."""
    if codes.dtype.kind == "u":
        return curve.decode_codes(codes)
    with np.errstate(over="ignore"):  # a 64-bit float may be too large for 32 bits; that is found below
        values = np.ascontiguousarray(codes.transpose(2, 0, 1), np.float32)
    if count := values.size - int(np.isfinite(values).sum()):
        raise PhotoError(f"{name} holds {count} values that are no finite numbers. Replace them, by 0 for instance.")
    floats = torch.from_numpy(values)
    return floats if curve is ToneCurve.linear() else curve.decode(floats)


def _in_three(pixels: Float32[Tensor, "channels height width"]) -> Float32[Tensor, "3 height width"]:
    """Grey as three equal channels, each with memory of its own."""
    if pixels.shape[0] == 3:
        return pixels
    return torch.from_numpy(np.repeat(pixels.numpy(), 3, axis=0))

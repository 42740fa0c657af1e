"""Reading TIFF, by tifffile and imagecodecs.

The directory is read and checked here before tifffile sees the file: how many strips there must be, that each lies
inside the file, and what each may unpack to.
"""

import struct
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Shaped

from nightsharp.errors import PhotoError
from nightsharp.photo.container import Container, Decoded, Header, peak_memory
from nightsharp.photo.decoding import damaged, refusing
from nightsharp.photo.exif import density, gather
from nightsharp.photo.formats.cmyk import rgb_from_cmyk
from nightsharp.photo.formats.jpeg import MOST_SCANS
from nightsharp.photo.ifd import BadDirectoryError, Directory, Tree
from nightsharp.photo.source import Source

_NONE, _LZW, _JPEG, _DEFLATE, _OLD_DEFLATE, _PACKBITS, _ZSTD = 1, 5, 7, 8, 32946, 32773, 50000
_COMPRESSIONS = {
    _NONE: "none",
    _LZW: "lzw",
    _JPEG: "deflate",
    _DEFLATE: "deflate",
    _OLD_DEFLATE: "deflate",
    _PACKBITS: "deflate",
    _ZSTD: "zstd",
}
"""What is read, and what is written back for it."""

_WHITE_IS_ZERO, _BLACK_IS_ZERO, _RGB, _PALETTE, _CMYK, _YCBCR = 0, 1, 2, 3, 5, 6
_RAW_PHOTOMETRIC = {32803, 34892}
_COLOUR_SAMPLES = {_WHITE_IS_ZERO: 1, _BLACK_IS_ZERO: 1, _RGB: 3, _PALETTE: 1, _CMYK: 4, _YCBCR: 3}
_DNG_VERSION = 50706
_FLOAT = 3
_REDUCED = 1
# Enough to find the pixels of every RAW file; the first directory of many is a preview.
_LOOK_INTO = 8


@dataclass(frozen=True)
class _Layout:
    """How the pixels of one directory lie in the file."""

    index: int
    width: int
    height: int
    samples: int
    bits: int
    floating: bool
    photometric: int
    compression: int
    planar: bool
    alpha: int | None
    unit_width: int
    unit_height: int
    palette: Shaped[np.ndarray, "3 colours"] | None


def is_raw(tree: Tree) -> bool:
    """Whether a TIFF is a camera RAW: a DNG, or one with the mosaic of a sensor in any of its directories."""
    for directory in tree.chain(_LOOK_INTO):
        if _DNG_VERSION in directory.entries or tree.integer(directory, 262, -1) in _RAW_PHOTOMETRIC:
            return True
        for offset in tree.numbers(directory, 330)[:_LOOK_INTO]:
            try:
                if tree.integer(tree.directory(offset), 262, -1) in _RAW_PHOTOMETRIC:
                    return True
            except BadDirectoryError:
                continue
    return False


def open_tiff(source: Source) -> Container:
    """Read the header of a TIFF, or hand it on where it is a camera RAW."""
    name = source.file_name
    try:
        tree = Tree(source.at, source.size)
        if is_raw(tree):
            from nightsharp.photo.formats.raw import open_raw

            return open_raw(source)
        directories = list(tree.chain(_LOOK_INTO))
        # a preview may come first; it says so
        full = (i for i, d in enumerate(directories) if not tree.integer(d, 254) & _REDUCED)
        index = next(full, 0)
        directory = directories[index]
        layout = _lay_out(name, tree, directory, index)
        _check_units(source, tree, directory, layout)
        return _container(source, tree, directory, layout, tree.count(source.limits.frames + 1))
    except BadDirectoryError as problem:
        raise damaged(name, "TIFF", str(problem)) from problem
    except IndexError as problem:
        raise damaged(name, "TIFF", "no picture in it") from problem


def _lay_out(name: str, tree: Tree, directory: Directory, index: int) -> _Layout:
    width, height = tree.integer(directory, 256), tree.integer(directory, 257)
    samples = tree.integer(directory, 277, 1)
    bits = set(tree.numbers(directory, 258) or [1])
    formats = set(tree.numbers(directory, 339) or [1])
    compression, photometric = tree.integer(directory, 259, 1), tree.integer(directory, 262, _BLACK_IS_ZERO)
    predictor, depth = tree.integer(directory, 317, 1), tree.integer(directory, 32997, 1)
    if not width or not height or max(width, height) >= 2**31 or depth != 1:
        raise damaged(name, "TIFF", f"{width} x {height} x {depth} pixels")
    if len(bits) > 1 or len(formats) > 1:
        raise PhotoError(f"{name} is a TIFF whose channels differ in depth. Save it as plain RGB.")
    (bit,), (form,) = bits, formats
    floating = form == _FLOAT
    if (floating and bit not in (16, 32, 64)) or (not floating and (form not in (1, 4) or not 1 <= bit <= 16)):
        raise PhotoError(f"{name} is a TIFF of {bit}-bit samples of format {form}. Save it with 8, 16 or 32-bit float.")
    if compression not in _COMPRESSIONS:
        raise PhotoError(
            f"{name} is a TIFF compressed by method {compression}; none, LZW, deflate, PackBits, JPEG and Zstandard "
            "are read. Save it with one of these."
        )
    # JPEG turns YCbCr into RGB on its way; nothing else is expected to be YCbCr.
    wanted = _COLOUR_SAMPLES.get(photometric)
    if wanted is None or (photometric == _YCBCR and compression != _JPEG) or (photometric == _PALETTE and bit > 8):
        raise PhotoError(f"{name} is a TIFF of photometric kind {photometric}. Save it as plain RGB or grey.")
    if not wanted <= samples <= 64 or (compression == _JPEG and (bit != 8 or samples not in (1, 3, 4))):
        raise damaged(name, "TIFF", f"{samples} samples of {bit} bits per pixel")
    if predictor not in (1, 2, 3) or (predictor == 3) > floating:
        raise damaged(name, "TIFF", f"predictor {predictor}")
    tiled = 322 in directory.entries
    unit_width = tree.integer(directory, 322) if tiled else width
    unit_height = tree.integer(directory, 323) if tiled else min(tree.integer(directory, 278) or height, height)
    if not unit_width or not unit_height or (tiled and unit_width * unit_height > max(2**24, 4 * width * height)):
        raise damaged(name, "TIFF", f"tiles of {unit_width} x {unit_height}")
    extra = tree.numbers(directory, 338)
    return _Layout(
        index=index,
        width=width,
        height=height,
        samples=samples,
        bits=bit,
        floating=floating,
        photometric=photometric,
        compression=compression,
        planar=tree.integer(directory, 284, 1) == 2,
        alpha=(extra[0] if extra else 0) if samples > wanted else None,
        unit_width=unit_width,
        unit_height=unit_height,
        palette=_palette(name, tree, directory, bit) if photometric == _PALETTE else None,
    )


def _palette(name: str, tree: Tree, directory: Directory, bits: int) -> Shaped[np.ndarray, "3 colours"]:
    values = tree.numbers(directory, 320)
    if len(values) != 3 << bits:
        raise damaged(name, "TIFF", f"a palette of {len(values)} values")
    table = np.array(values, np.uint16).reshape(3, -1)
    # 8-bit palettes are stored times 257, or by old writers times 256
    return (table >> 8).astype(np.uint8)


def _check_units(source: Source, tree: Tree, directory: Directory, layout: _Layout) -> None:
    """Strips or tiles: as many as the geometry asks for, inside the file, and no more bytes than the file has."""
    name = source.file_name
    tiled = 324 in directory.entries
    offsets = tree.numbers(directory, 324 if tiled else 273)
    counts = tree.numbers(directory, 325 if tiled else 279)
    across, down = -(-layout.width // layout.unit_width), -(-layout.height // layout.unit_height)
    units = across * down * (layout.samples if layout.planar else 1)
    if len(offsets) != units or len(counts) != units:
        raise damaged(name, "TIFF", f"{len(offsets)} offsets and {len(counts)} sizes for {units} strips or tiles")
    if any(not count or not 8 <= offset <= source.size - count for offset, count in zip(offsets, counts, strict=True)):
        raise damaged(name, "TIFF", "its pixels lie outside the file")
    if sum(counts) > 2 * source.size:
        raise damaged(name, "TIFF", "the same bytes serve for many strips")
    if layout.compression == _JPEG:
        for offset, count in zip(offsets, counts, strict=True):
            _check_jpeg(name, source.at(offset, count), layout)


def _check_jpeg(name: str, data: bytes, layout: _Layout) -> None:
    """A JPEG inside a TIFF must not be larger than its strip or tile, nor made to be slow."""
    slow = data.count(b"\xff\xda") > MOST_SCANS
    position = 2
    while not slow and position + 9 <= len(data) and data[position] == 0xFF:
        marker, length = data[position + 1], int.from_bytes(data[position + 2 : position + 4], "big")
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            height, width = struct.unpack_from(">HH", data, position + 5)
            # encoders fill up to whole blocks of 16
            if width <= layout.unit_width + 16 and height <= layout.unit_height + 16:
                return
            break
        position += 2 + length
    raise damaged(name, "TIFF", "a JPEG strip that is not what the directory says")


def _container(source: Source, tree: Tree, directory: Directory, layout: _Layout, pages: int) -> Container:
    notes = []
    if pages > 1:
        notes.append("the file has several pages; only the first is kept")
    colour = _COLOUR_SAMPLES[layout.photometric]
    if layout.samples > colour + 1:
        notes.append(f"{layout.samples - colour - 1} further channels are left out")
    if layout.photometric == _PALETTE:
        notes.append("the palette was unfolded; the photo is written back as RGB")
    if not layout.floating and layout.bits not in (8, 16):
        notes.append(f"{layout.bits}-bit samples are written back as {8 if layout.bits < 8 else 16}-bit ones")
    if layout.bits == 64:
        notes.append("64-bit floats are processed with the precision of 32 bits")
    stored = max(1, layout.bits // 8) + (layout.bits > 8 and layout.bits < 16)
    unit = layout.unit_width * layout.unit_height * layout.samples * stored
    orientation = tree.integer(directory, 274, 1)
    encoding: dict[str, Any] = {"compression": _COMPRESSIONS[layout.compression]}
    if layout.alpha is not None:
        encoding["alpha"] = layout.alpha
    alpha = layout.alpha is not None
    container = Container(
        Header(
            format="tiff",
            width=layout.width,
            height=layout.height,
            channels=1 if colour == 1 and layout.palette is None else 3,
            alpha=alpha,
            depth=layout.bits if layout.floating else (8 if layout.bits <= 8 else 16),
            floating=layout.floating,
            frames=pages,
            file_bytes=source.size,
            memory=peak_memory(
                layout.width,
                layout.height,
                working=layout.samples * stored * 2,
                alpha=alpha,
                # a strip is read, unpacked and put in place
                file_bytes=3 * unit + (8 << 20),
            ),
        ),
        decode=lambda: _decode(container, source, layout),
        orientation=orientation if 1 <= orientation <= 8 else 1,
        icc=_block(tree, directory, 34675, "colour profile", notes),
        exif=gather(tree, directory),
        xmp=_block(tree, directory, 700, "XMP packet", notes),
        dpi=density(tree, directory),
        linear=layout.floating,
        encoding=encoding,
        notes=notes,
    )
    return container


def _block(tree: Tree, directory: Directory, tag: int, what: str, notes: list[str]) -> bytes | None:
    """The bytes of a tag that holds a block of another format."""
    entry = directory.entries.get(tag)
    if entry is None or not entry.items:
        return None
    try:
        return tree.value(entry)
    except BadDirectoryError:
        notes.append(f"the {what} is damaged or enormous and is left out")
        return None


def _decode(container: Container, source: Source, layout: _Layout) -> Decoded:
    name = source.file_name
    with refusing(name, "TIFF"):
        stored = _stored(source, layout)
        if layout.bits == 1:
            stored = stored.astype(np.uint8)
    if layout.photometric == _CMYK:
        return _from_cmyk(container, name, stored)
    if layout.palette is not None:
        colours = layout.palette.T[stored[..., 0]]
        return Decoded(colours, _widen(stored[..., 1], layout.bits) if layout.alpha is not None else None)
    if not layout.floating:
        stored = _widen(stored, layout.bits)
    colour = _COLOUR_SAMPLES[layout.photometric]
    codes = stored[..., :colour]
    if layout.photometric == _WHITE_IS_ZERO and not layout.floating:
        codes = np.invert(codes)
    return Decoded(codes, stored[..., colour] if layout.alpha is not None else None)


def _stored(source: Source, layout: _Layout) -> Shaped[np.ndarray, "height width samples"]:
    """The samples as stored, strip by strip or tile by tile, at most two samples more than the photo needs."""
    import tifffile

    source.seek(0)
    with tifffile.TiffFile(source) as file:
        page = file.pages[layout.index]
        assert isinstance(page, tifffile.TiffPage)
        if page.dtype is None or page.shaped[1:4] != (1, layout.height, layout.width):
            raise ValueError(f"{page.shape} samples of type {page.dtype}")
        keep = min(layout.samples, _COLOUR_SAMPLES[layout.photometric] + 1)
        out = np.empty((layout.height, layout.width, keep), page.dtype)
        for data, (plane, _, top, left, _), _ in page.segments(maxworkers=1, buffersize=4 << 20):
            source.deadline.check()
            if data is None:
                raise ValueError("a strip is missing")
            part = data[0, : layout.height - top, : layout.width - left]
            if not layout.planar:
                out[top : top + part.shape[0], left : left + part.shape[1]] = part[..., :keep]
            elif plane < keep:
                out[top : top + part.shape[0], left : left + part.shape[1], plane] = part[..., 0]
    return out


def _widen(values: np.ndarray, bits: int) -> np.ndarray:
    """Integer samples of any depth at the 8 or 16 bits they are handled with."""
    if bits in (8, 16):
        return values
    full, most = (255, np.uint8) if bits < 8 else (65535, np.uint16)
    last = (1 << bits) - 1
    table = (np.arange(last + 1, dtype=np.uint32) * full + last // 2) // last
    return table.astype(most)[values]


def _from_cmyk(container: Container, name: str, stored: np.ndarray) -> Decoded:
    from PIL import Image

    if stored.dtype.kind != "u":
        raise PhotoError(f"{name} is a CMYK TIFF of floats. Save it as RGB.")
    if stored.dtype == np.uint16:
        container.notes.append("16-bit CMYK was converted with 8 bits")
        stored = (stored >> 8).astype(np.uint8)
    image = Image.fromarray(np.ascontiguousarray(stored[..., :4]), "CMYK")
    alpha = stored[..., 4] if stored.shape[2] == 5 else None
    return Decoded(rgb_from_cmyk(container, image), alpha)

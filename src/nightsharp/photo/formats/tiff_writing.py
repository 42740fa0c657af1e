"""Writing TIFF, by tifffile, with the EXIF block that tifffile does not write."""

import io
import struct
from typing import Any

import numpy as np

from nightsharp.photo.container import Picture
from nightsharp.photo.exif import EXIF, GPS, first_entries
from nightsharp.photo.ifd import Order, RawEntry, Tree

_RESOLUTION = (282, 283, 296)
_MOST_BYTES = 2**32 - 2**25
"""Offsets of a plain TIFF have 32 bits; beyond this it is a BigTIFF."""


def encode_tiff(picture: Picture, notes: list[str]) -> memoryview:
    """Encode as TIFF: integers of 8 or 16 bits or floats, compressed as the source was, else by deflate.

    The EXIF block is laid at the start of the file, whose offsets it counts from already, so the offsets inside it,
    the camera maker's private ones among them, stay true; the directory of the photo then points into it.
    """
    import tifffile

    codes = np.ascontiguousarray(picture.codes)
    channels = codes.shape[2]
    order: Order = "<"
    told: list[RawEntry] = []
    block = picture.exif or b""
    big = codes.nbytes + len(block) > _MOST_BYTES
    if big:
        if block:
            notes.append("a TIFF of more than 4 GB cannot hold the EXIF block; it is left out")
        block = b""
    if block:
        order, told = first_entries(block)
    pointers = [raw for raw in told if raw.tag in (EXIF, GPS) and len(raw.value) == 4]
    compression = picture.encoding.get("compression", "deflate")
    options: dict[str, Any] = {"compression": None if compression == "none" else compression}
    if options["compression"] and codes.dtype.itemsize <= 4:
        options["predictor"] = 3 if codes.dtype.kind == "f" else 2
    if picture.dpi:
        options.update(resolution=picture.dpi, resolutionunit="INCH")
    elsewhere = (EXIF, GPS, *_RESOLUTION)
    tags = [(raw.tag, raw.kind, raw.items, raw.value, True) for raw in told if raw.tag not in elsewhere]
    if picture.xmp:
        tags.append((700, 1, len(picture.xmp), picture.xmp, True))
    out = io.BytesIO()
    with tifffile.TiffWriter(out, byteorder=order, bigtiff=big) as writer:
        # the writer has laid down the eight bytes of a header; the rest of the block follows at its own offsets
        out.write(block[8:] + b"\0" * (-len(block) % 16))
        writer.write(
            codes[..., 0] if channels == 1 else codes,
            photometric="rgb" if channels >= 3 else "minisblack",
            planarconfig="contig" if channels > 1 else None,
            extrasamples=[picture.encoding.get("alpha", 2)] if channels in (2, 4) else None,
            iccprofile=picture.icc,
            rowsperstrip=max(1, (1 << 20) // (codes.nbytes // codes.shape[0])),
            metadata=None,
            software=False,
            extratags=tags,
            **options,
        )
    if pointers:
        _add_entries(out, pointers)
    return out.getbuffer()


def _add_entries(file: io.BytesIO, added: list[RawEntry]) -> None:
    """Put a new first directory at the end: the lines of the present one and some more, in order."""
    with file.getbuffer() as view:
        size = len(view)
        tree = Tree(lambda offset, count: bytes(view[offset : offset + count]), size)
        directory = tree.directory(tree.first)
        lines = {tag: bytes(view[entry.at : entry.at + 12]) for tag, entry in directory.entries.items()}
    for raw in added:
        lines[raw.tag] = struct.pack(tree.order + "HHI", raw.tag, raw.kind, raw.items) + raw.value
    at = size + size % 2
    file.seek(size)
    file.write(b"\0" * (at - size) + struct.pack(tree.order + "H", len(lines)))
    file.write(b"".join(lines[tag] for tag in sorted(lines)) + b"\0\0\0\0")
    file.seek(4)
    file.write(struct.pack(tree.order + "I", at))

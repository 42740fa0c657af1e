"""PNG, by imagecodecs (libpng), which reads and writes 16-bit colour; Pillow does not.

The chunks are walked here, and libpng is given only those that make the pixels: compressed profiles and texts are
unpacked to a bound, or not at all.
"""

import struct
import zlib
from typing import NamedTuple

import numpy as np

from nightsharp.errors import PhotoError
from nightsharp.photo.container import Container, Decoded, Header, Picture, peak_memory
from nightsharp.photo.decoding import damaged, refusing
from nightsharp.photo.exif import orientation_of, strip_prefix
from nightsharp.photo.source import Source

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_PIXELS = {b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"}
# what says how the numbers mean light, carried along as it is
_COLOUR = {b"gAMA", b"cHRM", b"sRGB", b"cICP", b"mDCV", b"cLLI"}
# Captions, author, copyright: carried along as they are, compressed or not, up to so many bytes.
_TEXT = {b"tEXt", b"zTXt", b"iTXt"}
_MOST_TEXT = 1 << 20
_MOST_CHUNKS = 300_000
_MOST_PROFILE = 16 << 20
_XMP_KEYWORD = b"XML:com.adobe.xmp\0"
_CHANNELS = {0: 1, 2: 3, 3: 3, 4: 1, 6: 3}
_DEPTHS = {0: {1, 2, 4, 8, 16}, 2: {8, 16}, 3: {1, 2, 4, 8}, 4: {8, 16}, 6: {8, 16}}
_PALETTE = 3
_HDR = {16: "PQ", 18: "HLG"}
_STORED = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
# Where the seven passes of an interlaced picture begin, and their steps: across, down.
_PASSES = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
# Some writers end a picture with a few rows too many.
_SPARE = 1 << 16


class _Chunk(NamedTuple):
    name: bytes
    start: int
    size: int

    def payload(self, data: bytes) -> bytes:
        return data[self.start + 8 : self.start + 8 + self.size]


def open_png(source: Source) -> Container:
    """Read the header of a PNG."""
    name = source.file_name
    data = source.whole()
    chunks = _walk(name, data)
    ihdr = chunks[0].payload(data)
    if chunks[0].name != b"IHDR" or len(ihdr) != 13:
        raise damaged(name, "PNG", "no header")
    width, height, depth, kind = struct.unpack_from(">IIBB", ihdr)
    if depth not in _DEPTHS.get(kind, ()) or not width or not height or max(width, height) > 2**31 - 1:
        raise damaged(name, "PNG", f"{width} x {height}, {depth} bits of kind {kind}")
    once: dict[bytes, bytes] = {}
    captions: list[_Chunk] = []
    for chunk in chunks:
        xmp = chunk.name == b"iTXt" and data.startswith(_XMP_KEYWORD, chunk.start + 8)
        if chunk.name in _TEXT and not xmp:
            captions.append(chunk)
        elif chunk.name not in once and chunk.name != b"IDAT":
            once[chunk.name] = chunk.payload(data)
    notes: list[str] = []
    frames = _frames(once, notes)
    alpha = kind in (4, 6) or b"tRNS" in once
    samples = _CHANNELS[kind] + alpha
    exif = once.get(b"eXIf")
    exif = strip_prefix(exif) if exif else None
    if kind == _PALETTE:
        notes.append("the palette was unfolded; the photo is written back as RGB")
    elif depth < 8:
        notes.append(f"{depth}-bit grey is written back as 8-bit grey")
    colour = [(chunk.name, chunk.payload(data)) for chunk in chunks if chunk.name in _COLOUR]
    if sum(chunk.size for chunk in captions) > _MOST_TEXT:
        notes.append("the captions are longer than 1 MB and are left out")
        captions = []
    text = [(chunk.name, chunk.payload(data)) for chunk in captions]
    return Container(
        Header(
            format="png",
            width=width,
            height=height,
            channels=_CHANNELS[kind],
            alpha=alpha,
            depth=16 if depth == 16 else 8,
            floating=False,
            frames=frames,
            file_bytes=source.size,
            memory=peak_memory(
                width, height, working=samples * (2 if depth == 16 else 1), alpha=alpha, file_bytes=3 * source.size
            ),
        ),
        decode=lambda: _decode(source, data, chunks, (height, width, samples)),
        orientation=orientation_of(exif) if exif else 1,
        icc=_profile(once[b"iCCP"], notes) if b"iCCP" in once else None,
        exif=exif,
        xmp=_xmp(once.get(b"iTXt"), notes),
        dpi=_density(once.get(b"pHYs")),
        gamma=_gamma(once, notes),
        encoding={name: kept for name, kept in (("colour", colour), ("text", text)) if kept},
        notes=notes,
    )


def _walk(name: str, data: bytes) -> list[_Chunk]:
    chunks: list[_Chunk] = []
    position = len(_SIGNATURE)
    while True:
        if position + 12 > len(data):
            raise damaged(name, "PNG", "its end is missing")
        size, kind = struct.unpack_from(">I4s", data, position)
        if position + 12 + size > len(data):
            raise damaged(name, "PNG", f"a chunk {kind!r} claims {size} bytes")
        if len(chunks) == _MOST_CHUNKS:
            raise damaged(name, "PNG", f"more than {_MOST_CHUNKS} chunks")
        chunks.append(_Chunk(kind, position, size))
        if kind == b"IEND":
            return chunks
        position += 12 + size


def _pixels_only(data: bytes, chunks: list[_Chunk]) -> bytes:
    return _SIGNATURE + b"".join(data[c.start : c.start + 12 + c.size] for c in chunks if c.name in _PIXELS)


def _frames(once: dict[bytes, bytes], notes: list[str]) -> int:
    if len(once.get(b"acTL", b"")) < 8:
        return 1
    frames = max(1, int.from_bytes(once[b"acTL"][:4], "big"))
    if frames > 1:
        notes.append(f"the file is an animation of {frames} frames; only the first is kept")
    return frames


def _profile(payload: bytes, notes: list[str]) -> bytes | None:
    _, _, rest = payload.partition(b"\0")
    profile = _unpacked(rest[1:])
    if profile is None:
        notes.append("the colour profile is damaged or larger than 16 MB and is left out; sRGB is taken")
        return None
    return profile or None


def _unpacked(packed: bytes) -> bytes | None:
    """What was compressed, up to 16 MB; None where it is damaged or longer."""
    unpacker = zlib.decompressobj()
    try:
        plain = unpacker.decompress(packed, _MOST_PROFILE)
    except zlib.error:
        return None
    return plain if unpacker.eof else None


def _xmp(payload: bytes | None, notes: list[str]) -> bytes | None:
    if payload is None:
        return None
    compressed, rest = payload[len(_XMP_KEYWORD) : len(_XMP_KEYWORD) + 1] != b"\0", payload[len(_XMP_KEYWORD) + 2 :]
    # language and translated keyword, each ended by a zero
    parts = rest.split(b"\0", 2)
    packet = parts[2] if len(parts) == 3 else None
    if packet and compressed:
        packet = _unpacked(packet)
    if packet is None:
        notes.append("the XMP metadata are damaged or larger than 16 MB and are left out")
    return packet or None


def _density(payload: bytes | None) -> tuple[float, float] | None:
    if payload is None or len(payload) != 9:
        return None
    across, down, unit = struct.unpack(">IIB", payload)
    return (across * 0.0254, down * 0.0254) if unit == 1 and across and down else None


def _gamma(once: dict[bytes, bytes], notes: list[str]) -> float | None:
    """The exponent that a gAMA chunk asks for, where nothing of higher rank speaks and it is not sRGB's 1/2.2."""
    coding = once.get(b"cICP", b"")
    if len(coding) == 4 and coding[1] in _HDR:
        notes.append(f"the file is high dynamic range ({_HDR[coding[1]]}); its values are treated as sRGB")
    if b"iCCP" in once or b"sRGB" in once or coding or len(once.get(b"gAMA", b"")) != 4:
        return None
    stated = int.from_bytes(once[b"gAMA"], "big") / 100_000
    if abs(stated - 1 / 2.2) < 0.01:
        return None
    if not 0.2 <= stated <= 2:
        notes.append(f"the file states a gamma of {stated:g}, which is not believed; sRGB is taken")
        return None
    return 1 / stated


def _decode(source: Source, data: bytes, chunks: list[_Chunk], shape: tuple[int, int, int]) -> Decoded:
    import imagecodecs

    with refusing(source.file_name, "PNG"):
        # libpng unpacks all there is, even when it has all its rows: a few megabytes can keep it busy for an hour.
        packed = b"".join(chunk.payload(data) for chunk in chunks if chunk.name == b"IDAT")
        most = _unpacked_size(chunks[0].payload(data))
        try:
            unpacked = len(imagecodecs.deflate_decode(packed, out=most + _SPARE))
        except imagecodecs.DeflateError as problem:
            raise damaged(source.file_name, "PNG", f"its data do not unpack to {shape[0]} rows") from problem
        if unpacked < most:
            raise damaged(source.file_name, "PNG", "rows are missing")
        del packed
        source.deadline.check()
        codes = imagecodecs.png_decode(_pixels_only(data, chunks)).reshape(shape)
    source.deadline.check()
    return Decoded.interleaved(codes)


def _unpacked_size(ihdr: bytes) -> int:
    """Bytes of all rows, each with its filter byte."""
    width, height, depth, kind, _, _, interlaced = struct.unpack(">IIBBBBB", ihdr)
    size = 0
    for left, top, across, down in _PASSES if interlaced else ((0, 0, 1, 1),):
        columns, rows = max(0, -(-(width - left) // across)), max(0, -(-(height - top) // down))
        if columns:
            size += rows * (1 + (columns * depth * _STORED[kind] + 7) // 8)
    return size


def encode_png(picture: Picture, notes: list[str]) -> bytes:
    """Encode as PNG of 8 or 16 bits."""
    import imagecodecs

    height, width, _ = picture.codes.shape
    if max(height, width) > 1_000_000:
        raise PhotoError(f"the photo is {width} x {height}; libpng writes 1,000,000 at most. Save a TIFF.")
    codes = np.ascontiguousarray(picture.codes)
    # On photographs the Paeth filter with run-length matching is the smallest and three times as fast as level 6.
    stream = imagecodecs.png_encode(
        codes[..., 0] if codes.shape[2] == 1 else codes,
        level=1,
        strategy=imagecodecs.PNG.STRATEGY.RLE,
        filter=imagecodecs.PNG.FILTER.PAETH,
    )
    before: list[tuple[bytes, bytes]] = list(picture.encoding.get("colour", []))
    text: list[tuple[bytes, bytes]] = list(picture.encoding.get("text", []))
    if picture.icc:
        before = [(kind, payload) for kind, payload in before if kind != b"sRGB"]
        before.append((b"iCCP", b"ICC profile\0\0" + zlib.compress(picture.icc)))
    if picture.dpi:
        across, down = (min(max(round(value / 0.0254), 1), 2**31 - 1) for value in picture.dpi)
        before.append((b"pHYs", struct.pack(">IIB", across, down, 1)))
    if picture.exif:
        before.append((b"eXIf", picture.exif))
    if picture.xmp:
        before.append((b"iTXt", _XMP_KEYWORD + b"\0\0\0\0" + picture.xmp))
    before += text
    # the header chunk is the first after the signature and 25 bytes long
    head = len(_SIGNATURE) + 25
    return bytes(stream[:head]) + b"".join(_chunk(*chunk) for chunk in before) + bytes(stream[head:])


def _chunk(kind: bytes, payload: bytes) -> bytes:
    return struct.pack(">I", len(payload)) + kind + payload + struct.pack(">I", zlib.crc32(kind + payload))

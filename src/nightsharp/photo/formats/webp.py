"""WebP, by Pillow (libwebp)."""

import io
import struct

import numpy as np

from nightsharp.errors import PhotoError
from nightsharp.photo.container import Container, Decoded, Header, Picture, peak_memory
from nightsharp.photo.decoding import damaged, refusing
from nightsharp.photo.exif import orientation_of, strip_prefix
from nightsharp.photo.source import Source

LONGEST_SIDE = 16383

_MOST_CHUNKS = 100_000


def open_webp(source: Source) -> Container:
    """Read the header of a WebP."""
    name = source.file_name
    data = source.whole()
    chunks = _walk(name, data)
    first = chunks[0][0]
    kinds = {kind for kind, _ in chunks}
    width, height, alpha = _size(name, data)
    frames = max(1, sum(kind == b"ANMF" for kind, _ in chunks))
    notes = []
    if frames > 1:
        notes.append(f"the file is an animation of {frames} frames; only the first is kept")
    if first == b"VP8X" and not kinds & {b"VP8 ", b"VP8L", b"ANMF"}:
        raise damaged(name, "WebP", "no picture in it")
    told = {kind: payload for kind, payload in reversed(chunks) if kind in (b"ICCP", b"EXIF", b"XMP ")}
    exif = told.get(b"EXIF")
    exif = strip_prefix(exif) if exif else None
    return Container(
        Header(
            format="webp",
            width=width,
            height=height,
            channels=3,
            alpha=alpha,
            depth=8,
            floating=False,
            frames=frames,
            file_bytes=source.size,
            # libwebp holds two canvases of four bytes, Pillow a third, the codes are one more.
            memory=peak_memory(width, height, working=16, alpha=alpha, file_bytes=2 * source.size),
        ),
        decode=lambda: _decode(name, data, (width, height), source),
        orientation=orientation_of(exif) if exif else 1,
        icc=told.get(b"ICCP"),
        exif=exif,
        xmp=told.get(b"XMP "),
        encoding={"lossless": b"VP8L" in kinds},
        notes=notes,
    )


def _walk(name: str, data: bytes) -> list[tuple[bytes, bytes]]:
    """The chunks; of those that hold pixels only the name."""
    claimed = 8 + int.from_bytes(data[4:8], "little")
    if claimed > len(data):
        raise damaged(name, "WebP", f"it claims {claimed} bytes and has {len(data)}")
    chunks: list[tuple[bytes, bytes]] = []
    position = 12
    while position + 8 <= claimed:
        kind, size = struct.unpack_from("<4sI", data, position)
        end = position + 8 + size
        if end > claimed or len(chunks) == _MOST_CHUNKS:
            raise damaged(name, "WebP", f"a chunk {kind!r} claims {size} bytes")
        held = kind in (b"ICCP", b"EXIF", b"XMP ")
        chunks.append((kind, data[position + 8 : end] if held else b""))
        position = end + size % 2
    if not chunks:
        raise damaged(name, "WebP", "no picture in it")
    return chunks


def _size(name: str, data: bytes) -> tuple[int, int, bool]:
    """Width, height and whether there is alpha, from the first chunk."""
    head = data[20:30]
    if len(head) == 10:
        match data[12:16]:
            case b"VP8X":
                return (
                    1 + int.from_bytes(head[4:7], "little"),
                    1 + int.from_bytes(head[7:10], "little"),
                    bool(head[0] & 16),
                )
            case b"VP8L" if head[0] == 0x2F:
                bits = int.from_bytes(head[1:5], "little")
                return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF), bool(bits >> 28 & 1)
            case b"VP8 " if head[3:6] == b"\x9d\x01\x2a":
                width, height = struct.unpack_from("<HH", head, 6)
                if width & 0x3FFF and height & 0x3FFF:
                    return width & 0x3FFF, height & 0x3FFF, False
    raise damaged(name, "WebP", "no header")


def _decode(name: str, data: bytes, size: tuple[int, int], source: Source) -> Decoded:
    from PIL import WebPImagePlugin

    with refusing(name, "WebP"), WebPImagePlugin.WebPImageFile(io.BytesIO(data)) as image:
        if image.size != size:
            raise damaged(name, "WebP", f"{size[0]} x {size[1]} outside, {image.size[0]} x {image.size[1]} inside")
        image.load()
        source.deadline.check()
        codes = np.asarray(image)
    return Decoded.interleaved(codes)


def encode_webp(picture: Picture, notes: list[str]) -> bytes:
    """Encode as WebP: without loss where the source was without loss, else at quality 95."""
    from PIL import Image, WebPImagePlugin  # noqa: F401 - registers the encoder

    height, width, channels = picture.codes.shape
    if max(height, width) > LONGEST_SIDE:
        raise PhotoError(
            f"the photo is {width} x {height}; a WebP has at most {LONGEST_SIDE} pixels on a side. Save a PNG or TIFF."
        )
    codes = picture.codes
    if channels <= 2:
        codes = np.concatenate([codes[..., :1]] * 3 + [codes[..., 1:]], axis=2)
    lossless = bool(picture.encoding.get("lossless"))
    out = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(codes)).save(
        out,
        "WEBP",
        lossless=lossless,
        quality=20 if lossless else 95,  # without loss this is effort, not quality
        method=1 if lossless else 4,
        alpha_quality=100,
        exact=True,
        icc_profile=picture.icc or b"",
        exif=picture.exif or b"",
        xmp=picture.xmp or b"",
    )
    return out.getvalue()

"""JPEG, by Pillow (libjpeg-turbo).

The markers are walked here, and Pillow is given only what it needs for the pixels: it would unpack EXIF blocks and
previews on its own, at any size.
"""

import io
import re
import struct
from typing import NamedTuple

import numpy as np

from nightsharp.errors import PhotoError
from nightsharp.photo.container import Container, Decoded, Header, Picture, peak_memory
from nightsharp.photo.decoding import damaged, refusing
from nightsharp.photo.exif import MAKER_NOTE, compact, orientation_of
from nightsharp.photo.formats.cmyk import rgb_from_cmyk
from nightsharp.photo.limits import Deadline
from nightsharp.photo.source import Source

LONGEST_SIDE = 65535

_FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}
_SEQUENTIAL = {0xC0, 0xC1}
_START, _END = 0xDA, 0xD9
_MARKER = re.compile(rb"\xff[\x01-\xcf\xd8-\xfe]")
_EXIF, _XMP, _ICC = b"Exif\0\0", b"http://ns.adobe.com/xap/1.0/\0", b"ICC_PROFILE\0"
_MORE_XMP = b"http://ns.adobe.com/xmp/extension/\0"
_IPTC = b"8BIM\x04\x04"
_MORE_XMP_LEFT_OUT = "the XMP metadata beyond the first 64 kB are left out"
_MOST_PAYLOAD = 65533

_MOST_MARKERS = 10_000

# A progressive file has about ten scans. Each one goes over the whole image, so thousands of tiny ones would run
# for hours.
MOST_SCANS = 128

# Sum of the luminance table at quality 90; a coarser one would take away again what the restoration brought.
_QUALITY_90 = 740


class _Frame(NamedTuple):
    marker: int
    precision: int
    height: int
    width: int
    components: int


class _Fed(io.BytesIO):
    """Bytes that ask the clock whenever the decoder comes for more."""

    def __init__(self, data: bytes, deadline: Deadline) -> None:
        super().__init__(data)
        self._deadline = deadline

    def read(self, size: int | None = -1) -> bytes:
        self._deadline.check()
        return super().read(size)


def open_jpeg(source: Source) -> Container:
    """Read the header of a JPEG."""
    name = source.file_name
    data = source.whole()
    frame, kept, told, notes = _walk(name, data)
    if frame.precision != 8:
        raise PhotoError(f"{name} is a {frame.precision}-bit JPEG; 8 bits are read. Save it as a 16-bit TIFF or PNG.")
    if frame.components not in (1, 3, 4) or not frame.width or not frame.height:
        raise damaged(name, "JPEG", f"{frame.components} channels of {frame.width} x {frame.height}")
    colour = frame.components > 1
    header = Header(
        format="jpeg",
        width=frame.width,
        height=frame.height,
        channels=3 if colour else 1,
        alpha=False,
        depth=8,
        floating=False,
        frames=1,
        file_bytes=source.size,
        # A progressive file is held as coefficients, two bytes each, until its last scan.
        memory=peak_memory(frame.width, frame.height, working=16, alpha=False, file_bytes=2 * source.size),
    )
    exif = told.get("exif")
    container = Container(
        header,
        decode=lambda: _decode(container, name, kept, source.deadline),
        orientation=orientation_of(exif) if exif else 1,
        icc=told.get("icc"),
        exif=exif,
        xmp=told.get("xmp"),
        dpi=_density(told.get("jfif")),
        encoding={"comment": told["comment"]} if "comment" in told else {},
        notes=notes,
    )
    return container


def _walk(name: str, data: bytes) -> tuple[_Frame, bytes, dict[str, bytes], list[str]]:
    """Go along the markers: the frame, the bytes that make the pixels, the metadata, words for the user."""
    frame: _Frame | None = None
    kept, told, profile, notes = [b"\xff\xd8"], {}, [], []
    position, scans, coded = 2, 0, 0
    for _ in range(_MOST_MARKERS):
        found = _MARKER.search(data, position)
        if found is None:
            raise damaged(name, "JPEG", "its end is missing")
        at, marker = found.start(), data[found.start() + 1]
        if scans:
            kept.append(data[position:at])
            coded += at - position
        if marker == _END:
            kept.append(b"\xff\xd9")
            break
        if marker in (0x01, 0xD8):
            raise damaged(name, "JPEG", f"a marker {marker:02x} where none belongs")
        length = int.from_bytes(data[at + 2 : at + 4], "big")
        end = at + 2 + length
        if length < 2 or end > len(data):
            raise damaged(name, "JPEG", f"marker {marker:02x} claims {length} bytes")
        payload = data[at + 4 : end]
        if marker in _FRAMES:
            if frame is not None or len(payload) < 6:
                raise damaged(name, "JPEG", "two frames, or half a one")
            frame = _Frame(marker, *struct.unpack_from(">BHHB", payload))
        scans += marker == _START
        if scans > MOST_SCANS:
            raise damaged(name, "JPEG", f"more than {MOST_SCANS} scans")
        # Application data and comments are kept from the decoder, but for the two that say how colours are stored.
        if not 0xE0 <= marker <= 0xEF and marker != 0xFE:
            kept.append(data[at:end])
        elif marker in (0xE0, 0xEE) and payload[:5] in (b"JFIF\0", b"Adobe"):
            kept.append(data[at:end])
            if marker == 0xE0:
                told.setdefault("jfif", payload)
        elif marker == 0xE1 and payload.startswith(_EXIF):
            told.setdefault("exif", payload[len(_EXIF) :])
        elif marker == 0xE1 and payload.startswith(_XMP):
            told.setdefault("xmp", payload[len(_XMP) :])
        elif marker == 0xE1 and payload.startswith(_MORE_XMP) and _MORE_XMP_LEFT_OUT not in notes:
            notes.append(_MORE_XMP_LEFT_OUT)
        elif marker == 0xFE:
            told.setdefault("comment", payload)
        elif marker == 0xE2 and payload.startswith(_ICC):
            profile.append(payload[len(_ICC) :])
        elif marker == 0xE2 and payload.startswith(b"MPF\0"):
            notes.append("the file holds more pictures (a preview or gain map); only the first is kept")
        elif marker == 0xED and _IPTC in payload:
            notes.append("captions in the old IPTC form are left out; those in EXIF and XMP are kept")
        position = end
    else:
        raise damaged(name, "JPEG", f"more than {_MOST_MARKERS} markers")
    if frame is None or not scans:
        raise damaged(name, "JPEG", "no picture in it")
    # Without progression each block takes a bit for its mean and one for its end; where they are missing, the decoder
    # would fill up with grey and say nothing.
    blocks = -(-frame.width // 8) * -(-frame.height // 8)
    if frame.marker in _SEQUENTIAL and 8 * coded < 2 * blocks:
        raise damaged(name, "JPEG", f"{coded} bytes for {blocks} blocks of pixels")
    if profile:
        told["icc"] = _assemble(profile, notes)
    return frame, b"".join(kept), {key: value for key, value in told.items() if value}, notes


def exif_of_jpeg(data: bytes) -> bytes | None:
    """The EXIF block of a JPEG in memory, None where there is none or the JPEG is damaged."""
    try:
        return _walk("preview", data)[2].get("exif")
    except PhotoError:
        return None


def _assemble(pieces: list[bytes], notes: list[str]) -> bytes:
    """An ICC profile from its numbered pieces."""
    numbered = {piece[0]: piece[2:] for piece in pieces if len(piece) > 2}
    if sorted(numbered) != list(range(1, len(numbered) + 1)) or any(
        p[1] != len(numbered) for p in pieces if len(p) > 2
    ):
        notes.append("the colour profile is incomplete and is left out; sRGB is taken")
        return b""
    return b"".join(numbered[number] for number in sorted(numbered))


def _density(jfif: bytes | None) -> tuple[float, float] | None:
    if jfif is None or len(jfif) < 12:
        return None
    unit, across, down = struct.unpack_from(">BHH", jfif, 7)
    scale = {1: 1.0, 2: 2.54}.get(unit)
    return (across * scale, down * scale) if scale and across and down else None


def _decode(container: Container, name: str, data: bytes, deadline: Deadline) -> Decoded:
    from PIL import JpegImagePlugin

    with refusing(name, "JPEG"), JpegImagePlugin.JpegImageFile(_Fed(data, deadline)) as image:
        image.load()
        if image.mode == "CMYK":
            codes = rgb_from_cmyk(container, image)
        elif image.mode in ("L", "RGB"):
            tables = image.quantization
            if sum(tables[0]) <= _QUALITY_90:
                sampling = JpegImagePlugin.get_sampling(image)
                container.encoding = {**container.encoding, "qtables": tables, "subsampling": max(sampling, 0)}
            codes = np.asarray(image)
        else:
            raise PhotoError(f"{name} is a JPEG of the unknown kind {image.mode}. Save it as RGB.")
    return Decoded.interleaved(codes)


def encode_jpeg(picture: Picture, notes: list[str]) -> bytes:
    """Encode as JPEG; the source's own tables are used again unless they are coarse, else quality 95, 4:4:4."""
    from PIL import Image, JpegImagePlugin  # noqa: F401 - registers the encoder

    height, width, channels = picture.codes.shape
    if max(height, width) > LONGEST_SIDE:
        raise PhotoError(
            f"the photo is {width} x {height}; a JPEG has at most {LONGEST_SIDE} pixels on a side. Save a PNG or TIFF."
        )
    codes = picture.codes
    if channels in (2, 4):
        notes.append("JPEG has no transparency; the alpha channel is left out")
        codes = codes[..., :-1]
    image = Image.fromarray(np.ascontiguousarray(codes[..., 0] if codes.shape[2] == 1 else codes))
    options: dict[str, object] = {"quality": 95, "subsampling": 0} if "qtables" not in picture.encoding else {}
    options |= picture.encoding
    if picture.icc and len(picture.icc) <= 255 * (_MOST_PAYLOAD - 14):
        options["icc_profile"] = picture.icc
    if exif := _fitting(picture.exif, notes):
        options["exif"] = _EXIF + exif
    if picture.xmp and len(picture.xmp) <= _MOST_PAYLOAD - len(_XMP):
        options["xmp"] = picture.xmp
    elif picture.xmp:
        notes.append("the XMP metadata is too long for a JPEG and is left out")
    if picture.dpi:
        options["dpi"] = tuple(min(max(value, 1), 65535) for value in picture.dpi)
    out = io.BytesIO()
    image.save(out, "JPEG", **options)
    return out.getvalue()


def _fitting(exif: bytes | None, notes: list[str]) -> bytes | None:
    """The EXIF block if a JPEG can hold it, else without the maker's notes, else none."""
    most = _MOST_PAYLOAD - len(_EXIF)
    if exif is None or len(exif) <= most:
        return exif
    smaller = compact(exif, without=frozenset({MAKER_NOTE}))
    if smaller is not None and len(smaller) <= most:
        notes.append("the EXIF block is too long for a JPEG; the camera maker's private notes are left out")
        return smaller
    notes.append("the EXIF block is too long for a JPEG and is left out")
    return None

"""Photographs made by other hands than ours: Pillow, tifffile, imagecodecs, or byte by byte."""

import io
import struct
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import tifffile
from PIL import Image, ImageCms

MAKER_NOTE = b"private notes of a camera maker " * 3
THUMBNAIL = b"\xff\xd8" + b"thumbnail of the old pixels" * 20 + b"\xff\xd9"


def noise(height: int, width: int, channels: int, kind: str = "u1", seed: int = 0) -> np.ndarray:
    """Random samples over the whole range of the type; floats also below 0 and above 1."""
    rng = np.random.default_rng(seed)
    if np.dtype(kind).kind == "f":
        return (rng.random((height, width, channels)) * 3 - 0.5).astype(kind)
    return rng.integers(0, np.iinfo(kind).max + 1, (height, width, channels)).astype(kind)


def picture(height: int = 40, width: int = 48, channels: int = 3) -> np.ndarray:
    """Smooth 8-bit content, for codecs with loss."""
    y, x = np.mgrid[0:height, 0:width]
    waves = [127 + 100 * np.sin(x / (5 + c) + c) * np.cos(y / (7 - c)) for c in range(channels)]
    return np.stack(waves, axis=-1).astype(np.uint8)


def srgb_profile() -> bytes:
    """The sRGB profile that LittleCMS makes."""
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def profile(*curves: bytes, space: bytes = b"RGB ") -> bytes:
    """A minimal ICC profile with the given tone curve tags (one for grey, three for colour)."""
    names = [b"kTRC"] if space == b"GRAY" else [b"rTRC", b"gTRC", b"bTRC"]
    tags = list(zip(names, curves, strict=False))
    offset = 128 + 4 + 12 * len(tags)
    table, body = struct.pack(">I", len(tags)), b""
    for name, curve in tags:
        table += struct.pack(">4sII", name, offset + len(body), len(curve))
        body += curve + b"\0" * (-len(curve) % 4)
    head = struct.pack(">I4sI4s4s4s", 0, b"test", 0x04000000, b"mntr", space, b"XYZ ") + bytes(12) + b"acsp"
    whole = head.ljust(128, b"\0") + table + body
    return struct.pack(">I", len(whole)) + whole[4:]


def gamma_curve(gamma: float) -> bytes:
    """A curve tag that is a power."""
    return b"curv" + bytes(4) + struct.pack(">IH", 1, round(gamma * 256))


def table_curve(values: Sequence[int]) -> bytes:
    """A curve tag that is a table of 16-bit values."""
    return b"curv" + bytes(4) + struct.pack(f">I{len(values)}H", len(values), *values)


def parametric_curve(kind: int, *values: float) -> bytes:
    """A curve tag that is a formula."""
    return b"para" + bytes(4) + struct.pack(f">HH{len(values)}i", kind, 0, *(round(v * 65536) for v in values))


def exif_block(orientation: int = 1, order: str = "<", size: tuple[int, int] = (48, 40)) -> bytes:
    """An EXIF block as a camera writes it: maker's notes with offsets of their own, GPS, a thumbnail at the end."""

    def lines(entries: list[tuple[int, int, int, int | bytes]], at: int, following: int = 0) -> bytes:
        values_at = at + 2 + 12 * len(entries) + 4
        head, values = struct.pack(order + "H", len(entries)), b""
        for tag, kind, count, value in entries:
            if isinstance(value, bytes) and len(value) > 4:
                place = struct.pack(order + "I", values_at + len(values))
                values += value + b"\0" * (len(value) % 2)
            elif isinstance(value, bytes):
                place = value.ljust(4, b"\0")
            else:
                place = struct.pack(order + ("HH" if kind == 3 else "I"), *((value, 0) if kind == 3 else (value,)))
            head += struct.pack(order + "HHI", tag, kind, count) + place
        return head + struct.pack(order + "I", following) + values

    private = [
        (33434, 5, 1, struct.pack(order + "II", 1, 15)),
        (37500, 7, len(MAKER_NOTE), MAKER_NOTE),
        (40962, 4, 1, size[0]),
        (40963, 4, 1, size[1]),
    ]
    place: list[tuple[int, int, int, int | bytes]] = [
        (1, 2, 2, b"N\0"),
        (2, 5, 3, struct.pack(order + "6I", 48, 1, 8, 1, 0, 1)),
    ]

    def trunk(exif_at: int, gps_at: int, second_at: int) -> bytes:
        return lines(
            [
                (271, 2, 8, b"Testcam\0"),
                (274, 3, 1, orientation),
                (306, 2, 20, b"2024:01:31 23:59:58\0"),
                (34665, 4, 1, exif_at),
                (34853, 4, 1, gps_at),
            ],
            8,
            second_at,
        )

    exif_at = 8 + len(trunk(0, 0, 0))
    exif = lines(private, exif_at)
    gps_at = exif_at + len(exif)
    gps = lines(place, gps_at)
    second_at = gps_at + len(gps)
    empty = lines([(513, 4, 1, 0), (514, 4, 1, 0)], second_at)
    second = lines([(513, 4, 1, second_at + len(empty)), (514, 4, 1, len(THUMBNAIL))], second_at)
    head = (b"II" if order == "<" else b"MM") + struct.pack(order + "HI", 42, 8)
    return head + trunk(exif_at, gps_at, second_at) + exif + gps + second + THUMBNAIL


def chunk(kind: bytes, payload: bytes) -> bytes:
    """A PNG chunk."""
    return struct.pack(">I", len(payload)) + kind + payload + struct.pack(">I", zlib.crc32(kind + payload))


def png(samples: np.ndarray, *extra: tuple[bytes, bytes]) -> bytes:
    """A PNG by libpng, with chunks after its header."""
    stream = bytes(imagecodecs.png_encode(np.squeeze(samples, 2) if samples.shape[2] == 1 else samples))
    return stream[:33] + b"".join(chunk(*one) for one in extra) + stream[33:]


def raw_png(width: int, height: int, depth: int, kind: int, rows: bytes, *extra: tuple[bytes, bytes]) -> bytes:
    """A PNG from unfiltered rows, each begun by its filter byte."""
    header = struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, 0)
    middle = b"".join(chunk(*one) for one in extra)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + middle
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


def profile_chunk(icc: bytes) -> tuple[bytes, bytes]:
    """The PNG chunk of a colour profile."""
    return b"iCCP", b"profile\0\0" + zlib.compress(icc)


def pillow(samples: np.ndarray, format: str, mode: str | None = None, **options: Any) -> bytes:  # noqa: A002
    """A file by Pillow."""
    out = io.BytesIO()
    image = Image.fromarray(np.squeeze(samples, 2) if samples.shape[2] == 1 else samples)
    (image.convert(mode) if mode else image).save(out, format, **options)
    return out.getvalue()


def tiff(samples: np.ndarray, **options: Any) -> bytes:
    """A TIFF by tifffile."""
    channels = samples.shape[2]
    options.setdefault("photometric", "rgb" if channels >= 3 else "minisblack")
    if channels in (2, 4) and options["photometric"] != "separated":
        options.setdefault("extrasamples", [2])
    if channels > 1:
        options.setdefault("planarconfig", "contig")
    options.setdefault("metadata", None)
    out = io.BytesIO()
    tifffile.imwrite(out, np.squeeze(samples, 2) if channels == 1 else samples, **options)
    return out.getvalue()


def dng(mosaic: np.ndarray, orientation: int = 1) -> bytes:
    """An uncompressed DNG of a sensor with red, green / green, blue."""
    identity = [part for value in (1, 0, 0, 0, 1, 0, 0, 0, 1) for part in (value, 1)]
    tags = [
        (50706, 1, 4, bytes([1, 4, 0, 0])),
        (50707, 1, 4, bytes([1, 1, 0, 0])),
        (33421, 3, 2, (2, 2)),
        (33422, 1, 4, bytes([0, 1, 1, 2])),
        (50708, 2, 8, "Testcam"),
        (271, 2, 5, "Test"),
        (272, 2, 8, "Testcam"),
        (274, 3, 1, orientation),
        (50714, 3, 1, 0),
        (50717, 3, 1, 65535),
        (50721, 10, 9, tuple(identity)),
        (50728, 5, 3, (1, 1, 1, 1, 1, 1)),
        (50778, 3, 1, 21),
    ]
    out = io.BytesIO()
    tifffile.imwrite(
        out, mosaic, photometric=32803, metadata=None, software=False, extratags=[(*tag, True) for tag in tags]
    )
    return out.getvalue()


def put(folder: Path, name: str, content: bytes) -> Path:
    """Write a file and name it."""
    file = folder / name
    file.write_bytes(content)
    return file

"""The boxes of an AVIF or HEIC file, as far as they lead to its EXIF block.

Source: ISO/IEC 14496-12:2022, sections 8.11.1 (meta), 8.11.3 (iloc), 8.11.6 (iinf).
"""

from collections.abc import Iterator
from typing import NamedTuple

_MOST_BOXES = 20_000


class BadBoxError(ValueError):
    """A box claims more than there is."""


class ExifItem(NamedTuple):
    """An EXIF block, and where the file calls the item by the name ``Exif``."""

    block: bytes
    named_at: int


def find_exif(data: bytes) -> list[ExifItem]:
    """The EXIF items of a file; damaged boxes end the search.

    Raises:
        BadBoxError: the boxes are nested or numbered beyond sense.
    """
    found = []
    for kind, start, end in _boxes(data, 0, len(data)):
        if kind == b"meta":
            inner = {name: (a, b) for name, a, b in _boxes(data, start + 4, end)}
            if b"iinf" not in inner or b"iloc" not in inner:
                continue
            places = _places(data, *inner[b"iloc"])
            for item, named_at in _named(data, *inner[b"iinf"]):
                found.append(ExifItem(_block(data, places.get(item, []), inner.get(b"idat")), named_at))
    return found


def _boxes(data: bytes, start: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    for _ in range(_MOST_BOXES):
        if start + 8 > end:
            return
        size, kind, head = _number(data, start, 4), data[start + 4 : start + 8], 8
        if size == 1:
            size, head = _number(data, start + 8, 8), 16
        elif size == 0:
            size = end - start
        if size < head or start + size > end:
            return
        yield kind, start + head, start + size
        start += size
    raise BadBoxError(f"more than {_MOST_BOXES} boxes")


def _number(data: bytes, at: int, size: int) -> int:
    return int.from_bytes(data[at : at + size], "big")


def _named(data: bytes, start: int, end: int) -> Iterator[tuple[int, int]]:
    """The numbers of the items called Exif, and where they are called so."""
    count = 4 if data[start] else 2
    for kind, at, _ in _boxes(data, start + 4 + count, end):
        if kind == b"infe" and data[at] in (2, 3):
            width = 2 if data[at] == 2 else 4
            named_at = at + 4 + width + 2
            if data[named_at : named_at + 4] == b"Exif":
                yield _number(data, at + 4, width), named_at


def _places(data: bytes, start: int, end: int) -> dict[int, list[tuple[int, int, int]]]:
    """Where each item lies: construction method, offset, length."""
    version = data[start]
    offset_size, length_size = data[start + 4] >> 4, data[start + 4] & 15
    base_size, index_size = data[start + 5] >> 4, data[start + 5] & 15 if version else 0
    wide = 4 if version == 2 else 2
    at = start + 6
    count, at = _number(data, at, wide), at + wide
    places: dict[int, list[tuple[int, int, int]]] = {}
    for _ in range(min(count, _MOST_BOXES)):
        item, at = _number(data, at, wide), at + wide
        method = 0
        if version:
            method, at = _number(data, at, 2) & 15, at + 2
        base, at = _number(data, at + 2, base_size), at + 2 + base_size
        extents, at = _number(data, at, 2), at + 2
        pieces = places.setdefault(item, [])
        for _ in range(extents):
            at += index_size
            offset = _number(data, at, offset_size)
            length = _number(data, at + offset_size, length_size)
            at += offset_size + length_size
            if at > end:
                return places
            pieces.append((method, base + offset, length))
    return places


def _block(data: bytes, pieces: list[tuple[int, int, int]], inside: tuple[int, int] | None) -> bytes:
    parts, total = [], 0
    for method, offset, length in pieces:
        start = offset + (inside[0] if method == 1 and inside else 0)
        total += length
        if method > 1 or total > len(data):
            return b""
        parts.append(data[start : start + length])
    payload = b"".join(parts)
    # four bytes say how far the TIFF header is away
    return payload[4 + _number(payload, 0, 4) :]

"""The items of an AVIF or HEIC file: its pictures and its EXIF block.

Source: ISO/IEC 14496-12:2022, sections 8.11.1 (meta), 8.11.3 (iloc), 8.11.6 (iinf).
"""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

_MOST_BOXES = 20_000
_SPARE = 1 << 20


class BadBoxError(ValueError):
    """The boxes are nested or numbered beyond sense."""


class Item(NamedTuple):
    """One item: its four-letter kind, where the file states that kind, and its bytes."""

    kind: bytes
    kind_at: int
    content: bytes


def find_items(data: bytes, kinds: Mapping[bytes, int]) -> list[Item]:
    """The items of some kinds; damaged boxes end the search.

    Args:
        data: the file.
        kinds: the kinds that are wanted, and how many bytes of such an item.

    Raises:
        BadBoxError: there are more boxes than a photo has, or many items share the same bytes.
    """
    found: list[Item] = []
    budget = len(data) + _SPARE
    for kind, start, end in _boxes(data, 0, len(data)):
        if kind == b"meta":
            inner = {name: (a, b) for name, a, b in _boxes(data, start + 4, end)}
            if b"iinf" not in inner or b"iloc" not in inner:
                continue
            places = _places(data, *inner[b"iloc"])
            for item, item_kind, kind_at in _kinds(data, *inner[b"iinf"]):
                if item_kind in kinds:
                    content = _content(data, places.get(item, []), inner.get(b"idat"), kinds[item_kind])
                    found.append(Item(item_kind, kind_at, content))
                    budget -= len(content)
                    if budget < 0:
                        raise BadBoxError("the items claim more bytes than there are")
    return found


def exif_block(item: Item) -> bytes:
    """The block in an item of the kind ``Exif``: its first four bytes say how far away it begins."""
    return item.content[4 + _number(item.content, 0, 4) :]


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


def _kinds(data: bytes, start: int, end: int) -> Iterator[tuple[int, bytes, int]]:
    """The items by number, kind, and where the kind is stated."""
    count = 4 if data[start] else 2
    for kind, at, _ in _boxes(data, start + 4 + count, end):
        if kind == b"infe" and data[at] in (2, 3):
            width = 2 if data[at] == 2 else 4
            kind_at = at + 4 + width + 2
            yield _number(data, at + 4, width), data[kind_at : kind_at + 4], kind_at


def _places(data: bytes, start: int, end: int) -> dict[int, list[tuple[int, int, int]]]:
    """Where each item lies: construction method, offset, length."""
    version = data[start]
    offset_size, length_size = data[start + 4] >> 4, data[start + 4] & 15
    base_size, index_size = data[start + 5] >> 4, data[start + 5] & 15 if version else 0
    wide = 4 if version == 2 else 2
    at = start + 6
    count, at = _number(data, at, wide), at + wide
    places: dict[int, list[tuple[int, int, int]]] = {}
    total = 0
    for _ in range(min(count, _MOST_BOXES)):
        item, at = _number(data, at, wide), at + wide
        method = 0
        if version:
            method, at = _number(data, at, 2) & 15, at + 2
        base, at = _number(data, at + 2, base_size), at + 2 + base_size
        extents, at = _number(data, at, 2), at + 2
        total += extents
        if total > _MOST_BOXES:
            raise BadBoxError(f"items in more than {_MOST_BOXES} pieces")
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


def _content(data: bytes, pieces: list[tuple[int, int, int]], inside: tuple[int, int] | None, most: int) -> bytes:
    content = b""
    for method, offset, length in pieces:
        start = offset + (inside[0] if method == 1 and inside else 0)
        if method > 1:
            return b""
        content += data[start : start + min(length, most - len(content))]
        if len(content) >= most:
            break
    return content

"""TIFF directories: the skeleton of TIFF files, of EXIF blocks and of most RAW formats.

Read with bounds everywhere: a directory can claim any offset and any count.
"""

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np

_UNIT = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}
# No number that is read here can be negative; one stored as signed is taken for a large one, and then refused.
_INTEGER = {1: "u1", 3: "u2", 4: "u4", 6: "u1", 8: "u2", 9: "u4", 13: "u4", 16: "u8", 17: "u8", 18: "u8"}

Order = Literal["<", ">"]

MOST_ENTRIES = 2048
MOST_VALUE_BYTES = 16 << 20


class BadDirectoryError(ValueError):
    """A directory, or a value in it, lies outside the file or claims the impossible."""


class Entry(NamedTuple):
    """One line of a directory: where it stands, what it claims, where its value is."""

    tag: int
    kind: int
    items: int
    at: int
    value_at: int

    @property
    def size(self) -> int:
        """Bytes of the value."""
        return self.items * _UNIT[self.kind]


class RawEntry(NamedTuple):
    """One line of a directory to be written; ``value`` is in the byte order of the block."""

    tag: int
    kind: int
    items: int
    value: bytes


@dataclass(frozen=True)
class Directory:
    """The lines of one directory by tag, and where the next one is (0: none)."""

    entries: dict[int, Entry]
    following: int
    following_at: int


class Tree:
    """A TIFF-structured block whose directories are read on demand.

    Args:
        read: ``read(offset, count)`` gives at most ``count`` bytes.
        size: bytes in the block.

    Raises:
        BadDirectoryError: the block does not begin as a TIFF.
    """

    def __init__(self, read: Callable[[int, int], bytes], size: int) -> None:
        self._read = read
        self.size = size
        head = read(0, 16)
        orders: dict[bytes, Order] = {b"II": "<", b"MM": ">"}
        if len(head) < 8 or head[:2] not in orders:
            raise BadDirectoryError("no TIFF header")
        self.order: Order = orders[head[:2]]
        # ORF and RW2 are TIFFs with a magic of their own, so only BigTIFF's is asked for.
        self.big = self.number(head[2:4]) == 43
        if self.big and len(head) < 16:
            raise BadDirectoryError("no BigTIFF header")
        self.first = self.number(head[8:16] if self.big else head[4:8])

    @classmethod
    def of(cls, block: bytes | bytearray) -> "Tree":
        """A tree over bytes in memory."""
        return cls(lambda offset, count: bytes(block[offset : offset + count]), len(block))

    def number(self, value: bytes) -> int:
        """An unsigned integer in the byte order of the block."""
        return int.from_bytes(value, "little" if self.order == "<" else "big")

    def directory(self, offset: int) -> Directory:
        """The directory at ``offset``; lines of an unknown kind are left out."""
        count_size, line, width = (8, 20, 8) if self.big else (2, 12, 4)
        count = self.number(self._exactly(offset, count_size))
        if not 0 < count <= MOST_ENTRIES:
            raise BadDirectoryError(f"a directory of {count} entries")
        lines_at = offset + count_size
        lines = self._exactly(lines_at, count * line)
        following_at = lines_at + count * line
        # A missing pointer to the next directory is common in damaged but readable EXIF blocks.
        following = self.number(self._read(following_at, width))
        entries: dict[int, Entry] = {}
        for index in range(count):
            record = lines[index * line : (index + 1) * line]
            tag, kind = struct.unpack(self.order + "HH", record[:4])
            if kind not in _UNIT or tag in entries:
                continue
            items = self.number(record[4 : 4 + width])
            at = lines_at + index * line
            inline = items * _UNIT[kind] <= width
            value_at = at + 4 + width if inline else self.number(record[4 + width :])
            entries[tag] = Entry(tag, kind, items, at, value_at)
        return Directory(entries, following, following_at)

    def chain(self, most: int) -> Iterator[Directory]:
        """The directories from the first on, ``most`` of them at most; a loop ends the chain."""
        seen: set[int] = set()
        offset = self.first
        while offset and offset not in seen and len(seen) < most:
            seen.add(offset)
            directory = self.directory(offset)
            yield directory
            offset = directory.following

    def count(self, most: int) -> int:
        """How many directories there are, counted up to ``most``, by their pointers alone."""
        count_size, line, width = (8, 20, 8) if self.big else (2, 12, 4)
        seen: set[int] = set()
        offset = self.first
        while offset and offset not in seen and len(seen) < most:
            seen.add(offset)
            entries = self.number(self._exactly(offset, count_size))
            offset = self.number(self._read(offset + count_size + entries * line, width))
        return len(seen)

    def fits(self, entry: Entry) -> bool:
        """Whether the value lies inside the block."""
        return entry.value_at + entry.size <= self.size

    def value(self, entry: Entry, most: int = MOST_VALUE_BYTES) -> bytes:
        """The bytes of a value, ``most`` of them at most."""
        if entry.size > most or not self.fits(entry):
            raise BadDirectoryError(f"tag {entry.tag} claims {entry.size} bytes at {entry.value_at}")
        return self._exactly(entry.value_at, entry.size)

    def numbers(self, directory: Directory, tag: int) -> list[int]:
        """The integers of a tag; empty where it is missing or holds none."""
        entry = directory.entries.get(tag)
        if entry is None or entry.kind not in _INTEGER:
            return []
        return np.frombuffer(self.value(entry), self.order + _INTEGER[entry.kind]).tolist()

    def integer(self, directory: Directory, tag: int, default: int = 0) -> int:
        """The first integer of a tag."""
        return next(iter(self.numbers(directory, tag)), default)

    def ratio(self, directory: Directory, tag: int) -> float | None:
        """The first unsigned rational of a tag."""
        entry = directory.entries.get(tag)
        if entry is None or entry.kind != 5 or not entry.items:
            return None
        above, below = struct.unpack(self.order + "II", self.value(entry)[:8])
        return above / below if below else None

    def _exactly(self, offset: int, count: int) -> bytes:
        found = self._read(offset, count) if offset + count <= self.size else b""
        if len(found) != count:
            raise BadDirectoryError(f"{count} bytes at {offset} lie outside the {self.size} there are")
        return found


def pack_directory(order: str, entries: list[RawEntry], at: int) -> bytes:
    """A directory followed by its values, to be placed at offset ``at``; it names no next one."""
    entries = sorted(entries)
    values_at = at + 2 + 12 * len(entries) + 4
    lines, values = [struct.pack(order + "H", len(entries))], b""
    for tag, kind, items, value in entries:
        if len(value) <= 4:
            place = value.ljust(4, b"\0")
        else:
            place = struct.pack(order + "I", values_at + len(values))
            values += value + b"\0" * (len(value) % 2)
        lines.append(struct.pack(order + "HHI", tag, kind, items) + place)
    return b"".join(lines) + b"\0\0\0\0" + values


__all__ = ["MOST_ENTRIES", "BadDirectoryError", "Directory", "Entry", "RawEntry", "Tree", "pack_directory"]

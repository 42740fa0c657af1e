"""EXIF blocks: kept byte for byte, except for what is no longer true once the pixels changed.

Camera makers store private notes whose offsets count from the start of the block, so a block that is taken apart and
written anew loses them. It is patched in place instead.
"""

import re
import struct

from nightsharp.photo.ifd import BadDirectoryError, Directory, Entry, Order, RawEntry, Tree, pack_directory

ORIENTATION = 274
EXIF, GPS, INTEROPERABILITY = 34665, 34853, 40965
MAKER_NOTE = 37500

MOST_BYTES = 8 << 20
# where it is and how long: a JPEG, or the first strip of plain pixels
_THUMBNAILS = ((513, 514), (273, 279))
_WIDTHS, _HEIGHTS = (256, 40962), (257, 40963)

CARRIED = frozenset(
    {269, 270, 271, 272, 274, 282, 283, 285, 296, 305, 306, 315, 316, 318, 319, 33432, 33723, 18246, 18249}
    | {33550, 33922, 34264, 34735, 34736, 34737, 42112, 42113}  # where on Earth (GeoTIFF)
    | {40091, 40092, 40093, 40094, 40095}  # titles and keywords as Windows writes them
    | {33434, 33437, 34850, 34855, 36867, 37386}  # exposure, where a RAW puts it beside the camera's name
)
"""Tags of a first directory that describe the photo; the others describe how its pixels are stored."""


def orientation_of(block: bytes) -> int:
    """The orientation 1 to 8 in an EXIF block; 1 where there is none or nonsense."""
    try:
        tree = Tree.of(block)
        found = tree.integer(tree.directory(tree.first), ORIENTATION, 1)
    except BadDirectoryError:
        return 1
    return found if 1 <= found <= 8 else 1


def density_of(block: bytes) -> tuple[float, float] | None:
    """Dots per inch across and down, as an EXIF block says."""
    try:
        tree = Tree.of(block)
        return density(tree, tree.directory(tree.first))
    except BadDirectoryError:
        return None


def density(tree: Tree, directory: Directory) -> tuple[float, float] | None:
    """Dots per inch across and down, as a directory says."""
    scale = {2: 1.0, 3: 2.54}.get(tree.integer(directory, 296, 2))
    across, down = tree.ratio(directory, 282), tree.ratio(directory, 283)
    return (across * scale, down * scale) if scale and across and down else None


def strip_prefix(block: bytes) -> bytes:
    """An EXIF block without the ``Exif`` prefix that JPEG needs and others sometimes copy."""
    return block[6:] if block.startswith(b"Exif\0") else block


def settle(block: bytes, width: int, height: int) -> bytes | None:
    """Make an EXIF block true for upright pixels: orientation 1, their size, no thumbnail of the old ones.

    Args:
        block: TIFF-structured, without the ``Exif`` prefix.
        width: pixels across of the photo as it now stands.
        height: pixels down.

    Returns:
        The block, every other byte where it was, or None where it is no EXIF block or was made to do harm.

    Source: EXIF 2.32 (CIPA DC-008), section 4.6.
    """
    try:
        if len(block) > MOST_BYTES:
            return None
        tree = Tree.of(block)
        first = tree.directory(tree.first)
        directories = [first, *_below(tree, first, EXIF), *_below(tree, first, GPS)]
        # Thousands of tags that all point at the same megabytes make a small block a large one when it is unpacked.
        claimed = sum(entry.size for d in directories for entry in d.entries.values() if tree.fits(entry))
        if claimed > 2 * len(block) + 4096:
            return None
        patched = bytearray(block)
        for directory in directories:
            _put(patched, tree, directory, (ORIENTATION,), 1)
            _put(patched, tree, directory, _WIDTHS, width)
            _put(patched, tree, directory, _HEIGHTS, height)
    except BadDirectoryError:
        return None
    return _without_thumbnail(patched, tree, first)


def gather(tree: Tree, first: Directory, *, without: frozenset[int] = frozenset()) -> bytes | None:
    """Build an EXIF block from the directories of a TIFF or RAW file, or of another EXIF block.

    Args:
        tree: the file.
        first: the directory that describes the photo.
        without: tags that do not come along.

    Returns:
        A compact EXIF block, or None where there is nothing to tell.
    """
    order = tree.order
    told = _raw_entries(tree, first, CARRIED - without)
    below: dict[int, list[RawEntry]] = {}
    for tag in (EXIF, GPS):
        for directory in _below(tree, first, tag)[:1]:
            drop = without | {INTEROPERABILITY}
            below[tag] = [raw for raw in _raw_entries(tree, directory, None) if raw.tag not in drop]
    if not told and not any(below.values()):
        return None
    pointer = {tag: RawEntry(tag, 4, 1, b"\0\0\0\0") for tag in below if below[tag]}
    offset = 8 + len(pack_directory(order, [*told, *pointer.values()], 8))
    blocks = []
    for tag in pointer:
        pointer[tag] = RawEntry(tag, 4, 1, struct.pack(order + "I", offset))
        blocks.append(pack_directory(order, below[tag], offset))
        offset += len(blocks[-1])
    header = (b"II" if order == "<" else b"MM") + struct.pack(order + "HI", 42, 8)
    return header + pack_directory(order, [*told, *pointer.values()], 8) + b"".join(blocks)


def compact(block: bytes, *, without: frozenset[int]) -> bytes | None:
    """An EXIF block built anew from what can be read in it."""
    try:
        tree = Tree.of(block)
        return gather(tree, tree.directory(tree.first), without=without)
    except BadDirectoryError:
        return None


def first_entries(block: bytes) -> tuple[Order, list[RawEntry]]:
    """The byte order of an EXIF block, and the lines of its first directory that describe the photo.

    The pointers to the EXIF and GPS directories are among them, as offsets into the block.
    """
    tree = Tree.of(block)
    return tree.order, _raw_entries(tree, tree.directory(tree.first), CARRIED | {EXIF, GPS})


def settle_xmp(packet: bytes) -> bytes:
    """Set the orientation that an XMP packet repeats to 1, in either of its two spellings."""
    return re.sub(rb"(tiff:Orientation(?:=[\"']|>))[2-8](?=[\"'<])", rb"\g<1>1", packet)


def _below(tree: Tree, parent: Directory, tag: int) -> list[Directory]:
    """The directory that ``tag`` points at, and the interoperability directory below it."""
    found: list[Directory] = []
    try:
        if offset := tree.integer(parent, tag):
            found.append(tree.directory(offset))
            if below := tree.integer(found[0], INTEROPERABILITY):
                found.append(tree.directory(below))
    except BadDirectoryError:
        pass  # a broken branch leaves the trunk readable
    return found


def _raw_entries(tree: Tree, directory: Directory, wanted: frozenset[int] | None) -> list[RawEntry]:
    raw = []
    budget = MOST_BYTES
    for entry in directory.entries.values():
        # Kinds above 12 exist in BigTIFF only.
        if (wanted is None or entry.tag in wanted) and entry.kind <= 12 and tree.fits(entry) and entry.size <= budget:
            budget -= entry.size
            raw.append(RawEntry(entry.tag, entry.kind, entry.items, tree.value(entry)))
    return raw


def _put(patched: bytearray, tree: Tree, directory: Directory, tags: tuple[int, ...], value: int) -> None:
    for tag in tags:
        entry = directory.entries.get(tag)
        if entry is None or entry.items < 1 or entry.kind not in (3, 4) or not tree.fits(entry):
            continue
        width = entry.size // entry.items
        if value < 1 << (8 * width):
            patched[entry.value_at : entry.value_at + width] = struct.pack(
                tree.order + ("H" if width == 2 else "I"), value
            )


def _without_thumbnail(patched: bytearray, tree: Tree, first: Directory) -> bytes:
    if not first.following:
        return bytes(patched)
    patched[first.following_at : first.following_at + 4] = b"\0\0\0\0"
    try:
        second = tree.directory(first.following)
        places = [(tree.integer(second, at), tree.integer(second, size)) for at, size in _THUMBNAILS]
    except BadDirectoryError:
        return bytes(patched)
    for start, size in places:
        end = start + size
        if start < 8 or size < 1 or end > len(patched):
            continue
        if end >= len(patched) - 4 and start > _last_use(tree, first):
            return bytes(patched[:start])
        patched[start:end] = bytes(size)
    return bytes(patched)


def _last_use(tree: Tree, first: Directory) -> int:
    """The end of what the directories that stay reach into the block."""
    end = first.following_at + 4
    for directory in (first, *_below(tree, first, EXIF), *_below(tree, first, GPS)):
        end = max(
            end, directory.following_at + 4, *(_end(entry) for entry in directory.entries.values() if tree.fits(entry))
        )
    return end


def _end(entry: Entry) -> int:
    return entry.value_at + entry.size

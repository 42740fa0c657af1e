"""The real matrices in a MATLAB 5 to 7 file, read without trusting it.

scipy.io.loadmat ends the process on some damaged files (a wild type code is followed as an index), so it cannot stand
at the door.
"""

import struct
import zlib
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import numpy as np

from nightsharp.errors import PsfError

_HEADER = 128
_MATRIX, _COMPRESSED = 14, 15
_STORED = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8", 12: "i8", 13: "u8"}
_NUMERIC_CLASSES = range(6, 16)
_COMPLEX_FLAG = 0x800


def read_matrices(file: Path, most: int) -> dict[str, np.ndarray]:
    """All named, full, real, two-dimensional variables; whatever else the file holds is passed over.

    Args:
        file: the path of a file that may be read whole.
        most: bytes that the compressed variables may unpack to, all together.

    Returns:
        The matrices by their names, as they are stored.

    Raises:
        PsfError: it is a file of another MATLAB version, or unpacks to more than ``most``.
        ValueError: a part of the file contradicts another.
        zlib.error: a compressed variable is damaged.
    """
    content = file.read_bytes()
    order = {b"IM": "<", b"MI": ">"}.get(content[126:128])
    version = struct.unpack(f"{order}H", content[124:126])[0] >> 8 if order else 0
    if version == 2:
        raise PsfError(f"{file.name} is a MATLAB 7.3 file (HDF5). Save it with -v7, or the PSF as .npy or .csv.")
    if order is None or version != 1:
        raise PsfError(f"{file.name} is no MATLAB 5 to 7 file. Save the PSF with -v7, or as .npy or .csv.")
    found = {}
    for kind, data in _elements(memoryview(content)[_HEADER:], order):
        if kind == _COMPRESSED:
            unpacked = zlib.decompressobj().decompress(data, most + 1)
            most -= len(unpacked)
            if most < 0:
                raise PsfError(f"{file.name} unpacks to far more than a PSF. Save the PSF alone.")
            kind, data = next(_elements(memoryview(unpacked), order), (0, data))
        if kind == _MATRIX:
            found |= _matrix(data, order)
    return found


def _elements(data: memoryview, order: str) -> Iterator[tuple[int, memoryview]]:
    """Type code and content, one after the other."""
    place = 0
    while place + 8 <= len(data):
        kind, length = struct.unpack_from(f"{order}II", data, place)
        start = place + 8
        if kind >> 16:
            # up to four bytes are packed into the tag itself
            kind, length, start = kind & 0xFFFF, kind >> 16, place + 4
            if length > 4:
                raise ValueError(f"a small element claims {length} bytes")
        if start + length > len(data):
            raise ValueError("it ends in the middle of a variable")
        yield kind, data[start : start + length]
        used = start + length - place
        # compressed elements alone are not padded to eight bytes
        place += used if kind == _COMPRESSED else used + -used % 8


def _matrix(data: memoryview, order: str) -> dict[str, np.ndarray]:
    """The variable by its name, or nothing when it is not a real matrix."""
    parts = list(islice(_elements(data, order), 4))
    if len(parts) < 4 or len(parts[0][1]) < 4:
        return {}
    (_, flags), (_, sides), (_, name), (kind, values) = parts
    properties = struct.unpack_from(f"{order}I", flags)[0]
    if properties & 0xFF not in _NUMERIC_CLASSES or properties & _COMPLEX_FLAG or not len(name) or len(sides) != 8:
        return {}
    if kind not in _STORED:
        raise ValueError(f"a variable is stored as type {kind}, which does not exist")
    numbers = np.frombuffer(values, dtype=order + _STORED[kind])
    rows, columns = struct.unpack(f"{order}ii", sides)
    if min(rows, columns) < 0 or rows * columns != numbers.size:
        raise ValueError(f"a variable of {rows} x {columns} has {numbers.size} values")
    return {bytes(name).decode("latin-1"): numbers.reshape((rows, columns), order="F")}

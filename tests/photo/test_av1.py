"""The size of an AV1 frame is read from the stream itself."""

import pytest
from making_files import picture, pillow

from nightsharp.photo.formats.av1 import frame_size
from nightsharp.photo.formats.bmff import find_items


def stream(*fields, before=b""):
    """A sequence header from (value, bits), in a unit with its size."""
    bits = "".join(f"{value:0{count}b}" for value, count in fields)
    payload = int(bits.ljust(-(-len(bits) // 8) * 8, "0"), 2).to_bytes(-(-len(bits) // 8), "big")
    return before + bytes([1 << 3 | 2, len(payload)]) + payload


SIZE = [(11, 4), (9, 4), (3999, 12), (999, 10)]
LONG = [(0, 3), (0, 1), (0, 1)]
STREAMS = {
    "short header": stream((0, 3), (1, 1), (1, 1), (8, 5), *SIZE),
    "long header": stream(*LONG, (0, 1), (0, 1), (0, 5), (0, 12), (4, 5), *SIZE),
    "two operating points, one of a high tier": stream(
        *LONG, (0, 1), (0, 1), (1, 5), (1, 12), (9, 5), (1, 1), (3, 12), (4, 5), *SIZE
    ),
    "with timing, decoder model and display delay": stream(
        *LONG,
        *[(1, 1), (1, 32), (30, 32), (1, 1), (1, 3), (0, 2)],  # equal intervals: 001 and two more bits
        *[(1, 1), (9, 5), (1, 32), (3, 5), (3, 5)],
        *[(1, 1), (0, 5), (0, 12), (4, 5), (1, 1), (5, 10), (6, 10), (0, 1), (1, 1), (7, 4)],
        *SIZE,
    ),
    "after a temporal delimiter": stream((0, 3), (1, 1), (1, 1), (8, 5), *SIZE, before=b"\x12\0"),
}


@pytest.mark.parametrize("content", STREAMS.values(), ids=STREAMS)
def test_every_kind_of_header_tells_the_size(content):
    assert frame_size(content) == (4000, 1000)


@pytest.mark.parametrize("content", [b"", b"\x12", b"\x12\0" * 20, b"\x0a\x01\0", b"\x0a" + b"\xff" * 10])
def test_what_is_no_header_is_refused(content):
    with pytest.raises(ValueError, match="AV1"):
        frame_size(content)


@pytest.mark.parametrize("size", [(40, 48), (1, 1), (333, 77)])
def test_the_size_in_a_file_is_that_of_the_photo(size):
    content = pillow(picture(*size), "AVIF")
    (item,) = find_items(content, {b"av01": 1024})
    assert frame_size(item.content) == size[::-1]

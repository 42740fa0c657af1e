"""What is too large is refused from its header, before anything of its size is made."""

import os
import struct
import time
from dataclasses import FrozenInstanceError, replace

import pytest
from making_files import dng, exif_block, noise, picture, pillow, png, put, raw_png, tiff

from nightsharp.errors import LimitError, PhotoError
from nightsharp.photo import Limits, probe, read_photo

SERVER = Limits.server()
SOUND = {
    "png": png(noise(40, 60, 3)),
    "jpeg": pillow(picture(40, 60), "JPEG"),
    "webp": pillow(picture(40, 60), "WEBP"),
    "tiff": tiff(noise(40, 60, 3)),
    "avif": pillow(picture(40, 60), "AVIF"),
    "raw": dng(noise(40, 60, 1, "u2")[..., 0]),
}


@pytest.mark.parametrize("content", SOUND.values(), ids=SOUND)
class TestEveryFormat:
    def test_pixels_are_limited(self, content, tmp_path):
        with pytest.raises(LimitError, match=r"60 x 40, 0.0 million pixels; the limit is .* Limits\(pixels=...\)"):
            read_photo(put(tmp_path, "a", content), limits=replace(SERVER, pixels=2399))

    def test_the_side_is_limited(self, content, tmp_path):
        with pytest.raises(LimitError, match="limit for a side is 59"):
            read_photo(put(tmp_path, "a", content), limits=replace(SERVER, side=59))

    def test_the_file_is_limited(self, content, tmp_path):
        with pytest.raises(LimitError, match="the file has"):
            read_photo(put(tmp_path, "a", content), limits=replace(SERVER, file_bytes=len(content) - 1))

    def test_memory_is_limited(self, content, tmp_path):
        file = put(tmp_path, "a", content)
        needed = probe(file).memory
        read_photo(file, limits=replace(SERVER, memory=needed))
        with pytest.raises(LimitError, match="of memory; the limit is"):
            read_photo(file, limits=replace(SERVER, memory=needed - 1))

    def test_time_is_limited(self, content, tmp_path):
        with pytest.raises(LimitError, match="more than 0 s"):
            read_photo(put(tmp_path, "a", content), limits=replace(SERVER, seconds=0))

    def test_just_inside_the_limits_it_is_read(self, content, tmp_path):
        limits = replace(SERVER, pixels=2400, side=60, file_bytes=len(content))
        assert read_photo(put(tmp_path, "a", content), limits=limits).width == 60

    def test_the_header_tells_the_size(self, content, tmp_path):
        header = probe(put(tmp_path, "a", content))
        assert (header.width, header.height, header.channels) == (60, 40, 3)
        assert header.file_bytes == len(content)


def enormous_jpeg():
    content = bytearray(SOUND["jpeg"])
    at = content.index(b"\xff\xc0") + 5
    content[at : at + 4] = struct.pack(">HH", 65000, 65000)
    # bits enough for as many blocks
    end = content.rindex(b"\xff\xd9")
    return bytes(content[:end]) + b"\x55" * 20_000_000 + bytes(content[end:])


def enormous_webp():
    canvas = b"VP8X" + struct.pack("<I", 10) + bytes([2, 0, 0, 0]) + b"\xff" * 6
    frame = b"ANMF" + struct.pack("<I", 8) + bytes(8)
    return b"RIFF" + struct.pack("<I", 4 + len(canvas + frame)) + b"WEBP" + canvas + frame


ENORMOUS = {"png": raw_png(90_000, 90_000, 16, 6, b""), "jpeg": enormous_jpeg(), "webp": enormous_webp()}


@pytest.mark.parametrize("content", ENORMOUS.values(), ids=ENORMOUS)
def test_a_header_that_promises_gigabytes_is_believed_at_once(content, tmp_path):
    file = put(tmp_path, "a", content)
    start = time.perf_counter()
    with pytest.raises(LimitError, match="million pixels"):
        read_photo(file)
    assert time.perf_counter() - start < 2


def test_frames_are_limited(tmp_path):
    content = png(noise(4, 4, 3), (b"acTL", struct.pack(">II", 101, 0)))
    with pytest.raises(LimitError, match="more than 100 frames"):
        read_photo(put(tmp_path, "a.png", content), limits=SERVER)


def test_a_turned_photo_is_probed_upright(tmp_path):
    file = put(tmp_path, "a.png", png(noise(40, 60, 3), (b"eXIf", exif_block(8))))
    header = probe(file)
    assert (header.width, header.height) == (40, 60)


def test_limits_do_not_change_behind_ones_back():
    with pytest.raises(FrozenInstanceError):
        SERVER.pixels = 1  # pyright: ignore[reportAttributeAccessIssue]


def test_the_desktop_takes_at_least_what_the_server_takes():
    desktop = Limits.desktop()
    assert desktop == Limits()
    for name in ("pixels", "side", "file_bytes", "frames", "memory", "seconds"):
        assert getattr(desktop, name) >= getattr(SERVER, name)


class TestPlaces:
    """What is no plain file is refused, and nothing waits for it."""

    def test_a_folder(self, tmp_path):
        with pytest.raises(PhotoError, match="is a folder"):
            read_photo(tmp_path)

    def test_a_named_pipe_without_a_writer(self, tmp_path):
        os.mkfifo(tmp_path / "pipe")
        with pytest.raises(PhotoError, match="is a named pipe"):
            read_photo(tmp_path / "pipe")

    def test_a_device(self):
        with pytest.raises(PhotoError, match="is a device"):
            read_photo("/dev/zero")

    def test_nothing(self, tmp_path):
        with pytest.raises(PhotoError, match="there is no such file"):
            read_photo(tmp_path / "nothing.jpg")

    @pytest.mark.parametrize("name", ["a\0b.jpg", "x" * 5000, ""])
    def test_an_impossible_name(self, name):
        with pytest.raises(PhotoError):
            read_photo(name)

    def test_a_link_to_a_photo_is_a_photo(self, tmp_path):
        put(tmp_path, "a.png", SOUND["png"])
        (tmp_path / "b.png").symlink_to("a.png")
        assert read_photo(tmp_path / "b.png").width == 60

    def test_a_link_to_itself(self, tmp_path):
        (tmp_path / "loop").symlink_to("loop")
        with pytest.raises(PhotoError, match="cannot be opened"):
            read_photo(tmp_path / "loop")

    def test_a_file_that_may_not_be_read(self, tmp_path, monkeypatch):
        file = put(tmp_path, "a.png", SOUND["png"])

        def refuse(*_, **__):
            raise PermissionError(13, "Permission denied")

        monkeypatch.setattr(os, "open", refuse)
        with pytest.raises(PhotoError, match="may not read"):
            read_photo(file)

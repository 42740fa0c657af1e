"""A file is written whole or not at all, and never over the photo it came from."""

import errno
import os
import stat
import subprocess
import sys
import threading
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import torch
from making_files import gamma_curve, noise, picture, pillow, png, profile, profile_chunk, put, tiff
from PIL import Image

from nightsharp.errors import PhotoError, UsageError
from nightsharp.photo import Metadata, Photo, check_destination, read_photo, write_photo, write_whole

ENDINGS = [".jpg", ".png", ".tif", ".webp", ".avif", *([".heic"] if find_spec("pillow_heif") else [])]


@pytest.fixture
def photo():
    return Photo(torch.rand(3, 20, 30, generator=torch.Generator().manual_seed(0)))


@pytest.mark.parametrize("ending", [*ENDINGS, ".JPG", ".jpeg", ".TIFF"])
def test_the_ending_chooses_the_format(ending, photo, tmp_path):
    photo.save(tmp_path / f"a{ending}")
    again = read_photo(tmp_path / f"a{ending}")
    assert again.meta.format == {"jpg": "jpeg", "tif": "tiff", "heic": "heif"}.get(
        ending[1:].lower(), ending[1:].lower()
    )
    assert (again.display() - photo.display()).abs().mean() < 0.2


@pytest.mark.parametrize("name", ["a", "a.txt", "a.jpg.bak", ".jpg", "a.gif"])
def test_another_ending_is_refused_with_the_choices(name, photo, tmp_path):
    with pytest.raises(PhotoError, match=r"\.jpg, \.png, \.tif"):
        photo.save(tmp_path / name)
    assert list(tmp_path.iterdir()) == []


class TestDestination:
    def test_an_existing_file_stays(self, photo, tmp_path):
        old = put(tmp_path, "a.png", b"old")
        with pytest.raises(PhotoError, match="exists already"):
            photo.save(old)
        assert old.read_bytes() == b"old"
        photo.save(old, overwrite=True)
        assert read_photo(old).width == 30

    def test_a_file_that_appears_while_we_write_stays(self, photo, tmp_path, monkeypatch):
        target = tmp_path / "a.png"
        fsync = os.fsync

        def interrupted(descriptor):
            target.write_bytes(b"another's")
            fsync(descriptor)

        monkeypatch.setattr(os, "fsync", interrupted)
        with pytest.raises(PhotoError, match="exists already"):
            photo.save(target)
        assert target.read_bytes() == b"another's"
        assert [path.name for path in tmp_path.iterdir()] == ["a.png"]

    def test_of_many_writers_one_wins(self, tmp_path):
        target, won = tmp_path / "a.bin", []

        def write(number):
            try:
                write_whole(target, bytes([number]) * 100_000)
                won.append(number)
            except PhotoError:
                pass

        threads = [threading.Thread(target=write, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(won) == 1
        assert target.read_bytes() == bytes([won[0]]) * 100_000
        assert list(tmp_path.iterdir()) == [target]

    @pytest.mark.parametrize("way", ["same", "relative", "symlink", "hardlink", "dotted"])
    @pytest.mark.parametrize("overwrite", [False, True])
    def test_the_input_is_never_written_over(self, way, overwrite, tmp_path, monkeypatch):
        source = put(tmp_path, "a.png", png(noise(5, 6, 3)))
        before = source.read_bytes()
        photo = read_photo(source)
        match way:
            case "same":
                target = source
            case "relative":
                monkeypatch.chdir(tmp_path)
                target = Path("a.png")
            case "symlink":
                target = tmp_path / "b.png"
                target.symlink_to(source)
            case "hardlink":
                target = tmp_path / "b.png"
                target.hardlink_to(source)
            case _:
                target = tmp_path / ".." / tmp_path.name / "a.png"
        with pytest.raises(UsageError, match="never writes over its input"):
            photo.save(target, overwrite=overwrite)
        assert source.read_bytes() == before

    def test_the_input_is_never_written_over_from_another_folder(self, tmp_path, monkeypatch):
        source = put(tmp_path, "a.png", png(noise(5, 6, 3)))
        monkeypatch.chdir(tmp_path)
        photo = read_photo("a.png")
        (tmp_path / "sub").mkdir()
        monkeypatch.chdir(tmp_path / "sub")
        with pytest.raises(UsageError, match="never writes over its input"):
            photo.save(source, overwrite=True)

    def test_an_input_that_is_gone_is_no_hindrance(self, tmp_path):
        source = put(tmp_path, "a.png", png(noise(5, 6, 3)))
        photo = read_photo(source)
        source.unlink()
        photo.save(source)
        assert torch.equal(read_photo(source).pixels, photo.pixels)

    def test_a_link_is_followed(self, photo, tmp_path):
        put(tmp_path, "a.png", b"old")
        (tmp_path / "b.png").symlink_to("a.png")
        photo.save(tmp_path / "b.png", overwrite=True)
        assert (tmp_path / "b.png").is_symlink()
        assert read_photo(tmp_path / "a.png").width == 30

    def test_what_is_no_plain_file_is_not_replaced(self, photo, tmp_path):
        os.mkfifo(tmp_path / "a.png")
        (tmp_path / "b.png").mkdir()
        for name in ("a.png", "b.png"):
            with pytest.raises(PhotoError, match="no plain file"):
                photo.save(tmp_path / name, overwrite=True)

    def test_a_folder_that_is_missing_is_named(self, photo, tmp_path):
        with pytest.raises(PhotoError, match="there is no folder"):
            photo.save(tmp_path / "nowhere" / "a.png")

    def test_a_name_that_is_too_long(self, photo, tmp_path):
        with pytest.raises(PhotoError, match="too long"):
            photo.save(tmp_path / ("x" * 300 + ".png"))

    def test_the_longest_name_there_is(self, photo, tmp_path):
        photo.save(tmp_path / ("x" * 251 + ".png"))

    def test_an_impossible_name(self, photo, tmp_path):
        with pytest.raises(PhotoError, match="cannot be written"):
            photo.save(tmp_path / "a\0.png")

    def test_a_folder_that_may_not_be_written_to(self, photo, tmp_path, monkeypatch):
        monkeypatch.setattr(os, "access", lambda *_: False)
        with pytest.raises(PhotoError, match="cannot be written to"):
            photo.save(tmp_path / "a.png")

    def test_what_can_be_written_is_told_beforehand(self, tmp_path):
        assert check_destination(tmp_path / "a.json") == tmp_path / "a.json"
        put(tmp_path, "a.json", b"{}")
        with pytest.raises(PhotoError, match="exists already"):
            check_destination(tmp_path / "a.json")


FAILURES = {
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "the disk is full",
    errno.EROFS: "cannot be written",
    errno.EACCES: "cannot be written",
    errno.EIO: "cannot be written",
    errno.EFBIG: "cannot be written",
}


@pytest.mark.parametrize(("code", "words"), FAILURES.items(), ids=lambda value: errno.errorcode.get(value, ""))
@pytest.mark.parametrize("overwrite", [False, True])
def test_a_disk_that_fails_leaves_everything_as_it_was(code, words, overwrite, photo, tmp_path, monkeypatch):
    target = tmp_path / "a.png"
    if overwrite:
        target.write_bytes(b"old")

    def fail(_):
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(PhotoError, match=words):
        photo.save(target, overwrite=overwrite)
    assert [path.read_bytes() for path in tmp_path.iterdir()] == ([b"old"] if overwrite else [])


def test_a_truly_full_disk_is_said_and_nothing_is_left(photo, tmp_path):
    """The kernel's own limit on the size of a file stands in for a full disk."""
    script = (
        "import resource, signal, sys, torch\n"
        "from nightsharp.photo import Photo\n"
        "from nightsharp.errors import PhotoError\n"
        "photo = Photo(torch.rand(3, 200, 200))\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (5000, 5000))\n"
        "try:\n"
        "    photo.save(sys.argv[1], overwrite=True)\n"
        "except PhotoError as problem:\n"
        "    print(problem)\n"
    )
    target = put(tmp_path, "a.png", b"old")
    run = subprocess.run([sys.executable, "-c", script, str(target)], capture_output=True, text=True, check=True)
    assert "cannot be written" in run.stdout
    assert target.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_killed_at_fifty_moments_the_file_is_one_of_the_two_whole(tmp_path):
    script = Path(__file__).with_name("overwriting_until_killed.py")
    run = subprocess.run(
        [sys.executable, "-W", "ignore", str(script), str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    one, other, _ = map(int, run.stdout.split())
    assert one + other == 50
    assert min(one, other) > 0, "the kills came before anything was written"


class TestPermissions:
    def test_a_new_file_follows_the_umask(self, photo, tmp_path):
        before = os.umask(0o027)
        try:
            photo.save(tmp_path / "a.png")
        finally:
            os.umask(before)
        assert stat.S_IMODE((tmp_path / "a.png").stat().st_mode) == 0o640

    def test_a_replaced_file_keeps_its_own(self, photo, tmp_path):
        old = put(tmp_path, "a.png", b"old")
        old.chmod(0o604)
        photo.save(old, overwrite=True)
        assert stat.S_IMODE(old.stat().st_mode) == 0o604


class TestWhatAFormatCannotHold:
    def test_webp_has_a_longest_side(self, tmp_path):
        with pytest.raises(PhotoError, match=r"16384 x 1; a WebP has at most 16383 .* Save a PNG or TIFF"):
            Photo(torch.zeros(3, 1, 16384)).save(tmp_path / "a.webp")

    def test_jpeg_has_a_longest_side(self, tmp_path):
        with pytest.raises(PhotoError, match=r"1 x 65536; a JPEG has at most 65535 .* Save a PNG or TIFF"):
            Photo(torch.zeros(3, 65536, 1)).save(tmp_path / "a.jpg")

    def test_jpeg_says_that_it_drops_transparency_and_depth(self, tmp_path):
        photo = read_photo(put(tmp_path, "a.png", png(noise(8, 8, 4, "u2"))))
        notes = photo.save(tmp_path / "a.jpg")
        assert any("no transparency" in note for note in notes)
        assert any("8 bits per channel; the photo had 16" in note for note in notes)

    def test_light_above_white_is_clipped_with_a_word(self, tmp_path):
        photo = read_photo(put(tmp_path, "a.tif", tiff(noise(8, 8, 3, "f4"))))
        (note,) = photo.save(tmp_path / "a.png")
        assert "above white" in note
        again = read_photo(tmp_path / "a.png")
        assert again.meta.depth == 16
        torch.testing.assert_close(again.pixels, photo.pixels.clamp(0, 1), rtol=0, atol=3e-5)

    def test_values_that_are_no_numbers_are_not_written(self, photo, tmp_path):
        pixels = photo.pixels.clone()
        pixels[0, 0, 0] = float("nan")
        for ending in ENDINGS:
            with pytest.raises(PhotoError, match="no finite numbers"):
                photo.with_pixels(pixels).save(tmp_path / f"a{ending}")

    def test_a_long_exif_block_loses_the_makers_notes_in_a_jpeg(self, tmp_path):
        content = pillow(picture(), "TIFF", exif=long_exif())
        photo = read_photo(put(tmp_path, "a.tif", content))
        (note,) = photo.save(tmp_path / "a.jpg")
        assert "maker's private notes are left out" in note
        again = read_photo(tmp_path / "a.jpg").meta.exif
        assert again is not None
        assert b"Testcam" in again
        assert photo.save(tmp_path / "a.png") == ()


def long_exif():
    exif = Image.Exif()
    exif[271] = "Testcam"
    exif.get_ifd(34665)[37500] = bytes(100_000)
    return exif.tobytes()


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("kind", ["u1", "u2", "f4"])
def test_every_kind_of_photo_goes_into_every_format(ending, channels, kind, tmp_path):
    samples = (picture(32, 48, channels).astype("f4") / 255) if kind == "f4" else picture(32, 48, channels).astype(kind)
    samples = samples * 257 if kind == "u2" else samples
    photo = read_photo(put(tmp_path, "in.tif", tiff(samples.astype(kind))))
    photo.save(tmp_path / f"out{ending}")
    again = read_photo(tmp_path / f"out{ending}")
    assert (again.height, again.width) == (32, 48)
    assert (again.alpha is not None) == (channels in (2, 4) and ending != ".jpg")
    assert (again.display() - photo.display()).abs().mean() < (
        0.05 if ending in (".jpg", ".avif", ".heic", ".webp") else 2e-3
    )
    if ending in (".jpg", ".png", ".tif"):
        assert again.meta.grey == (channels <= 2)


def test_colour_in_a_grey_photo_becomes_its_luminance(tmp_path):
    photo = read_photo(put(tmp_path, "a.png", png(noise(4, 4, 1))))
    red = torch.zeros(3, 4, 4)
    red[0] = 1
    photo.with_pixels(red).save(tmp_path / "b.png")
    torch.testing.assert_close(read_photo(tmp_path / "b.png").pixels, torch.full((3, 4, 4), 0.2126), rtol=0, atol=4e-3)


@pytest.mark.parametrize(("ending", "kept"), [(".png", True), (".jpg", True), (".tif", True), (".webp", False)])
def test_a_grey_profile_does_not_go_with_colours(ending, kept, tmp_path):
    icc = profile(gamma_curve(1.8), space=b"GRAY")
    photo = read_photo(put(tmp_path, "a.png", png(picture(32, 48, 1), profile_chunk(icc))))
    notes = photo.save(tmp_path / f"b{ending}")
    again = read_photo(tmp_path / f"b{ending}")
    assert again.meta.icc == (icc if kept else None)
    assert (notes == ()) == kept
    torch.testing.assert_close(again.pixels, photo.pixels, rtol=0, atol=0.03)


def test_a_tensor_alone_is_a_photo(tmp_path):
    values = np.arange(48, dtype=np.uint8).reshape(4, 4, 3)
    light = torch.from_numpy(values.transpose(2, 0, 1) / 255.0).float() ** 2.2
    assert write_photo(Photo(light), tmp_path / "a.png") == ()
    assert write_photo(Photo(light, None, Metadata(depth=16)), tmp_path / "b.png") == ()
    assert read_photo(tmp_path / "a.png").meta.depth == 8
    torch.testing.assert_close(read_photo(tmp_path / "b.png").pixels, light, rtol=0, atol=3e-5)

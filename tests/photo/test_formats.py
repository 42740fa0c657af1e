"""Kinds of files that are read, beside the plain ones, and kinds that are refused with the reason."""

import io
import struct
import zlib
from typing import Any

import imagecodecs
import numpy as np
import pytest
import tifffile
import torch
from making_files import chunk, dng, noise, picture, pillow, png, put, raw_png, srgb_profile, tiff
from PIL import Image

from nightsharp.errors import PhotoError, UsageError
from nightsharp.photo import probe, read_photo

PASSES = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))


def alpha(photo):
    """The alpha channel, which must be there."""
    assert photo.alpha is not None
    return photo.alpha


def codes(photo, full=255):
    """What a screen would show, as integers."""
    return (photo.display() * full).round().int().permute(1, 2, 0).numpy()


def test_the_name_says_nothing_about_the_format(tmp_path):
    samples = noise(8, 9, 3)
    photo = read_photo(put(tmp_path, "really-a-png.jpg", png(samples)))
    assert photo.meta.format == "png"
    assert np.array_equal(codes(photo), samples)


@pytest.mark.parametrize("transparent", [False, True])
def test_a_palette_is_unfolded(transparent, tmp_path):
    image = Image.fromarray(noise(20, 30, 3)).quantize(100)
    options = {"transparency": bytes(range(100))} if transparent else {}
    out = io.BytesIO()
    image.save(out, "PNG", **options)
    photo = read_photo(put(tmp_path, "a.png", out.getvalue()))
    assert np.array_equal(codes(photo), np.asarray(image.convert("RGB")))
    assert "palette" in photo.notes[0]
    assert (photo.alpha is not None) == transparent
    if transparent:
        assert np.array_equal((alpha(photo)[0] * 255).round().byte().numpy(), np.asarray(image))


@pytest.mark.parametrize("depth", [1, 2, 4])
def test_grey_of_few_bits_spans_black_to_white(depth, tmp_path):
    row = bytes([0, 0b00011011, 0b11100100])
    photo = read_photo(put(tmp_path, "a.png", raw_png(16 // depth, 2, depth, 0, row * 2)))
    bits = np.unpackbits(np.frombuffer(row[1:], np.uint8)).reshape(-1, depth)
    expected = bits @ (1 << np.arange(depth)[::-1]) * (255 // (2**depth - 1))
    assert np.array_equal(codes(photo)[0, :, 0], expected)
    assert photo.meta.grey
    assert "grey" in photo.notes[0]


def test_a_colour_declared_transparent_becomes_alpha(tmp_path):
    samples = noise(4, 5, 3, "u2")
    samples[2, 3] = (1, 2, 3)
    photo = read_photo(put(tmp_path, "a.png", png(samples, (b"tRNS", struct.pack(">3H", 1, 2, 3)))))
    assert alpha(photo)[0, 2, 3] == 0
    assert alpha(photo).sum() == 19


@pytest.mark.parametrize("made_as", ["JPEG", "TIFF"])
def test_inks_become_colours_with_a_word(made_as, tmp_path):
    samples = picture(16, 16)
    photo = read_photo(put(tmp_path, "a", pillow(samples, made_as, "CMYK")))
    assert "CMYK" in photo.notes[0]
    assert not photo.meta.grey
    assert photo.meta.icc is None
    assert np.abs(codes(photo).astype(int) - samples).mean() < 5


def test_a_damaged_ink_profile_is_said(tmp_path):
    photo = read_photo(put(tmp_path, "a", pillow(picture(16, 16), "JPEG", "CMYK", icc_profile=b"damaged")))
    assert "CMYK profile cannot be used" in photo.notes[0]


def test_a_wrong_ink_profile_is_said(tmp_path):
    photo = read_photo(put(tmp_path, "a", pillow(picture(16, 16), "JPEG", "CMYK", icc_profile=srgb_profile())))
    assert "CMYK profile cannot be used" in photo.notes[0]


def animated(made_as):
    frames = [Image.fromarray(noise(12, 14, 3, seed=number)) for number in range(3)]
    out = io.BytesIO()
    options = {"lossless": True} if made_as == "WEBP" else {}
    frames[0].save(out, made_as, save_all=True, append_images=frames[1:], **options)
    return out.getvalue()


@pytest.mark.parametrize("made_as", ["PNG", "WEBP", "TIFF"])
def test_of_several_frames_the_first_is_kept_with_a_word(made_as, tmp_path):
    file = put(tmp_path, "a", animated(made_as))
    photo = read_photo(file)
    assert np.array_equal(codes(photo), noise(12, 14, 3, seed=0))
    assert "only the first is kept" in photo.notes[0]
    assert probe(file).frames == 3


def test_of_a_preview_and_a_photo_the_photo_is_kept(tmp_path):
    out = io.BytesIO()
    with tifffile.TiffWriter(out) as writer:
        writer.write(noise(4, 5, 3), photometric="rgb", subfiletype=1, metadata=None)
        writer.write(noise(40, 50, 3), photometric="rgb", metadata=None)
    assert np.array_equal(codes(read_photo(put(tmp_path, "a.tif", out.getvalue()))), noise(40, 50, 3))


LAYOUTS = {
    "planes": {"planarconfig": "separate"},
    "tiles": {"tile": (16, 32)},
    "tiles of planes": {"tile": (16, 32), "planarconfig": "separate", "compression": "deflate"},
    "one row a strip": {"rowsperstrip": 1},
    "one strip": {"rowsperstrip": 1000, "compression": "lzw", "predictor": True},
    "big-endian": {"byteorder": ">", "compression": "zstd", "predictor": True},
    "BigTIFF": {"bigtiff": True},
    "packbits": {"compression": "packbits"},
}


@pytest.mark.parametrize("kind", ["u1", "u2", "f4"])
@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
def test_a_tiff_may_be_laid_out_in_any_way(layout, kind, tmp_path):
    samples = noise(45, 70, 4, kind)
    stored = np.moveaxis(samples, 2, 0).copy() if "separate" in layout.values() else samples
    out = io.BytesIO()
    options = {"planarconfig": "contig"} | layout
    tifffile.imwrite(out, stored, photometric="rgb", extrasamples=[2], metadata=None, **options)
    photo = read_photo(put(tmp_path, "a.tif", out.getvalue()), light="linear")
    full = 1 if kind == "f4" else np.iinfo(kind).max
    found = torch.cat([photo.pixels, alpha(photo)]).permute(1, 2, 0).numpy()
    np.testing.assert_allclose(found, samples.astype(np.float64) / full, rtol=1e-6)


def test_white_may_be_zero(tmp_path):
    samples = noise(9, 9, 1)
    photo = read_photo(put(tmp_path, "a.tif", tiff(samples, photometric="miniswhite")))
    assert np.array_equal(codes(photo)[..., :1], 255 - samples)


@pytest.mark.parametrize("mode", ["1", "P", "LA", "YCbCr"])
def test_what_pillow_writes_as_tiff_is_read(mode, tmp_path):
    samples = picture(24, 32)
    options: dict[str, Any] = {"compression": "jpeg", "quality": 100} if mode == "YCbCr" else {}
    content = pillow(samples, "TIFF", mode, **options)
    photo = read_photo(put(tmp_path, "a.tif", content))
    expected = np.asarray(Image.open(io.BytesIO(content)).convert("RGB"))
    assert np.abs(codes(photo).astype(int) - expected).max() <= (6 if mode == "YCbCr" else 0)
    assert (photo.alpha is not None) == (mode == "LA")


def test_twelve_bits_span_black_to_white(tmp_path):
    samples = noise(8, 16, 1, "u2") % 4096
    samples[0, 0], samples[0, 1] = 0, 4095
    out = io.BytesIO()
    packed = bytes(imagecodecs.packints_encode(samples[..., 0].copy(), 12))
    tifffile.imwrite(out, iter([packed]), shape=(8, 16), dtype="u2", bitspersample=12, photometric="minisblack")
    photo = read_photo(put(tmp_path, "a.tif", patch_tag(out.getvalue(), 258, 12)), light="linear")
    np.testing.assert_allclose(photo.pixels[0].numpy(), samples[..., 0] / 4095, rtol=0, atol=1e-5)
    assert "12-bit" in photo.notes[0]


def patch_tag(content, tag, value):
    """Change a short in the first directory of a little-endian TIFF."""
    patched = bytearray(content)
    (at,) = struct.unpack_from("<I", patched, 4)
    for index in range(struct.unpack_from("<H", patched, at)[0]):
        place = at + 2 + 12 * index
        if struct.unpack_from("<H", patched, place)[0] == tag:
            struct.pack_into("<H", patched, place + 8, value)
    return bytes(patched)


@pytest.mark.parametrize(("made_as", "side"), [("PNG", 65_000), ("TIFF", 65_000), ("JPEG", 65_000), ("WEBP", 16_383)])
@pytest.mark.parametrize("tall", [False, True])
def test_very_long_photos_are_read_and_written(made_as, side, tall, tmp_path):
    samples = noise(side, 3, 3) if tall else noise(3, side, 3)
    options: dict[str, Any] = {"lossless": True} if made_as == "WEBP" else {}
    photo = read_photo(put(tmp_path, "in", pillow(samples, made_as, **options)))
    ending = {"PNG": ".png", "TIFF": ".tif", "JPEG": ".jpg", "WEBP": ".webp"}[made_as]
    photo.save(tmp_path / f"out{ending}")
    again = read_photo(tmp_path / f"out{ending}")
    assert (again.height, again.width) == samples.shape[:2]
    if made_as != "JPEG":
        assert np.array_equal(codes(again), samples)


def test_a_float_that_is_no_number_is_refused(tmp_path):
    samples = noise(4, 4, 3, "f4")
    samples[1, 2, 0] = np.nan
    with pytest.raises(PhotoError, match="1 values that are no finite numbers"):
        read_photo(put(tmp_path, "a.tif", tiff(samples)))


REFUSED = {
    "a GIF": (pillow(picture(), "GIF"), "is a GIF"),
    "a BMP": (pillow(picture(), "BMP"), "is a BMP"),
    "a JPEG 2000": (pillow(picture(), "JPEG2000"), "is a JPEG 2000"),
    "a text": (b"Once upon a time", "no photo that nightsharp knows"),
    "Lab": (tiff(noise(8, 8, 3), photometric="cielab"), "photometric kind 8"),
    "signed": (tiff(noise(8, 8, 3).astype("i2")), "16-bit samples of format 2"),
    "32-bit integers": (tiff(noise(8, 8, 3).astype("u4")), "32-bit samples of format 1"),
    "JPEG 2000 inside": (tiff(noise(16, 16, 3), compression="jpeg2000"), "compressed by method"),
    "a video": (b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom", "video"),
}


@pytest.mark.parametrize(("content", "words"), REFUSED.values(), ids=REFUSED)
def test_what_is_not_read_is_called_by_its_name(content, words, tmp_path):
    with pytest.raises(PhotoError, match=words):
        read_photo(put(tmp_path, "a", content))


class TestRaw:
    @pytest.fixture(autouse=True)
    def _needs_the_extra(self):
        pytest.importorskip("rawpy")

    @staticmethod
    def mosaic():
        values = np.full((120, 160), 16384, np.uint16)
        values[:60] = 49152
        values[:4, :4] = 65535  # LibRaw takes the brightest value for white where it is near
        return values

    def test_light_is_linear_and_written_for_a_screen(self, tmp_path):
        photo = read_photo(put(tmp_path, "a.dng", dng(self.mosaic())))
        assert photo.pixels.shape == (3, 120, 160)
        torch.testing.assert_close(photo.pixels[:, 20, 80], torch.full((3,), 0.75), rtol=0, atol=0.01)
        torch.testing.assert_close(photo.pixels[:, 100, 80], torch.full((3,), 0.25), rtol=0, atol=0.01)
        for ending in (".tif", ".png"):
            assert photo.save(tmp_path / f"out{ending}") == ()
            again = read_photo(tmp_path / f"out{ending}")
            assert again.meta.depth == 16
            torch.testing.assert_close(again.pixels, photo.pixels, rtol=0, atol=3e-5)
        photo.save(tmp_path / "out.jpg")
        with Image.open(tmp_path / "out.jpg") as image:
            assert image.getexif()[272] == "Testcam"
            assert image.getexif()[274] == 1

    def test_it_stands_upright(self, tmp_path):
        file = put(tmp_path, "a.dng", dng(self.mosaic(), orientation=6))
        photo = read_photo(file)
        assert (photo.height, photo.width) == (160, 120)
        assert (probe(file).height, probe(file).width) == (160, 120)
        # the bright half was on top; turned clockwise it is on the right
        assert photo.pixels[:, 80, 100].mean() > 0.7

    def test_it_is_not_display_referred(self, tmp_path):
        with pytest.raises(UsageError, match="which is linear"):
            read_photo(put(tmp_path, "a.dng", dng(self.mosaic())), light="display")

    def test_it_is_not_written(self, tmp_path):
        photo = read_photo(put(tmp_path, "a.dng", dng(self.mosaic())))
        with pytest.raises(PhotoError, match="cannot be written"):
            photo.save(tmp_path / "b.dng")


@pytest.mark.parametrize("depth", [8, 10, 12])
def test_heic_is_read_with_all_its_bits(depth, tmp_path):
    pillow_heif = pytest.importorskip("pillow_heif")
    ramp = np.linspace(0, 2**depth - 1, 256).round().astype("u2" if depth > 8 else "u1")
    samples = np.broadcast_to(ramp[None, :, None], (64, 256, 3)).copy()
    out = io.BytesIO()
    mode = "RGB" if depth == 8 else f"RGB;{depth}"
    pillow_heif.encode(mode, (256, 64), samples.tobytes(), out, quality=100, chroma=444)
    photo = read_photo(put(tmp_path, "a.heic", out.getvalue()))
    assert photo.meta.depth == depth
    expected = samples.transpose(2, 0, 1) / (2**depth - 1)
    assert np.abs(photo.display().numpy() - expected).max() < 0.02
    photo.save(tmp_path / "b.heic")
    again = read_photo(tmp_path / "b.heic")
    assert again.meta.depth == min(depth, 10)
    assert (again.display() - photo.display()).abs().max() < 0.03


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_avif_is_read_and_written(channels, tmp_path):
    samples = picture(64, 80, channels)
    subsampling = "4:0:0" if channels == 1 else "4:4:4"
    photo = read_photo(put(tmp_path, "a.avif", pillow(samples, "AVIF", quality=95, subsampling=subsampling)))
    assert np.abs(codes(photo)[..., : min(channels, 3)].astype(int) - samples[..., :3]).mean() < 2
    assert photo.meta.grey == (channels == 1)
    assert (photo.alpha is not None) == (channels == 4)
    photo.save(tmp_path / "b.avif")
    again = read_photo(tmp_path / "b.avif")
    assert (again.display() - photo.display()).abs().mean() < 0.01
    assert again.meta.grey == photo.meta.grey


@pytest.mark.parametrize("problem", [ImportError("no such module"), RuntimeError("built for another"), OSError("lib")])
@pytest.mark.parametrize(("module", "extra"), [("rawpy", "raw"), ("pillow_heif", "heif")])
def test_a_missing_or_broken_extra_is_named(module, extra, problem, tmp_path, monkeypatch):
    import importlib

    usual = importlib.import_module

    def refuse(name, *rest):
        if name != module:
            return usual(name, *rest)
        raise problem

    monkeypatch.setattr(importlib, "import_module", refuse)
    content = dng(noise(40, 40, 1, "u2")[..., 0]) if extra == "raw" else b"\0\0\0\x18ftypheic\0\0\0\0heicmif1"
    with pytest.raises(PhotoError, match=rf"pip install -c constraints.txt '\.\[{extra}\]'"):
        read_photo(put(tmp_path, "a", content))


@pytest.mark.parametrize(("width", "height"), [(1, 1), (3, 2), (5, 9), (8, 8), (33, 17)])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_an_interlaced_png_is_read(width, height, channels, tmp_path):
    samples = noise(height, width, channels)
    rows = b""
    for left, top, across, down in PASSES:
        part = samples[top::down, left::across]
        rows += b"".join(b"\0" + row.tobytes() for row in part) if part.size else b""
    kind = {1: 0, 3: 2, 4: 6}[channels]
    header = struct.pack(">IIBBBBB", width, height, 8, kind, 0, 0, 1)
    content = b"\x89PNG\r\n\x1a\n" + b"".join(
        chunk(*one) for one in ((b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    )
    photo = read_photo(put(tmp_path, "a.png", content))
    assert np.array_equal(codes(photo)[..., :channels], samples[..., :3])

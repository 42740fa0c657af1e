"""What is read and written without a change comes back as it was."""

import io
import zlib
from dataclasses import dataclass

import imagecodecs
import numpy as np
import pytest
import tifffile
import torch
from making_files import (
    MAKER_NOTE,
    THUMBNAIL,
    chunk,
    exif_block,
    gamma_curve,
    noise,
    parametric_curve,
    picture,
    pillow,
    png,
    profile,
    profile_chunk,
    put,
    srgb_profile,
    table_curve,
    tiff,
)
from PIL import Image, ImageOps
from PIL.JpegImagePlugin import JpegImageFile

from nightsharp.photo import read_photo

SRGB = srgb_profile()
PROFILES = {
    "none": None,
    "srgb": SRGB,
    "adobe": profile(*[gamma_curve(2.19921875)] * 3),
    "display-p3": profile(*[parametric_curve(3, 2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)] * 3),
    "linear": profile(*[gamma_curve(1.0)] * 3),
    # rounded to 16 bits: the first entries are all zero
    "coarse table": profile(*[table_curve([round(65535 * (i / 1023) ** 2.2) for i in range(1024)])] * 3),
    "channels differ": profile(gamma_curve(1.8), gamma_curve(2.2), gamma_curve(2.6)),
    "grey": profile(gamma_curve(2.2), space=b"GRAY"),
    "broken": b"this is no profile",
}


@dataclass(frozen=True)
class Kind:
    """A format without loss, as another library writes and reads it."""

    format: str
    channels: int
    type: str

    def __str__(self):
        return f"{self.format}-{self.channels}-{self.type}"

    def make(self, samples, icc=None, exif=None):
        if self.format == "png":
            extra = [profile_chunk(icc)] if icc else []
            return png(samples, *extra, *([(b"eXIf", exif)] if exif else []))
        if self.format == "webp":
            options = {"icc_profile": icc} if icc else {}
            return pillow(samples, "WEBP", lossless=True, exact=True, exif=exif or b"", **options)
        return tiff(samples, iccprofile=icc, compression="deflate")

    def samples(self, content):
        match self.format:
            case "png":
                found = imagecodecs.png_decode(content)
            case "webp":
                found = np.asarray(Image.open(io.BytesIO(content)))
            case _:
                found = tifffile.imread(io.BytesIO(content))
        return found.reshape(*found.shape[:2], -1)


KINDS = [
    *(Kind("png", channels, kind) for channels in (1, 2, 3, 4) for kind in ("u1", "u2")),
    *(Kind("tiff", channels, kind) for channels in (1, 2, 3, 4) for kind in ("u1", "u2", "f2", "f4")),
    *(Kind("webp", channels, "u1") for channels in (3, 4)),
]
ENDING = {"png": ".png", "tiff": ".tif", "webp": ".webp"}


@pytest.mark.parametrize("kind", KINDS, ids=str)
class TestEveryKindWithoutLoss:
    @pytest.mark.parametrize("icc", PROFILES)
    def test_samples_and_profile_come_back_as_they_were(self, kind, icc, tmp_path):
        samples = noise(33, 47, kind.channels, kind.type)
        photo = read_photo(put(tmp_path, "in", kind.make(samples, icc=PROFILES[icc])))
        assert photo.save(tmp_path / f"out{ENDING[kind.format]}") == ()
        content = (tmp_path / f"out{ENDING[kind.format]}").read_bytes()
        found = kind.samples(content)
        assert found.dtype == samples.dtype
        assert np.array_equal(found, samples)
        assert read_photo(tmp_path / f"out{ENDING[kind.format]}").meta.icc == PROFILES[icc]

    def test_a_single_pixel_is_a_photo(self, kind, tmp_path):
        samples = noise(1, 1, kind.channels, kind.type)
        photo = read_photo(put(tmp_path, "in", kind.make(samples)))
        photo.save(tmp_path / f"out{ENDING[kind.format]}")
        assert np.array_equal(kind.samples((tmp_path / f"out{ENDING[kind.format]}").read_bytes()), samples)

    def test_values_read_as_linear_go_back_as_linear(self, kind, tmp_path):
        samples = noise(9, 7, kind.channels, kind.type)
        photo = read_photo(put(tmp_path, "in", kind.make(samples)), light="linear")
        full = 1 if kind.type.startswith("f") else np.iinfo(kind.type).max
        colour = samples[..., : 3 if kind.channels > 2 else 1].astype(np.float32) / np.float32(full)
        expected = np.broadcast_to(colour.transpose(2, 0, 1), (3, 9, 7))
        np.testing.assert_allclose(photo.pixels.numpy(), expected, rtol=0, atol=1e-7 * full)
        photo.save(tmp_path / f"out{ENDING[kind.format]}")
        assert np.array_equal(kind.samples((tmp_path / f"out{ENDING[kind.format]}").read_bytes()), samples)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind.type.startswith("u")], ids=str)
class TestEveryKindOfIntegers:
    def test_going_through_display_values_changes_nothing_that_is_stored(self, kind, tmp_path):
        samples = noise(33, 47, kind.channels, kind.type)
        photo = read_photo(put(tmp_path, "in", kind.make(samples, icc=SRGB)))
        photo.with_display(photo.display()).save(tmp_path / f"out{ENDING[kind.format]}")
        assert np.array_equal(kind.samples((tmp_path / f"out{ENDING[kind.format]}").read_bytes()), samples)

    def test_every_code_there_is_comes_back(self, kind, tmp_path):
        last = np.iinfo(kind.type).max
        codes = np.arange(last + 1, dtype=kind.type).reshape(-1, 256 if last > 255 else 16, 1).repeat(kind.channels, 2)
        photo = read_photo(put(tmp_path, "in", kind.make(codes)))
        photo.save(tmp_path / f"out{ENDING[kind.format]}")
        assert np.array_equal(kind.samples((tmp_path / f"out{ENDING[kind.format]}").read_bytes()), codes)


def with_exif(made_as, exif, samples):
    match made_as:
        case "jpeg":
            return pillow(samples, "JPEG", quality=95, subsampling=0, exif=b"Exif\0\0" + exif, icc_profile=SRGB)
        case "png":
            return png(samples, profile_chunk(SRGB), (b"eXIf", exif))
        case "webp":
            return pillow(samples, "WEBP", lossless=True, exif=exif, icc_profile=SRGB)
        case "tiff":
            return pillow(samples, "TIFF", exif=exif, icc_profile=SRGB)
    raise AssertionError(made_as)


def upright_by_pillow(content):
    """The reference: Pillow's own turning."""
    with Image.open(io.BytesIO(content)) as image:
        return np.asarray(ImageOps.exif_transpose(image))


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("made_as", ["jpeg", "png", "webp", "tiff"])
def test_every_orientation_is_turned_upright_once(made_as, orientation, tmp_path):
    content = with_exif(made_as, exif_block(orientation), noise(40, 48, 3))
    reference = upright_by_pillow(content)
    photo = read_photo(put(tmp_path, "in", content))
    assert (photo.height, photo.width) == reference.shape[:2]
    display = (photo.display() * 255).round().numpy().transpose(1, 2, 0)
    assert np.array_equal(display, reference)
    photo.save(tmp_path / "out.png")
    with Image.open(tmp_path / "out.png") as image:
        assert image.getexif()[274] == 1
        assert np.array_equal(np.asarray(image), reference)


@pytest.mark.parametrize("order", ["<", ">"], ids=["little", "big"])
@pytest.mark.parametrize("target", [".jpg", ".png", ".webp", ".tif", ".avif", ".heic"])
@pytest.mark.parametrize("made_as", ["jpeg", "png", "webp"])
def test_exif_is_kept_but_for_what_became_untrue(made_as, target, order, tmp_path):
    photo = read_photo(put(tmp_path, "in", with_exif(made_as, exif_block(6, order), noise(40, 48, 3))))
    assert photo.save(tmp_path / f"out{target}") == ()
    if target == ".heic":
        pillow_heif = pytest.importorskip("pillow_heif")
        image = pillow_heif.open_heif(tmp_path / "out.heic").to_pillow()
        content = image.info["exif"]
    else:
        content = (tmp_path / f"out{target}").read_bytes()
        image = Image.open(io.BytesIO(content))
    exif = image.getexif()
    assert exif[271] == "Testcam"
    assert exif.get(274, 1) == 1
    assert exif[306] == "2024:01:31 23:59:58"
    assert exif.get_ifd(34665)[37500] == MAKER_NOTE
    assert exif.get_ifd(34665)[40962] == 40
    assert exif.get_ifd(34665)[40963] == 48
    assert exif.get_ifd(34853)[1] == "N"
    assert THUMBNAIL not in content


@pytest.mark.parametrize("order", ["<", ">"], ids=["little", "big"])
def test_the_makers_notes_stay_where_their_own_offsets_expect_them(order, tmp_path):
    block = exif_block(3, order)
    place = block.index(MAKER_NOTE)
    photo = read_photo(put(tmp_path, "in", with_exif("jpeg", block, noise(40, 48, 3))))
    assert photo.meta.exif is not None
    assert photo.meta.exif.index(MAKER_NOTE) == place
    assert THUMBNAIL[4:] not in photo.meta.exif
    photo.save(tmp_path / "out.tif")
    assert (tmp_path / "out.tif").read_bytes().index(MAKER_NOTE) == place


def test_a_jpeg_is_written_with_the_tables_it_had(tmp_path):
    fine = put(tmp_path, "fine.jpg", pillow(noise(64, 64, 3), "JPEG", quality=97, subsampling="4:2:2"))
    read_photo(fine).save(tmp_path / "out.jpg")
    with JpegImageFile(fine) as before, JpegImageFile(tmp_path / "out.jpg") as after:
        assert after.quantization == before.quantization
        assert after.layer == before.layer


def test_a_coarse_jpeg_is_written_finer(tmp_path):
    coarse = put(tmp_path, "coarse.jpg", pillow(noise(64, 64, 3), "JPEG", quality=60))
    read_photo(coarse).save(tmp_path / "out.jpg")
    with JpegImageFile(coarse) as before, JpegImageFile(tmp_path / "out.jpg") as after:
        assert sum(after.quantization[0]) < sum(before.quantization[0]) / 4
        assert after.layer[0][1:3] == after.layer[1][1:3], "colour is not thinned out"


@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_a_jpeg_stays_near_and_of_its_kind(mode, tmp_path):
    smooth = np.fromfunction(lambda y, x, c: 120 + 100 * np.sin(x / 9 + c) * np.cos(y / 11), (96, 128, 3)).astype("u1")
    photo = read_photo(put(tmp_path, "in.jpg", pillow(smooth, "JPEG", mode, quality=95, dpi=(240, 240))))
    photo.save(tmp_path / "out.jpg")
    with Image.open(tmp_path / "in.jpg") as before, Image.open(tmp_path / "out.jpg") as after:
        assert after.mode == mode
        assert after.info["dpi"] == (240, 240)
        difference = np.asarray(before).astype(int) - np.asarray(after)
        assert np.abs(difference).mean() < 0.5


def test_print_size_and_xmp_travel_between_formats(tmp_path):
    packet = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf tiff:Orientation="6"/></x:xmpmeta>'
    first = put(tmp_path, "a.jpg", pillow(noise(20, 30, 3), "JPEG", dpi=(300, 150), xmp=packet))
    for number, ending in enumerate((".png", ".tif", ".jpg", ".webp", ".avif")):
        photo = read_photo(first)
        photo.save(tmp_path / f"{number}{ending}")
        again = read_photo(tmp_path / f"{number}{ending}")
        assert again.meta.xmp == packet.replace(b'"6"', b'"1"')
        if ending in (".png", ".tif", ".jpg"):
            assert again.meta.dpi == pytest.approx((300, 150), abs=0.02)


def test_captions_travel_within_a_format(tmp_path):
    words = [(b"tEXt", b"Copyright\0me"), (b"zTXt", b"Title\0\0" + zlib.compress(b"night")), (b"iTXt", b"A\0\0\0\0\0b")]
    first = put(tmp_path, "a.png", png(noise(9, 9, 3), *words))
    assert read_photo(first).save(tmp_path / "b.png") == ()
    for kind, payload in words:
        assert chunk(kind, payload) in (tmp_path / "b.png").read_bytes()
    first = put(tmp_path, "a.jpg", pillow(noise(9, 9, 3), "JPEG", comment=b"by me"))
    read_photo(first).save(tmp_path / "b.jpg")
    with Image.open(tmp_path / "b.jpg") as image:
        assert image.info["comment"] == b"by me"


def test_compressed_xmp_is_unpacked_to_a_bound(tmp_path):
    head, packet = b"XML:com.adobe.xmp\0\x01\0\0\0", b"<x:xmpmeta/>"
    photo = read_photo(put(tmp_path, "a.png", png(noise(9, 9, 3), (b"iTXt", head + zlib.compress(packet)))))
    assert (photo.meta.xmp, photo.notes) == (packet, ())
    photo = read_photo(put(tmp_path, "b.png", png(noise(9, 9, 3), (b"iTXt", head + zlib.compress(bytes(17 << 20))))))
    assert photo.meta.xmp is None
    assert "XMP" in photo.notes[0]


def test_a_premultiplied_alpha_stays_premultiplied(tmp_path):
    samples = noise(9, 9, 4)
    photo = read_photo(put(tmp_path, "in.tif", tiff(samples, extrasamples=[1])))
    photo.save(tmp_path / "out.tif")
    with tifffile.TiffFile(tmp_path / "out.tif") as file:
        assert file.pages.first.extrasamples == (1,)
        assert np.array_equal(file.asarray(), samples)


@pytest.mark.parametrize("compression", ["none", "lzw", "deflate", "zstd"])
def test_a_tiff_keeps_its_compression(compression, tmp_path):
    chosen = None if compression == "none" else compression
    photo = read_photo(put(tmp_path, "in.tif", tiff(noise(30, 30, 3), compression=chosen)))
    photo.save(tmp_path / "out.tif")
    with tifffile.TiffFile(tmp_path / "in.tif") as before, tifffile.TiffFile(tmp_path / "out.tif") as after:
        assert after.pages[0].compression == before.pages[0].compression


def test_the_colour_chunks_of_a_png_stay(tmp_path):
    chunks = [(b"sRGB", b"\0"), (b"gAMA", (45455).to_bytes(4, "big")), (b"cHRM", bytes(range(32)))]
    read_photo(put(tmp_path, "in.png", png(noise(5, 5, 3), *chunks))).save(tmp_path / "out.png")
    content = (tmp_path / "out.png").read_bytes()
    for kind, payload in chunks:
        assert kind + payload in content


def test_new_pixels_keep_everything_else(tmp_path):
    photo = read_photo(put(tmp_path, "in.png", png(noise(8, 9, 4, "u2"), profile_chunk(SRGB))))
    darker = photo.with_pixels(photo.pixels / 2)
    assert darker.meta is photo.meta
    assert darker.alpha is photo.alpha
    darker.save(tmp_path / "out.png")
    again = read_photo(tmp_path / "out.png")
    assert again.alpha is not None
    assert photo.alpha is not None
    assert torch.equal(again.alpha, photo.alpha)
    torch.testing.assert_close(again.pixels, photo.pixels / 2, rtol=0, atol=4e-5)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("made_as", ["avif", "heic"])
def test_what_the_container_turns_is_turned_once(made_as, orientation, tmp_path):
    samples = picture(64, 96)
    exif = b"Exif\0\0" + exif_block(orientation)
    if made_as == "avif":
        content = pillow(samples, "AVIF", quality=95, subsampling="4:4:4", exif=exif)
    else:
        pillow_heif = pytest.importorskip("pillow_heif")
        out = io.BytesIO()
        pillow_heif.encode("RGB", (96, 64), samples.tobytes(), out, quality=95, chroma=444, exif=exif)
        content = out.getvalue()
    photo = read_photo(put(tmp_path, "in", content))
    expected = np.asarray(ImageOps.exif_transpose(with_orientation(samples, exif)))
    display = (photo.display() * 255).permute(1, 2, 0).numpy()
    assert display.shape == expected.shape
    assert np.abs(display - expected).mean() < 4


def with_orientation(samples, exif):
    image = Image.fromarray(samples)
    image.info["exif"] = exif
    image.getexif()
    return image

"""What comes back from a restoration."""

import inspect
import io
import json

import numpy as np
import pytest
import skimage.data
import tifffile
import torch
from PIL import Image, ImageCms

import nightsharp as ns
from nightsharp.errors import Cancelled, PhotoError, PsfError, UsageError
from nightsharp.methods import MethodSpec
from nightsharp.optics import Blur, Psf, line
from nightsharp.restore import plan as planning
from nightsharp.restore.function import usable_methods
from nightsharp.restore.given import Given
from nightsharp.restore.opening import opened
from nightsharp.restore.result import Result

PSF = line(9, 20)
METHODS = [spec.name for spec in usable_methods()]
FAST = "wiener"


def scene(channels: int = 3, height: int = 72, width: int = 96) -> torch.Tensor:
    """Blocks of even light, so that there are edges to sharpen."""
    blocks = torch.rand(1, channels, 6, 8, generator=torch.Generator().manual_seed(4)) * 0.8 + 0.1
    return torch.nn.functional.interpolate(blocks, (height, width), mode="nearest")[0]


def portrait(channels: int = 3) -> torch.Tensor:
    """A part of a photograph: what networks learned from, and even blocks are not."""
    values = torch.from_numpy(skimage.data.astronaut()).permute(2, 0, 1)[None].float() / 255
    small = torch.nn.functional.interpolate(values, (128, 128), mode="area")
    return small[0, :channels, 20:92, 10:106].contiguous()


def blur(sharp: torch.Tensor) -> torch.Tensor:
    return Blur(PSF, boundary="replicate")(sharp[None])[0]


def picture(tensor: torch.Tensor, mode: str = "RGB") -> Image.Image:
    values = tensor.expand(3, -1, -1).clamp(0, 1).mul(255).round().byte().permute(1, 2, 0).numpy()
    return Image.fromarray(np.ascontiguousarray(values)).convert(mode)


def photograph(sharp: torch.Tensor, mode: str = "RGB") -> Image.Image:
    """Light adds in linear light; the file holds display values."""
    return picture(blur(sharp**2.2).clamp_min(0) ** (1 / 2.2), mode)


def error(one: torch.Tensor, other: torch.Tensor) -> float:
    return float((one - other)[..., 8:-8, 8:-8].square().mean())


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("channels", [1, 3])
class TestTensorLaws:
    def test_size_type_and_domain_come_back(self, method, channels):
        blurred = blur(portrait(channels))
        # of a quiet picture the narrow infwide leaves too much unexplained, and the guard keeps a part of its result
        out = ns.deblur(blurred, method=method, psf=PSF, guard=method != "infwide")
        assert out.photo is None
        assert out.sharp.shape == blurred.shape
        assert out.sharp.dtype == blurred.dtype
        assert bool(out.sharp.isfinite().all())
        assert error(out.sharp, portrait(channels)) < 0.5 * error(blurred, portrait(channels))

    def test_the_input_is_untouched(self, method, channels):
        blurred = blur(scene(channels))
        before = blurred.clone()
        ns.deblur(blurred, method=method, psf=PSF)
        assert torch.equal(blurred, before)


def test_double_precision_comes_back_as_double():
    assert ns.deblur(blur(scene()).double(), method=FAST, psf=PSF).sharp.dtype == torch.float64


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU here")
@pytest.mark.parametrize("method", METHODS)
def test_a_tensor_on_a_gpu_stays_there(method):
    blurred = blur(portrait())
    here, there = (ns.deblur(image, method=method, psf=PSF, guard=False).tensor for image in (blurred, blurred.cuda()))
    assert here is not None
    assert there is not None
    assert there.is_cuda
    assert float((there.cpu() - here).abs().max()) < 2 / 255


@pytest.mark.parametrize("form", ["Psf", "tensor", "array", "path", "str", "formula"])
def test_a_psf_is_the_same_in_every_form(form, tmp_path):
    PSF.save(tmp_path / "psf.npy")
    given = {
        "Psf": PSF,
        "tensor": PSF.kernel,
        "array": PSF.kernel.double().numpy(),
        "path": tmp_path / "psf.npy",
        "str": str(tmp_path / "psf.npy"),
        "formula": "line:9,20",
    }[form]
    blurred = blur(scene())
    out = ns.deblur(blurred, method=FAST, psf=given)
    assert torch.equal(out.psf.kernel, PSF.kernel)
    assert torch.allclose(out.sharp, ns.deblur(blurred, method=FAST, psf=PSF).sharp)


@pytest.mark.parametrize("method", METHODS)
def test_lamps_and_noise_do_not_break_a_method_down(method, tmp_path):
    """Clipped light on a dark ground: bright pixels count little, and no method may come to other than numbers."""
    sharp = scene() * 0.5
    sharp[:, 20::24, 30::28] = 6.0
    noise = 0.01 * torch.randn(sharp.shape, generator=torch.Generator().manual_seed(0))
    picture(blur(sharp).clamp(0, 1) ** (1 / 2.2) + noise).save(tmp_path / "a.png")
    out = ns.deblur(tmp_path / "a.png", method=method, psf=PSF, guard=False)
    assert out.report["guard"]["kept"] == "result"
    # as light as before; a lamp's own pixels aside
    before = ns.read_photo(tmp_path / "a.png").pixels
    assert 0.8 < float(out.sharp.mean() / before.mean()) < 1.1


@pytest.mark.parametrize("name", ["night.png", "night.jpg", "Straße bei Nacht.tif"])
def test_a_photograph_becomes_sharper(name, tmp_path):
    file = tmp_path / name
    photograph(scene()).save(file, quality=95, subsampling=0)
    # the guard, which has tests of its own, finds little to go by in so small a picture
    out = ns.deblur(file, method=FAST, psf=PSF, guard=False)
    assert out.photo is not None
    before, after, truth = ns.read_photo(file).display(), out.photo.display(), scene()
    assert after.shape == before.shape
    assert error(after, truth) < error(before, truth)
    assert torch.equal(out.sharp, out.photo.pixels)
    assert float(out.sharp.min()) >= 0
    assert float(out.sharp.max()) <= 1


def test_a_photograph_and_its_file_give_the_same(tmp_path):
    photograph(scene()).save(tmp_path / "a.png")
    from_file = ns.deblur(tmp_path / "a.png", method=FAST, psf=PSF)
    from_photo = ns.deblur(ns.read_photo(tmp_path / "a.png"), method=FAST, psf=PSF)
    assert torch.equal(from_file.sharp, from_photo.sharp)
    assert from_photo.report["input"] is None


def test_alpha_profile_and_exif_stay(tmp_path):
    image = photograph(scene(), "RGBA")
    image.putalpha(Image.linear_gradient("L").resize(image.size))
    exif = Image.Exif()
    exif[0x010F] = "a camera"
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    image.save(tmp_path / "a.png", exif=exif, icc_profile=profile)
    out = ns.deblur(tmp_path / "a.png", method=FAST, psf=PSF)
    assert out.photo is not None
    out.photo.save(tmp_path / "b.png")
    with Image.open(tmp_path / "b.png") as saved:
        assert saved.mode == "RGBA"
        assert saved.info["icc_profile"] == profile
        assert saved.getexif()[0x010F] == "a camera"
        assert np.array_equal(np.asarray(saved)[..., 3], np.asarray(image)[..., 3])
        assert not np.array_equal(np.asarray(saved)[..., :3], np.asarray(image)[..., :3])


def test_grey_stays_grey(tmp_path):
    photograph(scene(1), "L").save(tmp_path / "a.png")
    out = ns.deblur(tmp_path / "a.png", method=FAST, psf=PSF)
    assert torch.equal(out.sharp[0], out.sharp[1])
    assert torch.equal(out.sharp[0], out.sharp[2])


@pytest.mark.parametrize(("height", "width"), [(1, 1), (1, 40), (3, 2), (20, 31)])
def test_a_photograph_too_small_to_show_a_blur_is_kept(height, width):
    tiny = torch.rand(3, height, width, generator=torch.Generator().manual_seed(1))
    out = ns.deblur(tiny)
    assert torch.equal(out.sharp, tiny)
    assert out.report["guard"]["kept"] == "input"
    assert "kept as it is" in out.report["guard"]["words"]


def test_one_pixel_with_a_point_psf_is_kept():
    pixel = torch.full((1, 1, 1), 0.5)
    assert torch.equal(ns.deblur(pixel, psf=Psf.from_tensor(torch.ones(1, 1))).sharp, pixel)


def test_an_even_photograph_is_kept():
    flat = torch.full((3, 64, 80), 0.25)
    out = ns.deblur(flat)
    assert torch.allclose(out.sharp, flat, atol=1e-3)
    assert bool(out.sharp.isfinite().all())


def test_a_psf_that_is_not_the_photographs_is_thrown_away():
    blurred = blur(scene()) - 0.09
    out = ns.deblur(blurred, method=FAST, psf="line:31,110", strength=3)
    assert out.report["guard"]["kept"] == "input"
    assert torch.equal(out.sharp, blurred)
    assert out.report["warnings"]


def test_without_the_guard_the_result_is_the_result():
    blurred = blur(scene()) - 0.09
    out = ns.deblur(blurred, method=FAST, psf="line:31,110", strength=3, guard=False)
    assert not torch.equal(out.sharp, blurred)
    assert out.report["guard"] == {
        "on": False,
        "kept": "result",
        "words": "switched off",
        "misfit": None,
        "allowed": None,
        "scores": {},
    }


@pytest.mark.parametrize("guard", [True, False])
def test_a_method_that_breaks_down_gives_the_input_back(guard, monkeypatch):
    monkeypatch.setattr(MethodSpec, "load", lambda _: lambda blurred, psf, **_: blurred * torch.nan)
    blurred = blur(scene())
    out = ns.deblur(blurred, psf=PSF, guard=guard)
    assert torch.equal(out.sharp, blurred)
    assert "no numbers" in out.report["guard"]["words"]


def test_a_large_photograph_in_tiles_is_the_photograph_in_one_piece(monkeypatch):
    blurred = blur(scene(1, 700, 900)) + 0.01 * torch.randn(1, 700, 900, generator=torch.Generator().manual_seed(0))
    whole = ns.deblur(blurred, method=FAST, psf=PSF, guard=False)
    monkeypatch.setattr(planning, "WHOLE_UP_TO", 1)
    monkeypatch.setattr(planning, "_CORES", (256,))
    tiled = ns.deblur(blurred, method=FAST, psf=PSF, guard=False)
    assert (whole.report["plan"]["tiles"], tiled.report["plan"]["tiles"]) == (1, 12)
    assert float((tiled.sharp - whole.sharp).abs().max()) < 2 / 255


def test_a_photograph_comes_back_as_floats_would_have_written_it(tmp_path):
    """The result is held in 16 bits; no 8-bit value is rounded otherwise for it."""
    light = torch.rand(3, 200, 256, generator=torch.Generator().manual_seed(0))
    given = Given(ns.Photo(light), None, None)
    result = Result(given, "linear")
    result.put(slice(0, 120), light[None, :, :120])
    result.put(slice(120, 200), light[None, :, 120:])
    photo, _ = result.sharp()
    assert photo is not None
    photo.save(tmp_path / "a.png")
    ns.Photo(light).save(tmp_path / "b.png")
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    assert float((photo.display() - ns.Photo(light).display()).abs().max()) < 1e-5


REPORT = {
    "version": dict,
    "input": (dict, type(None)),
    "output": type(None),
    "size": dict,
    "method": str,
    "weights": (dict, type(None)),
    "light": str,
    "strength": float,
    "applied_strength": float,
    "route": dict,
    "psf": dict,
    "noise_sigma": list,
    "guard": dict,
    "options": dict,
    "seed": type(None),
    "plan": dict,
    "seconds": dict,
    "peak_memory_bytes": (int, type(None)),
    "notes": list,
    "warnings": list,
}


@pytest.mark.parametrize("source", ["tensor", "file"])
def test_the_report_is_plain_and_whole(source, tmp_path):
    file = tmp_path / "a.png"
    photograph(scene()).save(file)
    report = ns.deblur(file if source == "file" else blur(scene()), method=FAST, psf="line:9,20").report
    assert json.loads(json.dumps(report, allow_nan=False)) == report
    assert report.keys() == REPORT.keys()
    for name, kind in REPORT.items():
        assert isinstance(report[name], kind), name
    assert report["size"] == {"width": 96, "height": 72, "channels": 3}
    assert report["psf"]["source"] == "line:9,20"
    assert report["psf"]["confidence"] is None
    assert report["seconds"]["total"] > 0
    assert report["method"] == report["route"]["method"] == FAST
    if source == "file":
        assert report["input"]["path"] == str(file)
        assert len(report["input"]["sha256"]) == 64


def test_stages_are_told_in_order():
    seen = []
    ns.deblur(blur(scene()), method="hyper_laplacian", psf=PSF, progress=lambda *told: seen.append(told))
    assert list(dict.fromkeys(stage for stage, _, _ in seen)) == ["reading", "restoring"]
    done = [done for stage, done, _ in seen if stage == "restoring"]
    assert done == sorted(done)
    assert all(0 <= done <= most for _, done, most in seen)


def test_a_stop_stops():
    with pytest.raises(Cancelled):
        ns.deblur(blur(scene()), method="hyper_laplacian", psf=PSF, cancel=lambda: True)


REFUSALS = [
    ({"psf": "line:200,0"}, PsfError, "larger than the image"),
    ({"psf": torch.ones(80, 3)}, PsfError, "larger than the image"),
    ({"psf": torch.zeros(3, 3)}, PsfError, "no positive value"),
    ({"psf": "star:3"}, UsageError, "formula"),
    ({"method": "magic"}, UsageError, "unknown"),
    ({"psf": PSF, "strength": 0.0}, UsageError, "strength is 0"),
    ({"psf": PSF, "strength": float("nan")}, UsageError, "strength is nan"),
    ({"psf": PSF, "light": "linear"}, UsageError, "light"),
]


@pytest.mark.parametrize(("options", "kind", "words"), REFUSALS, ids=[f"{k.__name__}: {w}" for _, k, w in REFUSALS])
def test_what_does_not_hold_together_is_refused(options, kind, words):
    with pytest.raises(kind, match=words):
        ns.deblur(blur(scene()), **options)


@pytest.mark.parametrize(
    ("tensor", "words"),
    [
        (torch.zeros(2, 8, 8), "2 x 8 x 8"),
        (torch.zeros(1, 3, 8, 8), "1 x 3 x 8 x 8"),
        (torch.zeros(3, 0, 8), "3 x 0 x 8"),
        (torch.zeros(3, 8, 8, dtype=torch.uint8), "floating point"),
        (torch.full((3, 8, 8), torch.nan), "NaN"),
    ],
)
def test_a_tensor_that_is_no_image_is_refused(tensor, words):
    with pytest.raises(PhotoError, match=words):
        opened(tensor)


@pytest.mark.parametrize("picture", [np.zeros((8, 8, 3)), Image.new("RGB", (8, 8)), 5])
def test_what_is_neither_file_nor_photo_nor_tensor_is_refused(picture):
    with pytest.raises(PhotoError, match=r"is no photograph here\. Give a file, a Photo, or a tensor"):
        # without the checks of types that tests run under
        inspect.unwrap(opened)(picture)


def test_a_file_that_is_no_photograph_is_refused(tmp_path):
    (tmp_path / "a.jpg").write_bytes(io.BytesIO(b"hello").getvalue())
    with pytest.raises(PhotoError):
        ns.deblur(tmp_path / "a.jpg", psf=PSF)


def test_a_psf_is_estimated_when_none_is_known():
    blurred = blur(scene(1, 128, 160))
    estimate = ns.estimate_psf(blurred)
    assert isinstance(estimate.psf, Psf)
    assert 0 <= estimate.confidence <= 1
    out = ns.deblur(blurred)
    assert out.report["route"]["estimator"] == "map_psf"
    assert out.report["psf"]["confidence"] is not None


def test_light_beyond_white_is_not_cut_off_without_a_word(tmp_path):
    light = np.asarray(portrait().permute(1, 2, 0)) * 3
    tifffile.imwrite(tmp_path / "bright.tif", light, photometric="rgb")
    tifffile.imwrite(tmp_path / "plain.tif", light / 3, photometric="rgb")
    said = {
        name: ns.deblur(tmp_path / f"{name}.tif", method=FAST, psf=PSF, guard=False).report["warnings"]
        for name in ("bright", "plain")
    }
    assert any("above 1 are cut off" in warning for warning in said["bright"])
    assert not said["plain"]


class TestAPsfThatWasPhotographed:
    GRAIN = 0.08 * torch.randn(41, 41, generator=torch.Generator().manual_seed(3))
    GRAINY = Psf.from_tensor((PSF.pad(41, 41).kernel / PSF.kernel.max() + GRAIN + 0.1).clamp(0, 1))

    def test_is_used_without_its_grain(self):
        blurred = blur(scene())
        out, true, bare = (
            ns.deblur(blurred, method="hyper_laplacian", psf=psf, guard=guard)
            for psf, guard in ((self.GRAINY, True), (PSF, True), (self.GRAINY, False))
        )
        assert error(true.sharp, scene()) < error(out.sharp, scene()) < 0.3 * error(blurred, scene())
        assert error(bare.sharp, scene()) > error(blurred, scene())
        assert out.report["psf"]["notes"][-1] == "grain of 7% of the peak taken away"
        assert torch.equal(bare.psf.kernel, self.GRAINY.kernel)

    def test_the_command_says_so(self, tmp_path, capsys):
        from nightsharp.cli import main

        picture(blur(scene())).save(tmp_path / "a.png")
        np.save(tmp_path / "psf.npy", self.GRAINY.kernel.numpy())
        assert main(["deblur", str(tmp_path / "a.png"), "--psf", str(tmp_path / "psf.npy"), "--method", FAST]) == 0
        assert "note: the PSF: grain of 7% of the peak taken away" in capsys.readouterr().out

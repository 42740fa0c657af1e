"""A report is enough to do the same again."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import skimage.data
import tifffile
import torch
from PIL import Image

from nightsharp.errors import PhotoError, UsageError
from nightsharp.optics import Blur, line
from nightsharp.restore import replay

COMMAND = [sys.executable, "-c", "import sys; from nightsharp.cli import main; sys.exit(main())"]


def run(*words: object, cache: Path, threads: int = 1) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "OMP_NUM_THREADS": str(threads), "XDG_CACHE_HOME": str(cache)}
    return subprocess.run(
        [*COMMAND, *map(str, words)], capture_output=True, text=True, timeout=300, check=False, env=environment
    )


def photograph(file: Path, repeat: int = 1) -> Path:
    """A blurred photograph: 8-bit JPEG, or 16-bit PNG or TIFF."""
    sharp = torch.from_numpy(skimage.data.coffee()).permute(2, 0, 1)[None].float() / 255
    display = Blur(line(9, 20), "replicate")(sharp**2.2).clamp(0, 1)[0] ** (1 / 2.2)
    noisy = display + 0.01 * torch.randn(display.shape, generator=torch.Generator().manual_seed(0))
    values = np.tile(noisy.clamp(0, 1).permute(1, 2, 0).numpy(), (repeat, repeat, 1))
    if file.suffix == ".jpg":
        Image.fromarray(np.round(255 * values).astype(np.uint8)).save(file, quality=92)
    elif file.suffix == ".png":
        import imagecodecs

        file.write_bytes(imagecodecs.png_encode(np.ascontiguousarray(np.round(65535 * values), np.uint16)))
    else:
        tifffile.imwrite(file, np.round(65535 * values).astype(np.uint16), photometric="rgb")
    return file


def grainy() -> np.ndarray:
    """The PSF as a photograph of its trail shows it."""
    trail = line(9, 20).pad(41, 41).kernel.numpy()
    grain = np.random.default_rng(0).normal(0.1, 0.05, trail.shape)
    return np.round(255 * np.clip(trail / trail.max() + grain, 0, 1)).astype(np.uint8)


CASES = {
    "jpeg, PSF given": ("a.jpg", 1, ("--psf", "line:9,20", "--method", "hyper_laplacian")),
    "16-bit png, PSF given": ("a.png", 1, ("--psf", "line:9,20", "--method", "total_variation", "--strength", "0.7")),
    "16-bit tiff, read as linear": ("a.tif", 1, ("--psf", "disk:3", "--method", "wiener", "--light", "linear")),
    "jpeg, PSF with grain": ("a.jpg", 1, ("--psf", "grainy.png", "--method", "wiener")),
    "jpeg, PSF estimated": ("a.jpg", 1, ("--psf-size", "13", "--method", "wiener", "--no-guard")),
    "jpeg, in tiles": ("a.jpg", 4, ("--psf", "line:9,20", "--method", "wiener", "--max-memory", "700MB")),
    "kept by the guard": ("a.jpg", 1, ("--psf", "line:61,110", "--method", "wiener", "--strength", "3")),
}


@pytest.mark.parametrize("case", CASES)
def test_the_same_report_gives_the_same_bytes(case, tmp_path):
    name, repeat, options = CASES[case]
    photo = photograph(tmp_path / name, repeat)
    options = [tmp_path / "grainy.png" if option == "grainy.png" else option for option in options]
    Image.fromarray(grainy()).save(tmp_path / "grainy.png")
    first = tmp_path / f"first{photo.suffix}"
    done = run("deblur", photo, *options, "-o", first, "--report", tmp_path / "r.json", cache=tmp_path)
    assert done.returncode == 0, done.stderr
    again = tmp_path / f"again{photo.suffix}"
    # on another number of threads, and without anything else that was said the first time
    done = run("deblur", "--replay", tmp_path / "r.json", "-o", again, "--json", cache=tmp_path, threads=2)
    assert done.returncode == 0, done.stderr
    assert again.read_bytes() == first.read_bytes()
    report = json.loads(done.stdout)["files"][0]["report"]
    told = json.loads((tmp_path / "r.json").read_text())["files"][0]["report"]
    assert report["output"]["sha256"] == told["output"]["sha256"]
    assert report["warnings"] == told["warnings"]
    same = ("route", "psf", "guard", "noise_sigma", "options", "method", "light", "strength", "size")
    assert {name: report[name] for name in same} == {name: told[name] for name in same}
    assert (report["plan"]["tiles"] > 1) == (case == "jpeg, in tiles")


def test_all_photos_of_a_report_are_done_again(tmp_path):
    photos = [photograph(tmp_path / name) for name in ("a.jpg", "b.png")]
    (tmp_path / "broken.jpg").write_bytes(b"no photo")
    options = ("--psf", "line:9,20", "--method", "wiener", "--report", tmp_path / "r.json", "-o", f"{tmp_path}/first/")
    assert run("deblur", photos[0], tmp_path / "broken.jpg", photos[1], *options, cache=tmp_path).returncode == 3
    done = run("deblur", "--replay", tmp_path / "r.json", "-o", f"{tmp_path}/again/", cache=tmp_path)
    assert done.returncode == 0, done.stderr
    for name in ("a-sharp.jpg", "b-sharp.png"):
        assert (tmp_path / "first" / name).read_bytes() == (tmp_path / "again" / name).read_bytes()
    refused = run("deblur", "--replay", tmp_path / "r.json", cache=tmp_path)
    assert refused.returncode == 2, "the results are there already"
    assert run("deblur", "--replay", tmp_path / "r.json", "--overwrite", cache=tmp_path).returncode == 0


@pytest.fixture(scope="module")
def restored(tmp_path_factory):
    folder = tmp_path_factory.mktemp("restored")
    photo = photograph(folder / "a.jpg")
    done = run("deblur", photo, "--psf", "line:9,20", "--method", "wiener", "--json", cache=folder)
    assert done.returncode == 0, done.stderr
    return photo, json.loads(done.stdout)["files"][0]["report"]


def test_what_the_command_wrote_of_one_photograph_is_as_good_as_its_report(restored):
    _, report = restored
    entry = {"input": "a.jpg", "report": report}
    one, other = (replay(said).photo for said in (report, {"files": [{"error": "no photo"}, entry]}))
    assert one is not None
    assert other is not None
    assert torch.equal(one.display(), other.display())
    with pytest.raises(UsageError, match="2 restored photos"):
        replay({"files": [entry, entry]})


def test_another_photograph_is_refused(restored, tmp_path):
    photo, report = restored
    other = tmp_path / "a.jpg"
    other.write_bytes(photo.read_bytes() + b"\0")
    with pytest.raises(PhotoError, match="SHA-256"):
        replay(report, other)
    with pytest.raises(PhotoError, match="no such file"):
        replay(report, tmp_path / "b.jpg")


def test_the_photograph_may_have_moved(restored, tmp_path):
    photo, report = restored
    moved = tmp_path / "moved.jpg"
    moved.write_bytes(photo.read_bytes())
    assert torch.equal(replay(report, moved).sharp, replay(report).sharp)


def test_another_version_is_a_warning(restored):
    _, report = restored
    older = {**report, "version": {**report["version"], "torch": "1.0"}}
    assert any("torch 1.0" in words for words in replay(older).report["warnings"])
    assert not any("made with" in words for words in replay(report).report["warnings"])


@pytest.mark.parametrize("missing", ["input", "psf", "route", "options", "version", "guard", "strength"])
def test_a_damaged_report_is_refused(restored, missing):
    _, report = restored
    with pytest.raises(UsageError, match="no report"):
        replay({name: value for name, value in report.items() if name != missing})
    with pytest.raises(UsageError, match="no report"):
        replay({**report, missing: "nonsense"})


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"files": [1]}', '{"files": []}', '{"files": [{"report": 1}]}'])
def test_a_file_that_is_no_report_is_refused(content, tmp_path):
    (tmp_path / "r.json").write_text(content)
    done = run("deblur", "--replay", tmp_path / "r.json", cache=tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith("nightsharp: ")


def test_neither_photo_nor_report_is_a_usage_error(tmp_path):
    assert run("deblur", cache=tmp_path).returncode == 2

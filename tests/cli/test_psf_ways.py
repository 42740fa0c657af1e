"""The ways to come by a PSF on the command line: a lamp's trail, a sharp shot, a grid of windows."""

import json
from pathlib import Path

import numpy as np
import pytest
import skimage.data
import torch
from PIL import Image

from nightsharp.cli import main
from nightsharp.errors import PsfError
from nightsharp.methods.map_psf import similarity
from nightsharp.optics import Blur, Psf, line
from nightsharp.optics.field import PsfField
from nightsharp.photo import linear_to_srgb
from nightsharp.restore.finding import find_psf
from nightsharp.restore.found import FoundPsf


def written(light: torch.Tensor, file: Path) -> Path:
    display = linear_to_srgb(light.clamp(0, 1))
    Image.fromarray((display * 255).round().byte().permute(1, 2, 0).numpy()).save(file)
    return file


@pytest.fixture
def shots(tmp_path: Path) -> tuple[Path, Path]:
    """A night scene with a lamp, sharp and blurred by a line of 13 pixels."""
    scene = torch.from_numpy(np.asarray(skimage.data.coffee())).permute(2, 0, 1).float()[:, 100:260, 150:350] / 255
    light = 0.4 * scene**2.2
    light[:, :60, :60] *= 0.02
    light[:, 30, 30] = 9
    blurred = Blur(line(13), "replicate")(light[None])[0]
    return written(light, tmp_path / "sharp.png"), written(blurred, tmp_path / "blurred.png")


def test_the_psf_is_read_off_the_lamp_in_a_box(shots, tmp_path, capsys):
    psf = tmp_path / "psf.npy"
    assert main(["estimate-psf", str(shots[1]), "--streak", "8,8,46,46", "-o", str(psf)]) == 0
    assert "trail of 1 lamp" in capsys.readouterr().out
    assert similarity(Psf.load(psf).kernel, line(13).kernel) > 0.7
    assert main(["deblur", str(shots[1]), "--streak", "8,8,46,46", "--method", "wiener", "--quiet"]) == 0


def test_a_sharp_shot_beside_it_gives_the_psf(shots, tmp_path, capsys):
    psf = tmp_path / "psf.npy"
    assert main(["estimate-psf", str(shots[1]), "--sharp", str(shots[0]), "-o", str(psf), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["confidence"] > 0.9
    assert "pair" in said["source"]
    assert similarity(Psf.load(psf).kernel, line(13).kernel) > 0.95


def test_uniform_blur_is_one_psf_with_the_reason(shots, capsys):
    assert main(["estimate-psf", str(shots[1]), "--varying", "--size", "15", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["grid"] is None
    assert "one PSF" in said["source"]


@pytest.mark.parametrize("words", [["--streak", "1,2,3"], ["--streak", "lamp"], ["--streak", "auto", "--varying"]])
def test_what_cannot_be_meant_is_a_usage_error(shots, words):
    assert main(["estimate-psf", str(shots[1]), *words]) == 2
    assert main(["deblur", str(shots[1]), *words]) == 2


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--streak", "8,8,46,46"], "the search for a lamp's trail"),
        (["--varying"], "the search for PSFs all over the photo"),
        ([], "the search for the PSF"),
    ],
)
def test_a_plan_names_the_way(shots, capsys, words, says):
    assert main(["deblur", str(shots[1]), "--plan", "--method", "wiener", *words]) == 0
    assert f", and {says}" in capsys.readouterr().out


def test_a_box_without_a_trail_is_refused_with_a_reason(shots, capsys):
    assert main(["estimate-psf", str(shots[1]), "--streak", "100,60,40,40"]) == 3
    assert "the box 100,60,40,40" in capsys.readouterr().err


@pytest.mark.parametrize("words", [["--streak", "8,8,46,46", "--size", "7"], ["--varying", "-o", "grid.tif"]])
def test_what_would_be_passed_over_is_refused_before_the_work(shots, tmp_path, monkeypatch, capsys, words):
    monkeypatch.chdir(tmp_path)
    before = sorted(tmp_path.iterdir())
    assert main(["estimate-psf", str(shots[1]), *words]) == 2
    said = capsys.readouterr().err
    assert "read off a trail" in said if "--size" in words else "PSFs that vary are written as .png, .npy" in said
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize("words", [["--sharp", "sharp.png"], []], ids=["pair", "photo"])
@pytest.mark.parametrize("size", [14, 15])
def test_no_side_is_longer_than_the_size_that_was_asked_for(shots, tmp_path, monkeypatch, capsys, words, size):
    monkeypatch.chdir(tmp_path)
    assert main(["estimate-psf", str(shots[1]), *words, "--size", str(size), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert max(said["height"], said["width"]) <= size


@pytest.mark.parametrize("size", [3, 5, 7])
def test_a_psf_that_is_larger_than_the_size_is_cut_to_it(size):
    scene = torch.from_numpy(skimage.data.camera()[None, 40:168, 160:288] / 255).float()
    uneven = Psf.from_tensor(torch.tensor([[5.0, 0, 0, 0, 1, 1, 1, 1, 1]]))
    found = find_psf(Blur(uneven, "replicate")(scene[None])[0], sharp=scene, size=size)
    assert max(found.psf.size) <= size


def test_a_psf_that_came_meanwhile_is_kept(shots, tmp_path, monkeypatch, capsys):
    psf = tmp_path / "psf.npy"

    def find(*_: object, **__: object) -> FoundPsf:
        line(5).save(psf)
        return FoundPsf(line(13), 0.9, "a test")

    monkeypatch.setattr("nightsharp.restore.finding.find_psf", find)
    assert main(["estimate-psf", str(shots[1]), "-o", str(psf)]) == 3
    assert "psf.npy exists already" in capsys.readouterr().err
    assert Psf.load(psf).size == line(5).size
    assert main(["estimate-psf", str(shots[1]), "-o", str(psf), "--overwrite"]) == 0
    assert Psf.load(psf).size == line(13).size


def test_psfs_that_vary_are_not_written_where_they_would_be_taken_for_one(tmp_path):
    field = PsfField.of([[line(5), line(5, 30)]])
    with pytest.raises(PsfError, match=r"grid.tif: PSFs that vary are written as .npy, or as .png"):
        FoundPsf(field.mean(), 0.9, "a test", field).save(tmp_path / "grid.tif")

"""The ways to come by a PSF on the command line: a lamp's trail, a sharp shot, a grid of windows."""

import json
from pathlib import Path

import numpy as np
import pytest
import skimage.data
import torch
from PIL import Image

from nightsharp.cli import main
from nightsharp.methods.map_psf import similarity
from nightsharp.optics import Blur, Psf, line
from nightsharp.photo import linear_to_srgb


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
    assert capsys.readouterr().out.endswith(f", and {says}\n")


def test_a_box_without_a_trail_is_refused_with_a_reason(shots, capsys):
    assert main(["estimate-psf", str(shots[1]), "--streak", "100,60,40,40"]) == 3
    assert "the box 100,60,40,40" in capsys.readouterr().err

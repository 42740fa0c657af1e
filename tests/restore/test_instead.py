"""Where the guard throws the network's result away behind strong noise, the classical one is tried."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from skimage.data import coffee

from nightsharp import deblur
from nightsharp.optics import Blur, Psf, line
from nightsharp.restore import choose_route, execute, replay
from nightsharp.restore.given import Given
from nightsharp.restore.guard import Verdict
from nightsharp.restore.instead import LOUD, classical_instead
from nightsharp.restore.order import Order

KEPT = Verdict("input", "does not explain the input; the photo is kept as it is")


def recorded(noise: float) -> torch.Tensor:
    sharp = torch.from_numpy(coffee()[100:228, 200:328]).permute(2, 0, 1)[None].float() / 255
    blurred = Blur(line(9, 20), "replicate")(sharp)[0]
    return (blurred + noise * torch.randn(blurred.shape, generator=torch.Generator().manual_seed(0))).clamp(0, 1)


def refuse(monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    """Let the guard throw away what these methods make; all else is real."""
    real = execute.restore_tiles

    def judged(given, order, *rest):
        result, verdict = real(given, order, *rest)
        return result, KEPT if order.route.method.name in names else verdict

    monkeypatch.setattr(execute, "restore_tiles", judged)


def order(method: str | None = None, **changed: Any) -> Order:
    told = Order(choose_route(method, psf_given=True), line(9), "given", None, 1.0, guard=True, light=None)
    return replace(told, **changed)


def test_the_classical_result_is_taken_and_the_report_says_so(monkeypatch):
    photo = recorded(0.15)
    expected = deblur(photo, psf="line:9,20", method="hyper_laplacian")
    assert expected.report["guard"]["kept"] == "result"
    refuse(monkeypatch, "nightwiener")
    done = deblur(photo, psf="line:9,20")
    assert done.method == done.report["method"] == "hyper_laplacian"
    assert done.report["route"]["reason"].endswith(
        "hyper_laplacian, the best for noise that hides what nightwiener makes of it"
    )
    assert done.report["weights"] is None
    assert torch.equal(done.sharp, expected.sharp)


def test_where_both_are_thrown_away_the_photograph_and_the_first_verdict_stay(monkeypatch):
    photo = recorded(0.15)
    refuse(monkeypatch, "nightwiener", "hyper_laplacian")
    done = deblur(photo, psf="line:9,20")
    assert done.method == "nightwiener"
    assert torch.equal(done.sharp, photo)
    assert done.report["guard"]["words"] == KEPT.words


def test_a_replay_takes_the_way_of_the_report_and_no_other(monkeypatch, tmp_path: Path):
    file = tmp_path / "night.png"
    Image.fromarray((recorded(0.15) * 255).round().byte().permute(1, 2, 0).numpy()).save(file)
    with monkeypatch.context() as only_here:
        refuse(only_here, "nightwiener")
        first = deblur(file, psf="line:9,20")
    again = replay(json.loads(json.dumps(first.report)))
    assert again.method == "hyper_laplacian"
    assert np.array_equal(again.sharp.numpy(), first.sharp.numpy())
    refuse(monkeypatch, "nightwiener")
    kept = replay(json.loads(json.dumps(deblur(file, psf="line:9,20", method="nightwiener").report)))
    assert kept.report["guard"]["kept"] == "input"


@pytest.mark.parametrize(
    ("changed", "kept", "noise"),
    [
        ({}, "partly", 0.15),
        ({}, "result", 0.15),
        ({}, "input", LOUD / 2),
        ({"method": "nightwiener"}, "input", 0.15),
        ({"method": "wiener"}, "input", 0.15),
        ({"confidence": 0.9}, "input", 0.15),
    ],
)
def test_nothing_else_is_tried_otherwise(changed: dict[str, Any], kept, noise: float):
    given = Given(None, recorded(noise), None)
    assert classical_instead(order(**changed), replace(KEPT, kept=kept), given) is None
    assert classical_instead(order(), KEPT, Given(None, recorded(0.15), None)) is not None


def test_a_point_is_no_blur_for_either(monkeypatch):
    photo = recorded(0.15)
    done = deblur(photo, psf=Psf.from_tensor(torch.ones(1, 1)))
    assert done.report["guard"]["words"].startswith("the PSF is a single point")
    assert {"plan", "restore"} <= set(done.report["seconds"])
    assert torch.equal(done.sharp, photo)

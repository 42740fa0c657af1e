"""The verbs ``evaluate`` and ``benchmark``."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from nightsharp.cli import main
from nightsharp.methods.dwdn import DWDN
from nightsharp.methods.infwide import INFWIDE
from nightsharp.weights import Card, save, sha256


def picture(file: Path, *, seed: int = 0, noise: float = 0.0, size: tuple[int, int] = (48, 56)) -> Path:
    generator = np.random.default_rng(seed)
    blocks = np.kron(generator.random((size[0] // 8, size[1] // 8, 3)), np.ones((8, 8, 1))) * 0.8 + 0.1
    values = blocks + noise * np.random.default_rng(9).standard_normal(blocks.shape)
    file.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.round(values.clip(0, 1) * 255).astype(np.uint8)).save(file)
    return file


def test_a_folder_of_results_beside_a_folder_of_truths(tmp_path, capsys):
    for seed, name in enumerate(("a", "b")):
        picture(tmp_path / "truth" / f"{name}.png", seed=seed)
        picture(tmp_path / "out" / f"{name}-sharp.png", seed=seed, noise=0.02)
    assert main(["evaluate", str(tmp_path / "out"), "--against", str(tmp_path / "truth"), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["done"], document["failed"]) == (2, 0)
    assert 33 < document["mean"]["psnr"] < 36
    assert document["images"][0]["truth"].endswith("a.png")
    assert "whole image" in document["protocol"]


def test_one_file_with_the_protocol_printed(tmp_path, capsys):
    result, truth = picture(tmp_path / "r.png", noise=0.02), picture(tmp_path / "t.png")
    words = [
        "evaluate",
        str(result),
        "--against",
        str(truth),
        "--border",
        "9",
        "--shift",
        "4",
        "--metrics",
        "psnr,delta_e",
    ]
    assert main(words) == 0
    said = capsys.readouterr().out
    assert "PSNR" in said
    assert "ΔE00" in said
    assert "protocol: colours as they are, clipped, 9 px border left out, best shift within 4 px" in said


def test_without_truths_only_what_needs_none(tmp_path, capsys):
    picture(tmp_path / "r.png", size=(200, 200))
    assert main(["evaluate", str(tmp_path / "r.png"), "--json"]) == 0
    assert set(json.loads(capsys.readouterr().out)["mean"]) == {"niqe", "noise", "sharpness", "ringing"}


def test_one_bad_file_is_named_and_the_rest_is_scored(tmp_path, capsys):
    for seed, name in enumerate(("a", "b")):
        picture(tmp_path / "truth" / f"{name}.png", seed=seed)
        picture(tmp_path / "out" / f"{name}.png", seed=seed)
    picture(tmp_path / "truth" / "b.png", size=(48, 64))
    assert main(["evaluate", str(tmp_path / "out"), "--against", str(tmp_path / "truth")]) == 3
    said = capsys.readouterr()
    assert "120.00" in said.out
    assert "b.png" in said.err


def test_every_format_that_is_read_is_scored(tmp_path, capsys):
    for seed, name in enumerate(("a.png", "b.avif", "c.webp")):
        picture(tmp_path / "truth" / name, seed=seed)
        picture(tmp_path / "out" / name, seed=seed)
    assert main(["evaluate", str(tmp_path / "out"), "--against", str(tmp_path / "truth"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["done"] == 3


def test_another_number_is_another_picture(tmp_path, capsys):
    for name in ("img-10", "img-sharp"):
        picture(tmp_path / "out" / f"{name}.png")
    picture(tmp_path / "truth" / "img.png")
    words = ["evaluate", str(tmp_path / "out"), "--against", str(tmp_path / "truth")]
    assert main(words) == 3
    assert "img-10.png: no truth of that name" in capsys.readouterr().err
    (tmp_path / "out" / "img-10.png").unlink()
    assert main(words) == 0


@pytest.mark.parametrize("against", [True, False])
@pytest.mark.parametrize("result", ["a.png", "a-sharp.png"])
def test_a_sheet_of_before_and_after_is_no_result(tmp_path, capsys, result, against):
    picture(tmp_path / "out" / result)
    picture(tmp_path / "out" / "a-compare.png", size=(64, 128))
    # this one is no sheet: nothing is there that it could show
    picture(tmp_path / "out" / "shop-compare.png")
    for name in ("a", "shop"):
        picture(tmp_path / "truth" / f"{name}.png")
    words = ["--against", str(tmp_path / "truth")] if against else ["--metrics", "noise"]
    assert main(["evaluate", str(tmp_path / "out"), *words, "--json"]) == 0
    images = json.loads(capsys.readouterr().out)["images"]
    assert [Path(image["result"]).name for image in images] == [result, "shop-compare.png"]


def test_a_picture_that_is_called_like_a_sheet_is_compared_with_its_truth(tmp_path, capsys):
    for folder in ("out", "truth"):
        for name in ("shop", "shop-compare"):
            picture(tmp_path / folder / f"{name}.png")
    assert main(["evaluate", str(tmp_path / "out"), "--against", str(tmp_path / "truth"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["done"] == 2


@pytest.mark.parametrize("words", [["missing/"], ["r.png", "--against", "missing"], ["r.png", "--against", "empty"]])
def test_what_is_not_there_is_named(words, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    picture(tmp_path / "r.png")
    (tmp_path / "empty").mkdir()
    assert main(["evaluate", *words]) == 3
    assert capsys.readouterr().err.startswith("nightsharp: ")


@pytest.mark.parametrize("words", [["--metrics", "beauty"], ["--shift", "5"]])
def test_an_impossible_comparison_is_a_usage_error(words, tmp_path):
    picture(tmp_path / "r.png")
    assert main(["evaluate", str(tmp_path / "r.png"), "--against", str(tmp_path / "r.png"), *words]) == 2


@pytest.mark.parametrize("verb", ["evaluate", "benchmark"])
def test_help_shows_an_example_and_loads_nothing_heavy(verb):
    code = f"import sys; from nightsharp.cli import main; main(['{verb}', '--help']); print('torch' in sys.modules)"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert f"nightsharp {verb} " in said
    assert said.endswith("False\n")


def sets(data: Path) -> Path:
    for name in ("a", "b"):
        picture(data / "pairs" / "blurred" / f"{name}.png", noise=0.02)
        picture(data / "pairs" / "sharp" / f"{name}.png")
        Image.fromarray(np.full((1, 1), 255, np.uint8)).save(data / "pairs" / f"{name}.png")
        (data / "pairs" / "psf").mkdir(exist_ok=True)
        np.save(data / "pairs" / "psf" / f"{name}.npy", np.ones((1, 1), np.float32))
    return data


def test_a_benchmark_writes_its_tables(tmp_path, capsys):
    out = tmp_path / "out"
    words = ["benchmark", "--methods", "wiener", "--sets", "pairs", "--data", str(sets(tmp_path / "sets"))]
    assert main([*words, "--out", str(out)]) == 0
    said = capsys.readouterr().out
    assert "## pairs" in said
    assert "| wiener | true PSF |" in said
    written = {file.name for file in out.iterdir() if file.is_file()}
    assert written >= {"images.csv", "results.json", "tables.md", "index.html", "timings.json"}
    assert main([*words, "--out", str(out), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["sets"][0]["images"] == 2


def test_without_sets_the_sets_are_listed(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("NIGHTSHARP_DATA", str(sets(tmp_path / "sets")))
    assert main(["benchmark"]) == 0
    lines = {line.split()[0]: line.split()[1] for line in capsys.readouterr().out.splitlines()}
    assert lines["pairs"] == "2"
    assert lines["gopro"] == "-"
    assert main(["benchmark", "--json"]) == 0
    assert "levin2009" in {row["set"] for row in json.loads(capsys.readouterr().out)["sets"]}


def test_a_missing_set_or_folder_is_one_line(tmp_path, capsys):
    assert main(["benchmark", "--sets", "gopro", "--data", str(tmp_path)]) == 3
    assert "Expected:" in capsys.readouterr().err
    assert main(["benchmark", "--sets", "gopro", "--data", str(tmp_path / "none")]) == 2


@pytest.fixture(scope="module")
def weights(tmp_path_factory) -> Path:
    """Weights of one's own, of two networks none of whose ship."""
    folder = tmp_path_factory.mktemp("weights")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        save(folder / "dwdn.safetensors", DWDN(features=4, width=8, blocks=1), Card(system="dwdn"))
        save(folder / "infwide.safetensors", INFWIDE.lite(), Card(system="infwide"))
    (folder / "broken.safetensors").write_bytes((folder / "dwdn.safetensors").read_bytes()[:-9])
    return folder


def test_networks_of_files_join_the_methods(weights, tmp_path, capsys):
    files = f"{weights / 'dwdn.safetensors'},{weights / 'infwide.safetensors'}"
    words = ["benchmark", "--sets", "pairs", "--data", str(sets(tmp_path / "sets")), "--json", "--weights", files]
    assert main([*words, "--out", str(tmp_path / "all")]) == 0
    document = json.loads(capsys.readouterr().out)
    measured = {row["method"]: row["failures"] for row in document["sets"][0]["measured"]}
    assert list(measured)[-3:] == ["hyper_laplacian", "dwdn", "infwide"]
    assert set(measured.values()) == {0}
    assert document["weights"]["infwide"] == {
        "file": "infwide.safetensors",
        "sha256": sha256(weights / "infwide.safetensors"),
    }
    assert main([*words, "--out", str(tmp_path / "some"), "--methods", "infwide,dwdn"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert [row["method"] for row in document["sets"][0]["measured"]] == ["input", "infwide", "dwdn"]


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["--weights", "dwdn.safetensors", "--methods", "wiener"], 2, "Choose the method dwdn"),
        (["--weights", "dwdn.safetensors,./dwdn.safetensors"], 2, "both hold weights of dwdn"),
        (["--weights", "broken.safetensors"], 5, "broken.safetensors: not a whole safetensors file"),
        (["--weights", "none.safetensors"], 5, "there is no such weight file"),
        (["--methods", "darkdeblur"], 5, "Give a file of them (--weights)"),
    ],
)
def test_weights_that_cannot_serve_are_refused_before_the_work(
    words, code, says, weights, tmp_path, capsys, monkeypatch
):
    monkeypatch.chdir(weights)
    data = sets(tmp_path / "sets")
    assert main(["benchmark", "--sets", "pairs", "--data", str(data), "-o", str(tmp_path / "out"), *words]) == code
    assert says in capsys.readouterr().err
    assert not (tmp_path / "out").exists()

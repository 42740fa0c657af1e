"""The verb ``train``."""

import json
import shutil

import pytest
from PIL import Image

from nightsharp.cli import main

FEW = ["crop=40", "batch=2", "steps=2", "validate_every=2", "validation_crops=1", "config.features=2", "config.width=2"]
SETTINGS = [word for setting in FEW for word in ("--set", setting)]


def test_it_lists_the_recipes(capsys):
    assert main(["train"]) == 0
    assert "dwdn-lite" in capsys.readouterr().out
    assert main(["train", "--json"]) == 0
    named = [recipe["name"] for recipe in json.loads(capsys.readouterr().out)["recipes"]]
    assert {"dwdn", "dwdn-lite", "infwide", "infwide-lite", "nightwiener"} <= set(named)


def test_it_rehearses_trains_and_goes_on(photographs, tmp_path, capsys):
    words = [
        "train",
        "dwdn-lite",
        "--data",
        str(photographs),
        "--out",
        str(tmp_path),
        "--accelerator",
        "cpu",
        *SETTINGS,
    ]
    assert main([*words, "--dry-run"]) == 0
    said = capsys.readouterr().out
    assert all(word in said for word in ("parameters: ", "memory: ", "step: ", "2 steps"))
    assert not list(tmp_path.iterdir())

    assert main(words) == 0
    said = capsys.readouterr().out
    assert "step       2" in said
    assert f"weights: {tmp_path / 'dwdn-lite.safetensors'}" in said

    assert main([*words, "--resume", "--set", "steps=3", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert [row["step"] for row in document["rows"]] == [2, 4, 5]


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["dwdn-lite"], 2, "needs --data"),
        (["dwdn-light"], 2, "Did you mean 'dwdn-lite'"),
        (["dwdn-lite", "--set", "learning_rate=1"], 2, "a recipe has no key 'learning_rate'"),
        (["dwdn-lite", "--data", "no-such-folder"], 3, "no-such-folder does not exist"),
        (["dwdn-lite", "--data", ".", "--devices", "0"], 2, "at least 1 device"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_line(words, code, said, capsys):
    assert main(["train", *words]) == code
    assert said in capsys.readouterr().err


def test_photographs_that_are_left_out_are_counted_and_named(photographs, tmp_path, capsys):
    data = tmp_path / "photos"
    shutil.copytree(photographs, data)
    Image.new("RGB", (20, 20)).save(data / "small.png")
    (data / "broken.jpg").write_bytes(b"\xff\xd8\xff no photograph")
    words = [
        "train",
        "dwdn-lite",
        "--data",
        str(data),
        "--out",
        str(tmp_path / "run"),
        "--accelerator",
        "cpu",
        *SETTINGS,
    ]
    for more in (["--dry-run"], []):
        assert main([*words, *more]) == 0
        said = capsys.readouterr().out
        assert "2 of " in said
        assert "photographs are left out; the first: " in said
        assert "broken.jpg" in said

"""The verbs ``synthesize pairs`` and ``synthesize psfs``."""

import json
import os
import subprocess
import sys

import imagecodecs
import numpy as np
import pytest
import tifffile

from nightsharp import __version__
from nightsharp.cli import main
from nightsharp.optics import Psf


def files(folder) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in sorted(folder.rglob("*")) if file.is_file()}


def pairs(folder, place, *words: object) -> int:
    for option, usual in (("--recipe", "dwdn"), ("--size", 48)):
        words = words if option in words else (option, usual, *words)
    return main(["synthesize", "pairs", str(folder), str(place), *map(str, words)])


def test_pairs_lie_in_folders_with_a_manifest(folder, tmp_path, capsys):
    place = tmp_path / "pairs"
    assert pairs(folder, place, "-n", 5, "--json") == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["pairs"], document["made"], document["photographs"]) == (5, 5, 4)
    lines = [json.loads(line) for line in (place / "manifest.jsonl").read_text().splitlines()]
    assert [line["index"] for line in lines] == list(range(5))
    for line in lines:
        sharp, blurred = (imagecodecs.png_decode((place / line[part]).read_bytes()) for part in ("sharp", "blurred"))
        assert sharp.shape == blurred.shape == (48, 48, 3)
        assert sharp.dtype == np.uint16
        assert Psf.load(place / line["psf"]).size == (35, 35)
        assert line["sigma"] > 0


def test_a_stopped_run_goes_on_to_the_same_files(folder, tmp_path, capsys):
    whole, stopped = tmp_path / "whole", tmp_path / "stopped"
    assert pairs(folder, whole, "-n", 36) == 0
    assert pairs(folder, stopped, "-n", 20) == 0
    # a run that was killed within a batch: files without a line, and half a line
    manifest = stopped / "manifest.jsonl"
    kept = manifest.read_text().splitlines(keepends=True)
    manifest.write_text("".join(kept[:18]) + kept[18][:9])
    capsys.readouterr()
    assert pairs(folder, stopped, "-n", 36) == 0
    assert "36 pairs of 48 x 48, 18 made now" in capsys.readouterr().out
    assert files(whole) == files(stopped)
    before = files(whole)
    assert pairs(folder, whole, "-n", 36) == 0
    assert files(whole) == before


def test_a_place_that_cannot_be_written_is_named(folder, tmp_path, capsys):
    (tmp_path / "pairs").write_text("a file")
    assert pairs(folder, tmp_path / "pairs", "-n", 1) == 3
    assert "cannot be made" in capsys.readouterr().err
    blocked = tmp_path / "blocked"
    (blocked / "sharp" / "000000.png").mkdir(parents=True)
    assert pairs(folder, blocked, "-n", 1) == 3
    assert "000000.png cannot be written" in capsys.readouterr().err


def test_other_settings_do_not_mix_in_one_folder(folder, tmp_path, capsys):
    assert pairs(folder, tmp_path / "pairs", "-n", 2) == 0
    assert pairs(folder, tmp_path / "pairs", "-n", 2, "--seed", 1) == 2
    assert "was begun with other settings (seed: 0)" in capsys.readouterr().err


def test_tiff_holds_floats_and_a_recipe_takes_settings(folder, tmp_path):
    place = tmp_path / "pairs"
    words = ["--recipe", "night", "--set", "largest_psf=21", "--size", "40", "-n", "3", "--format", "tif"]
    assert main(["synthesize", "pairs", str(folder), str(place), *words]) == 0
    blurred = tifffile.imread(place / "blurred" / "000002.tif")
    assert blurred.dtype == np.float32
    assert blurred.shape == (40, 40, 3)


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["--recipe", "dusk"], 2, "recipe 'dusk' is unknown"),
        (["--set", "largest_psf"], 2, "the = is missing"),
        (["--set", "noise=loud"], 2, "'loud' is no number"),
        (["--set", "gain=8"], 2, "has no setting 'gain'"),
        (["--set", "name=5"], 2, "has no setting 'name'"),
        (["--size", "500"], 3, "Take smaller crops or larger photographs"),
        (["-n", "0"], 2, "--count 0"),
    ],
)
def test_what_cannot_be_is_refused_with_the_cure(folder, tmp_path, capsys, words, code, says):
    assert pairs(folder, tmp_path / "pairs", *words) == code
    assert says in capsys.readouterr().err


def test_pairs_never_go_among_the_photographs(folder, capsys):
    assert pairs(folder, folder / "pairs", "-n", 1) == 2
    assert "lies inside the sharp photographs" in capsys.readouterr().err


@pytest.mark.parametrize("part", ["sharp", "blurred/inner", "psf"])
def test_photographs_where_the_pairs_go_stay_as_they_are(folder, tmp_path, capsys, part):
    source = tmp_path / "v" / part
    source.parent.mkdir(parents=True)
    folder.rename(source)
    before = files(tmp_path)
    assert pairs(source, tmp_path / "v", "-n", 1) == 2
    assert "lie where pairs are written" in capsys.readouterr().err
    assert files(tmp_path) == before


def test_files_that_nightsharp_did_not_write_are_not_replaced(folder, tmp_path, capsys):
    mine = tmp_path / "pairs" / "blurred" / "000000.png"
    mine.parent.mkdir(parents=True)
    mine.write_bytes(b"mine")
    assert pairs(folder, tmp_path / "pairs", "-n", 1) == 2
    assert "000000.png is there, and no recipe.json" in capsys.readouterr().err
    assert files(tmp_path / "pairs") == {"blurred/000000.png": b"mine"}


def test_a_photograph_is_not_taken_for_a_psf(tmp_path, capsys):
    (tmp_path / "000007.png").write_bytes(b"mine")
    words = ["synthesize", "psfs", str(tmp_path), "-n", "3", "--format", "png"]
    assert main(words) == 2
    assert "000007.png is there, and no recipe.json" in capsys.readouterr().err
    assert files(tmp_path) == {"000007.png": b"mine"}


def test_a_run_killed_before_its_first_line_goes_on(folder, tmp_path):
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    for place in (whole, killed):
        assert pairs(folder, place, "-n", 2) == 0
    (killed / "manifest.jsonl").unlink()
    assert pairs(folder, killed, "-n", 2) == 0
    assert files(whole) == files(killed)


def test_other_photographs_or_another_version_do_not_mix_in_one_folder(folder, tmp_path, capsys, monkeypatch):
    place = tmp_path / "pairs"
    assert pairs(folder, place, "-n", 2) == 0
    folder = folder.rename(tmp_path / "moved")
    assert pairs(folder, place, "-n", 2) == 0
    (folder / "a.png").rename(folder / "z.png")
    assert pairs(folder, place, "-n", 2) == 2
    assert "other settings (photographs of other names or sizes)" in capsys.readouterr().err
    (folder / "z.png").rename(folder / "a.png")
    monkeypatch.setattr("nightsharp.synthesis.dump.__version__", "77")
    assert pairs(folder, place, "-n", 2) == 2
    assert f"other settings (nightsharp: '{__version__}')" in capsys.readouterr().err


@pytest.mark.parametrize("content", ['{"recipe": "dw', "[]", "\udcff"])
def test_a_damaged_recipe_is_named(folder, tmp_path, capsys, content):
    place = tmp_path / "pairs"
    assert pairs(folder, place, "-n", 2) == 0
    (place / "recipe.json").write_bytes(content.encode(errors="surrogateescape"))
    assert pairs(folder, place, "-n", 2) == 2
    assert "recipe.json is damaged" in capsys.readouterr().err


@pytest.mark.parametrize("line", [b"rubbish", b"[]", b"{}", b"\xff"])
def test_a_damaged_line_is_named_and_made_again_without_it(folder, tmp_path, capsys, line):
    place = tmp_path / "pairs"
    assert pairs(folder, place, "-n", 3) == 0
    before = files(place)
    manifest = place / "manifest.jsonl"
    lines = manifest.read_bytes().splitlines(keepends=True)
    manifest.write_bytes(b"".join([*lines[:2], line + b"\n"]))
    assert pairs(folder, place, "-n", 3) == 2
    assert "manifest.jsonl is damaged in line 3" in capsys.readouterr().err
    manifest.write_bytes(b"".join(lines[:2]))
    assert pairs(folder, place, "-n", 3) == 0
    assert files(place) == before


def test_a_pair_whose_file_was_deleted_is_made_again(folder, tmp_path, capsys):
    place = tmp_path / "pairs"
    assert pairs(folder, place, "-n", 3) == 0
    before = files(place)
    (place / "blurred" / "000001.png").unlink()
    capsys.readouterr()
    assert pairs(folder, place, "-n", 3) == 0
    assert "1 made now" in capsys.readouterr().out
    assert files(place) == before


@pytest.mark.skipif(os.name != "posix", reason="locks as POSIX knows them")
def test_a_second_run_in_the_same_folder_is_refused(folder, tmp_path, capsys):
    import fcntl

    place = tmp_path / "out"
    place.mkdir()
    handle = os.open(place, os.O_RDONLY)
    fcntl.flock(handle, fcntl.LOCK_EX)
    try:
        assert pairs(folder, place, "-n", 1) == 2
        assert "another run is writing" in capsys.readouterr().err
        assert main(["synthesize", "psfs", str(place), "-n", "1"]) == 2
        assert "another run is writing" in capsys.readouterr().err
        assert files(place) == {}
    finally:
        os.close(handle)
    assert pairs(folder, place, "-n", 1) == 0


def test_a_damaged_photograph_is_named_and_left_out(folder, tmp_path, capsys):
    (folder / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n nothing more")
    assert pairs(folder, tmp_path / "pairs", "-n", 3) == 0
    said = capsys.readouterr().out
    assert "4 photographs" in said
    assert "note: left out: broken.png" in said


@pytest.mark.parametrize("ending", ["npy", "png", "tif"])
def test_psfs_are_files_that_load(tmp_path, ending, capsys):
    words = ["synthesize", "psfs", str(tmp_path / "psfs"), "--kind", "rotating", "-n", "20", "--format", ending]
    assert main(words) == 0
    made = sorted((tmp_path / "psfs").glob(f"*.{ending}"))
    assert [file.stem for file in made] == [f"{index:06d}" for index in range(20)]
    assert all(Psf.load(file).size == (37, 37) for file in made)
    before = files(tmp_path / "psfs")
    made[3].unlink()
    assert main(words) == 0
    assert "1 made now" in capsys.readouterr().out
    assert files(tmp_path / "psfs") == before


def test_an_unknown_kind_of_psf_is_refused(tmp_path, capsys):
    assert main(["synthesize", "psfs", str(tmp_path / "psfs"), "--kind", "round"]) == 2
    assert "Choose one of every, rotating, markovian, motion" in capsys.readouterr().err


@pytest.mark.parametrize(
    "words", ["synthesize --help", "synthesize pairs --help", "synthesize psfs --help", "align --help"]
)
def test_help_comes_with_an_example_and_loads_nothing_heavy(words):
    code = (
        f"import sys\nfrom nightsharp.cli import main\nmain({words.split()})\n"
        "print('loaded:', *(name for name in ('torch', 'scipy', 'skimage', 'PIL') if name in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    said, _, loaded = done.stdout.rpartition("loaded:")
    assert loaded.split() == []
    assert "Example" in said
    assert f"nightsharp {words.removesuffix(' --help')}" in said

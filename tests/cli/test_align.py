"""Which files of two folders are a pair, and what a pair is written as."""

import errno
import json
import os
from pathlib import Path

import numpy as np
import pytest
import tifffile
import torch

from nightsharp.cli import main
from nightsharp.cli.align import _as_sixteen_bits, _couples
from nightsharp.errors import PhotoError, PsfError, UsageError
from nightsharp.photo import Photo, read_photo
from nightsharp.synthesis.pairing import AlignedPair


@pytest.fixture
def folders(tmp_path):
    for name in ("still/a.jpg", "still/a.xmp", "still/notes.txt", "shot/a.dng", "shot/b.png", "shot/.a.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    return tmp_path / "still", tmp_path / "shot"


def test_what_lies_beside_the_photographs_is_passed_over(folders, capsys):
    still, shot = folders
    assert _couples(still, shot) == [(still / "a.jpg", shot / "a.dng")]
    assert capsys.readouterr().err.splitlines() == ["nightsharp: b.png has no partner and is left out"]


def test_two_photographs_of_one_name_are_refused(folders):
    (folders[1] / "a.JPG").touch()
    with pytest.raises(UsageError, match="have one name"):
        _couples(*folders)


def test_linear_light_is_read_back_as_the_light_it_was(tmp_path):
    light = np.random.default_rng(0).random((12, 16, 3), dtype=np.float32)
    tifffile.imwrite(tmp_path / "a.tif", light, photometric="rgb")
    photo = read_photo(tmp_path / "a.tif")
    _as_sixteen_bits(photo, photo.pixels).save(tmp_path / "a.png")
    again = read_photo(tmp_path / "a.png")
    assert torch.allclose(again.pixels, photo.pixels, atol=1e-4)


@pytest.fixture
def shots(tmp_path, monkeypatch) -> list[str]:
    """The command's words for three pairs, which are aligned as they are."""

    def align_pair(sharp, blurred) -> AlignedPair:
        one = (1.0, 1.0, 1.0)
        return AlignedPair(sharp, blurred, (0, 0, 8, 9), np.eye(3), one, (0.0, 0.0, 0.0), 20, 20, 1.0, 0.0, 3)

    monkeypatch.setattr("nightsharp.synthesis.pairing.align_pair", align_pair)
    for place in ("still", "hand"):
        (tmp_path / place).mkdir()
        for name in "abc":
            Photo(torch.rand(3, 8, 9)).save(tmp_path / place / f"{name}.png")
    return ["align", str(tmp_path / "still"), str(tmp_path / "hand"), "-o", str(tmp_path / "out"), "--json"]


def written(place: Path) -> list[str]:
    return sorted(file.relative_to(place).as_posix() for file in place.rglob("*") if file.is_file())


WHOLE = [f"{part}/{name}.png" for part in ("blurred", "sharp") for name in "abc"]


@pytest.mark.parametrize(
    ("problem", "code"), [(PsfError("no edges."), 3), (ZeroDivisionError(), 1), (MemoryError(), 4)], ids=repr
)
def test_an_awkward_pair_does_not_end_the_others(shots, tmp_path, capsys, monkeypatch, problem, code):
    def fail_the_second(file: Path):
        if file.name == "b.png":
            raise problem
        return read_photo(file)

    monkeypatch.setattr("nightsharp.photo.read_photo", fail_the_second)
    assert main(shots) == code
    said = capsys.readouterr()
    document = json.loads(said.out)
    assert (document["done"], document["failed"]) == (2, 1)
    assert said.err.count("nightsharp: b.png and b.png: ") == 1
    assert written(tmp_path / "out") == [name for name in WHOLE if "b.png" not in name]


@pytest.mark.parametrize("late", [False, True], ids=["while the file is written", "when it has its name"])
def test_a_stop_between_the_two_files_leaves_neither_and_tells_what_is_done(shots, tmp_path, capsys, monkeypatch, late):
    save = Photo.save

    def stop_within_the_fourth(photo: Photo, file: Path, **options: bool) -> object:
        stops = file == tmp_path / "out" / "blurred" / "b.png"
        if stops and not late:
            raise KeyboardInterrupt
        notes = save(photo, file, **options)
        if stops:
            raise KeyboardInterrupt
        return notes

    monkeypatch.setattr(Photo, "save", stop_within_the_fourth)
    assert main(shots) == 130
    (row,) = json.loads(capsys.readouterr().out)["pairs"]
    assert [Path(file).is_file() for file in row["outputs"]] == [True, True]
    assert written(tmp_path / "out") == ["blurred/a.png", "sharp/a.png"]


def test_a_full_disk_between_the_two_files_leaves_neither(shots, tmp_path, capsys, monkeypatch):
    flush = os.fsync

    def fail(handle: int) -> None:
        if (tmp_path / "out" / "sharp" / "b.png").exists() and not (tmp_path / "out" / "blurred" / "b.png").exists():
            raise OSError(errno.ENOSPC, "No space left on device")
        flush(handle)

    with monkeypatch.context() as full:
        full.setattr(os, "fsync", fail)
        assert main(shots) == 3
    assert "the disk is full" in json.loads(capsys.readouterr().out)["pairs"][1]["error"]
    assert written(tmp_path / "out") == [name for name in WHOLE if "b.png" not in name]


def test_a_file_that_was_there_before_outlives_a_failure(shots, tmp_path, monkeypatch):
    assert main(shots) == 0
    save = Photo.save

    def fail(photo: Photo, file: Path, **options: bool) -> object:
        if file.parent.name == "blurred":
            raise PhotoError("no.")
        return save(photo, file, **options)

    monkeypatch.setattr(Photo, "save", fail)
    assert main([*shots, "--overwrite"]) == 3
    assert written(tmp_path / "out") == WHOLE

"""Pairs as files survive whatever stops the run."""

import errno
import json
import os
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from nightsharp.errors import PhotoError
from nightsharp.synthesis import PairBatches, SharpFolder, pipeline
from nightsharp.synthesis.dump import write_pairs

PAIRS = 40


def files(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in sorted(folder.rglob("*")) if file.is_file()}


def dump(folder: Path, place: Path) -> None:
    maker = pipeline("dwdn")
    batches = PairBatches(SharpFolder(folder, maker.source_side(48)), maker, size=2, count=PAIRS // 2)
    write_pairs(batches, place, PAIRS, settings={"recipe": "dwdn"})


def test_a_pair_is_on_the_disk_before_its_line_is_written(folder, tmp_path, monkeypatch):
    place = tmp_path / "pairs"
    manifest = place / "manifest.jsonl"
    flushed: set[int] = set()
    flush = os.fsync

    def watch(handle: int) -> None:
        flush(handle)
        flushed.add(os.fstat(handle).st_ino)
        assert named(place) <= flushed

    monkeypatch.setattr(os, "fsync", watch)
    dump(folder, place)
    assert len(named(place)) == 4 * PAIRS
    settled = [manifest, place / "recipe.json", *(place / part for part in ("sharp", "blurred", "psf", "assumed_psf"))]
    if os.name == "posix":
        assert {path.stat().st_ino for path in settled} <= flushed


def named(place: Path) -> set[int]:
    """The files that the manifest names, as the system knows them."""
    manifest = place / "manifest.jsonl"
    lines = [json.loads(line) for line in manifest.read_text().splitlines()] if manifest.exists() else []
    return {(place / line[part]).stat().st_ino for line in lines for part in ("sharp", "blurred", "psf", "assumed_psf")}


def test_a_disk_that_does_not_take_the_bytes_is_named_and_no_line_is_written(folder, tmp_path, monkeypatch):
    place = tmp_path / "pairs"
    flush = os.fsync

    def fail(handle: int) -> None:
        if (place / "psf" / "000003.npy").exists():
            raise OSError(errno.EIO, "Input/output error")
        flush(handle)

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(PhotoError, match="cannot be written: Input/output error"):
        dump(folder, place)
    assert [json.loads(line)["index"] for line in (place / "manifest.jsonl").read_text().splitlines()] == [0, 1]


RUN = """
import pathlib, sys
sys.path.insert(0, sys.argv[3])
from test_dump import dump
dump(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]))
"""


@pytest.mark.skipif(os.name != "posix", reason="kill -9 as POSIX knows it")
def test_killed_again_and_again_it_ends_with_the_files_of_an_undisturbed_run(folder, tmp_path):
    chance = random.Random(0)
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    dump(folder, whole)
    for _ in range(3):
        before = len(list(killed.rglob("*.npy")))
        with subprocess.Popen(
            [sys.executable, "-c", RUN, str(folder), str(killed), str(Path(__file__).parent)]
        ) as writer:
            while writer.poll() is None and len(list(killed.rglob("*.npy"))) <= before:
                time.sleep(0.002)
            time.sleep(chance.uniform(0, 0.05))
            writer.kill()
        assert all((killed / f"{part}/{index:06d}.{ending}").stat().st_size for part, index, ending in listed(killed))
    dump(folder, killed)
    there = files(killed)
    assert {name: content for name, content in there.items() if not name.endswith(".part")} == files(whole)


def listed(place: Path) -> list[tuple[str, int, str]]:
    """Part, number and ending of every file that a whole line of the manifest stands for."""
    manifest = place / "manifest.jsonl"
    text = manifest.read_text() if manifest.exists() else ""
    numbers = [json.loads(line)["index"] for line in text[: text.rfind("\n") + 1].splitlines()]
    endings = {"sharp": "png", "blurred": "png", "psf": "npy", "assumed_psf": "npy"}
    return [(part, number, ending) for number in numbers for part, ending in endings.items()]

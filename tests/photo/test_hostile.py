"""No file can crash us, hang us or eat the memory: it is read, or refused by a typed error with its exit code."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from hostile_files import everything

pytestmark = pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="memory is measured as Linux can")

MEMORY = 400 << 20
SECONDS = 5.0


@pytest.fixture(scope="module")
def endings(tmp_path_factory):
    """How each hostile file ended, read by one process after the other until all are through."""
    folder = tmp_path_factory.mktemp("hostile")
    files = everything()
    for name, content in files.items():
        (folder / name).write_bytes(content)
    script = Path(__file__).with_name("reading_each.py")
    run = subprocess.run(
        [sys.executable, str(script), str(folder), str(MEMORY)],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    ended = {line["name"]: line for line in map(json.loads, run.stdout.splitlines())}
    missing = sorted(set(files) - set(ended))
    assert run.returncode == 0, f"the process died at {missing[:1]}: {run.stderr[-2000:]}"
    return ended


def test_there_are_enough_of_them(endings):
    assert len(endings) >= 300
    assert {line["code"] for line in endings.values()} == {0, 3, 4}


def test_each_is_read_or_refused_by_a_typed_error(endings):
    untyped = {name: line["said"] for name, line in endings.items() if line["code"] not in (0, 3, 4)}
    assert untyped == {}


def test_each_is_through_in_time(endings):
    slow = {name: line["seconds"] for name, line in endings.items() if line["seconds"] > SECONDS}
    assert slow == {}


def test_none_takes_more_memory_than_allowed(endings):
    large = {name: line["peak"] / 1e6 for name, line in endings.items() if line["peak"] > MEMORY}
    assert large == {}


def test_what_reading_takes_is_known_beforehand(endings):
    read = {name: line for name, line in endings.items() if line["code"] == 0}
    beyond = {name: (line["peak"], line["estimate"]) for name, line in read.items() if line["peak"] > line["estimate"]}
    assert beyond == {}


def test_each_refusal_names_the_file_and_says_what_to_do(endings):
    for name, line in endings.items():
        if line["code"]:
            assert name in line["said"]
            assert line["said"].count(".") >= 1
            assert len(line["said"]) < 600


def test_what_was_cut_short_is_never_half_read(endings):
    cut = {name: line for name, line in endings.items() if " cut at " in name}
    read = [name for name, line in cut.items() if line["code"] == 0]
    assert read == []

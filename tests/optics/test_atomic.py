"""A file is written whole or not at all, whatever happens on the way."""

import errno
import os
import random
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from nightsharp._atomic import write_atomically


def names(folder: Path) -> list[str]:
    return sorted(file.name for file in folder.iterdir())


@pytest.mark.parametrize("overwrite", [True, False])
class TestAFreeName:
    def test_is_given_to_all_bytes(self, tmp_path, overwrite):
        content = bytes(range(256)) * 1000
        assert write_atomically(tmp_path / "a.bin", content, overwrite=overwrite) == tmp_path / "a.bin"
        assert (tmp_path / "a.bin").read_bytes() == content
        assert names(tmp_path) == ["a.bin"]

    def test_may_be_as_long_as_the_system_allows(self, tmp_path, overwrite):
        name = "é" * 125 + ".png"
        write_atomically(tmp_path / name, memoryview(b"x"), overwrite=overwrite)
        assert names(tmp_path) == [name]

    @pytest.mark.skipif(os.name != "posix", reason="permissions as POSIX knows them")
    @pytest.mark.parametrize("umask", [0o022, 0o077])
    def test_gets_the_permissions_that_any_new_file_gets(self, tmp_path, overwrite, umask):
        before = os.umask(umask)
        try:
            write_atomically(tmp_path / "a.bin", b"x", overwrite=overwrite)
        finally:
            os.umask(before)
        assert (tmp_path / "a.bin").stat().st_mode & 0o777 == 0o666 & ~umask

    def test_in_a_missing_folder_is_an_error(self, tmp_path, overwrite):
        with pytest.raises(FileNotFoundError):
            write_atomically(tmp_path / "nowhere" / "a.bin", b"x", overwrite=overwrite)

    @pytest.mark.parametrize("problem", [OSError(errno.ENOSPC, "disk full"), KeyboardInterrupt()])
    def test_stays_free_when_writing_fails(self, tmp_path, monkeypatch, overwrite, problem):
        def fail(_: int) -> None:
            raise problem

        monkeypatch.setattr(os, "fsync", fail)
        with pytest.raises(type(problem)):
            write_atomically(tmp_path / "a.bin", b"x", overwrite=overwrite)
        assert names(tmp_path) == []


class TestATakenName:
    def test_is_left_alone_unless_overwriting(self, tmp_path):
        (tmp_path / "a.bin").write_bytes(b"old")
        with pytest.raises(FileExistsError):
            write_atomically(tmp_path / "a.bin", b"new", overwrite=False)
        assert (tmp_path / "a.bin").read_bytes() == b"old"
        assert names(tmp_path) == ["a.bin"]

    def test_is_replaced_when_overwriting_and_keeps_its_permissions(self, tmp_path):
        (tmp_path / "a.bin").write_bytes(b"old")
        (tmp_path / "a.bin").chmod(0o600)
        write_atomically(tmp_path / "a.bin", b"new", overwrite=True)
        assert (tmp_path / "a.bin").read_bytes() == b"new"
        assert (tmp_path / "a.bin").stat().st_mode & 0o777 == 0o600
        assert names(tmp_path) == ["a.bin"]

    def test_by_a_dangling_link_is_still_taken(self, tmp_path):
        (tmp_path / "a.bin").symlink_to("nowhere")
        with pytest.raises(FileExistsError):
            write_atomically(tmp_path / "a.bin", b"new", overwrite=False)
        assert names(tmp_path) == ["a.bin"]


class TestAMemoryCard:
    """FAT has no hard links."""

    @pytest.fixture(autouse=True)
    def no_links(self, monkeypatch):
        def refuse(*_: object) -> None:
            raise OSError(errno.EPERM, "Operation not permitted")

        monkeypatch.setattr(os, "link", refuse)

    def test_takes_a_free_name(self, tmp_path):
        write_atomically(tmp_path / "a.bin", b"new", overwrite=False)
        assert (tmp_path / "a.bin").read_bytes() == b"new"
        assert names(tmp_path) == ["a.bin"]

    def test_keeps_a_taken_one(self, tmp_path):
        (tmp_path / "a.bin").write_bytes(b"old")
        with pytest.raises(FileExistsError):
            write_atomically(tmp_path / "a.bin", b"new", overwrite=False)
        assert (tmp_path / "a.bin").read_bytes() == b"old"
        assert names(tmp_path) == ["a.bin"]

    def test_keeps_the_name_of_a_dangling_link(self, tmp_path):
        (tmp_path / "a.bin").symlink_to("nowhere")
        with pytest.raises(FileExistsError):
            write_atomically(tmp_path / "a.bin", b"new", overwrite=False)
        assert names(tmp_path) == ["a.bin"]

    @pytest.mark.parametrize("problem", [OSError(errno.EIO, "Input/output error"), KeyboardInterrupt()])
    def test_leaves_nothing_when_the_name_cannot_be_given(self, tmp_path, monkeypatch, problem):
        def fail(*_: object) -> None:
            raise problem

        for renaming in ("rename", "replace"):
            monkeypatch.setattr(os, renaming, fail)
            monkeypatch.setattr(Path, renaming, fail)
        with pytest.raises(type(problem)):
            write_atomically(tmp_path / "a.bin", b"new", overwrite=False)
        assert names(tmp_path) == []

    def test_of_writers_at_the_same_time_exactly_one_gets_the_name(self, tmp_path, monkeypatch):
        writers, rounds = 4, 100
        start = threading.Barrier(writers)

        def write(number: int, turn: int) -> bool:
            start.wait()
            try:
                write_atomically(tmp_path / f"{turn}.bin", bytes([number]) * 5000, overwrite=False)
            except FileExistsError:
                return False
            return True

        usual = sys.getswitchinterval()
        sys.setswitchinterval(1e-6)
        try:
            with ThreadPoolExecutor(writers) as pool:
                for turn in range(rounds):
                    wins = list(pool.map(write, range(writers), [turn] * writers))
                    assert sum(wins) == 1
                    assert (tmp_path / f"{turn}.bin").read_bytes() == bytes([wins.index(True)]) * 5000
        finally:
            sys.setswitchinterval(usual)
        assert names(tmp_path) == sorted(f"{turn}.bin" for turn in range(rounds))


def test_a_folder_that_cannot_be_flushed_does_not_undo_the_write(tmp_path, monkeypatch):
    flush = os.fsync
    calls = []

    def flush_files_only(handle: int) -> None:
        calls.append(handle)
        if len(calls) > 1:
            raise OSError(errno.EINVAL, "Invalid argument")
        flush(handle)

    monkeypatch.setattr(os, "fsync", flush_files_only)
    write_atomically(tmp_path / "a.bin", b"x", overwrite=False)
    assert names(tmp_path) == ["a.bin"]


WRITER = """
import itertools, pathlib, sys
from nightsharp._atomic import write_atomically
for turn in itertools.count():
    write_atomically(pathlib.Path(sys.argv[1]), bytes([turn % 256]) * 2**21, overwrite=True)
    if not turn:
        print(flush=True)
"""


@pytest.mark.skipif(os.name != "posix", reason="kill -9 as POSIX knows it")
def test_killed_at_any_moment_the_file_is_the_old_or_the_new_one_whole(tmp_path):
    chance = random.Random(0)
    file = tmp_path / "a.bin"
    for _ in range(12):
        with subprocess.Popen([sys.executable, "-c", WRITER, str(file)], stdout=subprocess.PIPE) as writer:
            assert writer.stdout is not None
            writer.stdout.readline()
            time.sleep(chance.uniform(0, 0.03))
            writer.send_signal(signal.SIGKILL)
        content = file.read_bytes()
        assert len(content) == 2**21
        assert content == content[:1] * 2**21
    leftovers = [name for name in names(tmp_path) if name != "a.bin"]
    assert all(name.startswith(".nightsharp-") and name.endswith(".part") for name in leftovers)

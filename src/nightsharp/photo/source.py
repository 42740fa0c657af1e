"""A file opened for reading: a plain file, no larger than allowed, read against the clock."""

import io
import os
import stat
from pathlib import Path

from nightsharp.errors import LimitError, PhotoError
from nightsharp.photo.limits import Deadline, Limits

_KINDS = {
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a named pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}

_STEP = 8 << 20


class Source(io.FileIO):
    """The bytes of one photograph; every read asks the clock."""

    def __init__(self, descriptor: int, path: Path, limits: Limits, deadline: Deadline) -> None:
        super().__init__(descriptor, "rb")
        self.path = path
        # decoders ask a file for its name and expect words, not a number
        self.name = self.file_name = path.name
        self.limits = limits
        self.deadline = deadline
        self.size = os.fstat(descriptor).st_size

    def read(self, size: int | None = -1) -> bytes:
        """Up to ``size`` bytes from here; all that follow where ``size`` is negative."""
        self.deadline.check()
        if size is None or size < 0:
            return self.readall()
        try:
            return super().read(size) or b""
        except OSError as problem:
            raise PhotoError(f"{self.path}: reading fails ({problem.strerror}). Check the disk or card.") from problem

    def readall(self) -> bytes:
        """All bytes from here on."""
        # the parts and what they are joined to
        self.limits.check_memory(self.file_name, 2 * self.size)
        parts = []
        while part := self.read(_STEP):
            parts.append(part)
        return b"".join(parts)

    def at(self, offset: int, count: int) -> bytes:
        """``count`` bytes at ``offset``, fewer where the file ends."""
        if offset >= self.size:
            return b""
        self.seek(offset)
        return self.read(min(count, self.size - offset))

    def whole(self) -> bytes:
        """The whole file."""
        self.seek(0)
        return self.readall()


def open_source(path: str | os.PathLike[str], limits: Limits) -> Source:
    """Open a plain file for reading, never blocking on a pipe or a device.

    Args:
        path: the file; a symbolic link is followed.
        limits: ``file_bytes`` and ``seconds`` count from here.

    Returns:
        The open file; close it, or use it in a ``with``.

    Raises:
        PhotoError: there is no such file, it is no plain file, it may not be read, or it is empty.
        LimitError: the file is larger than ``limits.file_bytes``.
    """
    file = Path(path)
    try:
        # Opening alone can block or act (pipes, tape drives), so the kind is asked first, and again once it is open.
        _require_plain(file, os.stat(file))  # noqa: PTH116 - one call for both kinds of question
        flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
        descriptor = os.open(file, flags)
    except FileNotFoundError:
        raise PhotoError(f"{file}: there is no such file. Check the name and the folder.") from None
    except PermissionError:
        raise PhotoError(f"{file}: you may not read this file. Change its permissions or copy it.") from None
    except (OSError, ValueError) as problem:
        raise PhotoError(f"{file!s}: the file cannot be opened ({problem}). Check the name and the disk.") from problem
    try:
        facts = os.fstat(descriptor)
        _require_plain(file, facts)
        limits.check_file(file.name, facts.st_size)
        if facts.st_size == 0:
            raise PhotoError(f"{file}: the file is empty. Copy it again from where it came.")
        return Source(descriptor, file, limits, limits.start(file.name))
    except (PhotoError, LimitError):
        os.close(descriptor)
        raise


def _require_plain(file: Path, facts: os.stat_result) -> None:
    if not stat.S_ISREG(facts.st_mode):
        kind = _KINDS.get(stat.S_IFMT(facts.st_mode), "no plain file")
        raise PhotoError(f"{file} is {kind}, not a photo. Name a file.")

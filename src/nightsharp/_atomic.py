"""Write a file whole or not at all."""

import contextlib
import errno
import os
import secrets
from pathlib import Path

# What a file system answers that has no hard links: FAT and exFAT on memory cards, some network shares.
_NO_LINKS = {errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL, errno.EMLINK}


def write_atomically(file: Path, content: bytes | memoryview, *, overwrite: bool) -> Path:
    """Write beside the final name, flush to the disk, then give the file its name in one step.

    A process that is killed on the way leaves the old file, or none, or the whole new one; what it may leave besides
    is a hidden ``.nightsharp-*.part`` in the same folder. Where the file system has no hard links and ``overwrite`` is
    False, the name is taken with an empty file first: killed in the moment between, that is what is left.

    Args:
        file: the final name; its folder must exist.
        content: all bytes of the file.
        overwrite: whether an existing file may be replaced; the new one keeps its permissions.

    Returns:
        The path written.

    Raises:
        FileExistsError: ``overwrite`` is False and the name is taken, also when it was taken meanwhile.
        OSError: the place cannot be written; nothing is left behind and an old file is as it was.
    """
    part = file.parent / f".nightsharp-{secrets.token_hex(8)}.part"
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    handle = os.open(part, flags, 0o666)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        if overwrite:
            if file.exists():
                part.chmod(file.stat().st_mode & 0o777)
            part.replace(file)
        else:
            _claim(part, file)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    flush_folder(file.parent)
    return file


def _claim(part: Path, file: Path) -> None:
    """Give the file its name, unless the name is taken."""
    try:
        os.link(part, file)
    except OSError as problem:
        if isinstance(problem, FileExistsError) or problem.errno not in _NO_LINKS:
            raise
        _claim_without_links(part, file)
    else:
        part.unlink()


def _claim_without_links(part: Path, file: Path) -> None:
    """Take the name with an empty file, which only one writer can, then rename over it."""
    os.close(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666))
    try:
        part.replace(file)
    except BaseException:
        file.unlink(missing_ok=True)
        raise


def flush_folder(folder: Path) -> None:
    """Make new names in a folder survive a power cut, where the system can."""
    if os.name != "posix":
        return
    # the file already stands under its name; a folder that cannot be flushed must not report a failed write
    with contextlib.suppress(OSError):
        directory = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)

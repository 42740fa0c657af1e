"""Where a file is written to: whole or not at all, never over the photo it came from."""

import errno
import os
import shutil
import stat
from pathlib import Path

from nightsharp._atomic import write_atomically
from nightsharp.errors import PhotoError, UsageError

_FULL = {errno.ENOSPC, errno.EDQUOT}
_FORBIDDEN = {errno.EACCES, errno.EPERM, errno.EROFS}


def check_destination(path: str | os.PathLike[str], *, overwrite: bool = False, source: Path | None = None) -> Path:
    """Tell before the work starts whether its result could be written.

    Args:
        path: the file to be written.
        overwrite: whether an existing file may be replaced.
        source: the file that is never written over, by whatever name or link.

    Returns:
        The file that would be written; a symbolic link is followed.

    Raises:
        PhotoError: there is no such folder, it cannot be written to, or the name is taken.
        UsageError: it is the source itself.
    """
    target = Path(path)
    try:
        file = Path(os.path.realpath(target))
        facts = file.stat() if os.path.lexists(file) else None
        if facts is not None and source is not None and source.exists() and os.path.samestat(facts, source.stat()):
            raise UsageError(
                f"{target} is the photo itself; nightsharp never writes over its input. Choose another name."
            )
        if facts is not None and not stat.S_ISREG(facts.st_mode):
            raise PhotoError(f"{target} exists and is no plain file. Choose another name.")
        if facts is not None and not overwrite:
            raise _taken(target)
        if not file.parent.is_dir():
            raise PhotoError(f"{target}: there is no folder {file.parent}. Create it first.")
        if not os.access(file.parent, os.W_OK | os.X_OK):
            raise PhotoError(f"{target}: the folder {file.parent} cannot be written to. Choose another place.")
    except (OSError, ValueError) as problem:
        raise _untold(target, problem) from problem
    return file


def write_whole(
    path: str | os.PathLike[str], content: bytes | memoryview, *, overwrite: bool = False, source: Path | None = None
) -> Path:
    """Write a file whole or not at all.

    The bytes go to a hidden file in the same folder, to the disk, and then take the final name in one step.

    Args:
        path: the file to be written.
        content: its bytes.
        overwrite: whether an existing file may be replaced; the new one keeps its permissions.
        source: the file that is never written over, by whatever name or link.

    Returns:
        The file written.

    Raises:
        PhotoError: the place cannot be written; nothing is left behind and an old file is as it was.
        UsageError: it is the source itself.
    """
    file = check_destination(path, overwrite=overwrite, source=source)
    try:
        return write_atomically(file, content, overwrite=overwrite)
    except FileExistsError as problem:
        raise _taken(Path(path)) from problem
    except OSError as problem:
        if problem.errno in _FULL:
            free = shutil.disk_usage(file.parent).free
            raise PhotoError(
                f"{path}: the disk is full ({len(content) / 1e6:.1f} MB needed, {free / 1e6:.1f} MB free). "
                "Make room or choose another place; nothing was changed."
            ) from problem
        raise _untold(Path(path), problem) from problem


def _taken(target: Path) -> PhotoError:
    return PhotoError(f"{target} exists already. Choose another name, or allow it to be replaced (overwrite=True).")


def _untold(target: Path, problem: Exception) -> PhotoError:
    code = getattr(problem, "errno", None)
    if code == errno.ENAMETOOLONG:
        return PhotoError(f"{target}: the name is too long for this disk ({len(target.name)} characters). Shorten it.")
    if code in _FORBIDDEN:
        return PhotoError(f"{target} cannot be written: {os.strerror(code)}. Choose another place.")
    said = os.strerror(code) if code else str(problem)
    return PhotoError(f"{str(target)!r} cannot be written: {said}. Check the name and the disk; nothing was changed.")

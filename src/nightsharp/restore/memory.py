"""How much memory there is, how much is held, and how people write such numbers."""

import ctypes
import os
import re
import sys
from contextlib import suppress
from pathlib import Path

from nightsharp.errors import UsageError

_UNITS = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12, "KI": 2**10, "MI": 2**20, "GI": 2**30, "TI": 2**40}
_WRITTEN = re.compile(r"\s*(\d+(?:\.\d*)?|\.\d+)\s*([KMGT]?I?)B?\s*", re.IGNORECASE)
# Where the system does not tell: an interpreter with torch, and a small computer.
_USUALLY_HELD, _USUALLY_FREE = 450 * 10**6, 4 * 10**9


def parse_memory(written: int | str) -> int:
    """Bytes of ``"3GB"``, ``"512 MiB"``, ``"1.5G"`` or a number.

    Raises:
        UsageError: it is no amount of memory.

    Example:
        >>> parse_memory("3GB"), parse_memory("1.5 GiB"), parse_memory(1000)
        (3000000000, 1610612736, 1000)
    """
    if isinstance(written, int):
        count = written
    else:
        found = _WRITTEN.fullmatch(written)
        if found is None or found[2].upper() == "I":
            raise UsageError(f"{written!r} is no amount of memory. Write 3GB, 800MB or 2GiB.")
        count = int(float(found[1]) * _UNITS[found[2].upper()])
    if count <= 0:
        raise UsageError(f"a memory limit of {written} leaves nothing. Write 3GB, 800MB or 2GiB.")
    return count


def free_memory() -> int:
    """Bytes that this process may still take: what the machine has free, and what its control group leaves it.

    Example:
        >>> free_memory() > 10**6
        True
    """
    return min([_machine_free(), *_group_free()])


def held_memory() -> int:
    """Bytes that this process holds now.

    Example:
        >>> held_memory() > 10**7
        True
    """
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except (OSError, ValueError, IndexError):
        return peak_memory() or _USUALLY_HELD
    return pages * os.sysconf("SC_PAGE_SIZE")


def peak_memory() -> int | None:
    """The most memory this process has held so far, bytes; None where the system does not tell.

    Example:
        >>> (peak_memory() or 2**30) > 2**20
        True
    """
    try:
        # rusage counts what the parent held when it started this process
        status = Path("/proc/self/status").read_text(encoding="ascii", errors="replace")
        return 1024 * int(status.partition("VmHWM:")[2].split()[0])
    except (OSError, IndexError, ValueError):
        pass
    try:
        import resource
    except ImportError:
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def release_memory() -> None:
    """Give freed memory back to the system, where its allocator keeps it otherwise (glibc).

    Example:
        >>> release_memory()
    """
    if sys.platform == "linux":
        with suppress(AttributeError, OSError):
            ctypes.CDLL(None).malloc_trim(0)


def say_bytes(count: float) -> str:
    """Bytes for people.

    Example:
        >>> say_bytes(2.96e9), say_bytes(45e6)
        ('3.0 GB', '45 MB')
    """
    return f"{count / 1e9:.1f} GB" if count >= 1e8 else f"{count / 1e6:.0f} MB"


def _machine_free() -> int:
    try:
        for line in Path("/proc/meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    except (OSError, ValueError, IndexError):
        pass
    try:
        # no count of what is free: half of what there is
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2
    except (AttributeError, OSError, ValueError):
        return _USUALLY_FREE


def _group_free(root: Path = Path("/sys/fs/cgroup"), own: Path = Path("/proc/self/cgroup")) -> list[int]:
    """What control groups leave, from the innermost outwards: version 2, then version 1."""
    found = []
    try:
        lines = own.read_text().splitlines()
    except OSError:
        return []
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controllers == "":
            base, limit, used, cached = root, "memory.max", "memory.current", "inactive_file"
        elif "memory" in controllers.split(","):
            base, limit, used = root / "memory", "memory.limit_in_bytes", "memory.usage_in_bytes"
            cached = "total_inactive_file"
        else:
            continue
        inner = base / path.lstrip("/")
        for group in (inner, *inner.parents):
            if group != base and base not in group.parents:
                break
            try:
                most, now = int((group / limit).read_text()), int((group / used).read_text())
            except (OSError, ValueError):
                # "max", or a group that cannot be seen from here
                continue
            # files that were read count as used until somebody needs the room
            found.append(max(0, most - now + _counted(group / "memory.stat", cached)))
    return found


def _counted(statistics: Path, name: str) -> int:
    try:
        lines = statistics.read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith(f"{name} ")), 0)

"""A set that is not there."""

from collections.abc import Sequence
from pathlib import Path

from nightsharp.errors import NightsharpError


class MissingBenchmark(NightsharpError):  # noqa: N818 - it says what it is
    """A benchmark set is not in the data folder, or is laid out otherwise; the message says where to get it."""

    exit_code = 3


def find_folder(data: Path, places: Sequence[str]) -> Path | None:
    """The first of ``places`` that exists in ``data`` or in its folder ``bench``."""
    for root in (data, data / "bench"):
        for place in places:
            if (root / place).is_dir():
                return root / place
    return None

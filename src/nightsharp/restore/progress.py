"""Telling how far the work is."""

from collections.abc import Callable

StageProgress = Callable[[str, int, int], None]
"""Called with (what is being done, steps done, steps at most)."""


def stage(progress: StageProgress | None, name: str) -> Callable[[int, int], None] | None:
    """What one part of the work tells its steps to; None where nobody listens."""
    return None if progress is None else lambda done, most: progress(name, done, most)


def tell(progress: StageProgress | None, name: str, done: int, most: int) -> None:
    """Tell where anybody listens."""
    if progress is not None:
        progress(name, done, most)

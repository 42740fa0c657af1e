"""How long work reports its progress and is asked to stop."""

from collections.abc import Callable

from nightsharp.errors import Cancelled

Progress = Callable[[int, int], None]
"""Called with (steps done, steps at most) after each step."""

Cancel = Callable[[], bool]
"""Asked before each step; True stops the work with :class:`nightsharp.errors.Cancelled`."""


def tick(done: int, total: int, progress: Progress | None, cancel: Cancel | None) -> None:
    """Report a step and stop when asked to.

    Raises:
        Cancelled: ``cancel`` answered True.
    """
    if progress is not None:
        progress(done, total)
    if cancel is not None and cancel():
        raise Cancelled(f"stopped after step {done} of {total}, as asked.")

"""Progress bars on stderr, for people who wait longer than a second."""

import sys
import time
from types import TracebackType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

_PATIENCE = 1.0


class Bars:
    """One bar per stage of the work, drawn only on a terminal and only when it takes a while.

    Example:
        >>> with Bars(False) as bars:
        ...     bars.advance("restoring", 1, 2)
    """

    def __init__(self, wanted: bool) -> None:
        self._wanted = wanted and sys.stderr.isatty()
        self._started = time.monotonic()
        self._progress: Progress | None = None
        self._tasks: dict[str, TaskID] = {}
        self._about = ""

    def __enter__(self) -> "Bars":
        """Start the clock."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Take the bars away."""
        self.pause()

    def about(self, name: str) -> None:
        """Begin with another photograph."""
        self.pause()
        self._started = time.monotonic()
        self._about = name

    def advance(self, stage: str, done: int, most: int) -> None:
        """Move the bar of a stage; the bars appear once the work has taken a second."""
        if not self._wanted or (self._progress is None and time.monotonic() - self._started < _PATIENCE):
            return
        if self._progress is None:
            self._progress = _draw()
            self._progress.start()
        if stage not in self._tasks:
            for task in self._tasks.values():
                self._progress.update(task, visible=False)
            self._tasks[stage] = self._progress.add_task(f"{self._about}: {stage}", total=most)
        self._progress.update(self._tasks[stage], completed=done, total=most)

    def pause(self) -> None:
        """Take the bars away while something is printed."""
        if self._progress is not None:
            self._progress.stop()
        self._progress = None
        self._tasks = {}


def _draw() -> "Progress":
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    return Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    )

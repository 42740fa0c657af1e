"""How much of a schedule is behind: by steps, or by minutes when time is limited."""

import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass
class Clock:
    """The progress of one schedule, kept over interruptions.

    Attributes:
        steps: of the schedule.
        minutes: after which the schedule has to be through, all its runs together; None: only steps count.
        first: the step that the schedule began with.
        spent: seconds of this schedule in earlier runs.
        now: the clock, in seconds.

    Example:
        >>> Clock(steps=100, first=50).progress(75)
        0.25
    """

    steps: int
    minutes: float | None = None
    first: int = 0
    spent: float = 0.0
    now: Callable[[], float] = time.monotonic

    def __post_init__(self) -> None:
        """Start to count."""
        self._started = self.now()

    @property
    def seconds(self) -> float:
        """Time in this schedule so far, earlier runs included."""
        return self.spent + self.now() - self._started

    def progress(self, step: int) -> float:
        """The fraction of the schedule that is behind before this step, 0 to 1."""
        by_steps = (step - self.first) / self.steps
        by_time = 0.0 if self.minutes is None else self.seconds / (60 * self.minutes)
        return min(1.0, max(by_steps, by_time))

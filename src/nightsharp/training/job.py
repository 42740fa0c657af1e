"""What a training run is asked for, what it says on the way, and what it leaves."""

from dataclasses import dataclass
from pathlib import Path

from nightsharp.errors import NightsharpError
from nightsharp.training.curve import Row
from nightsharp.training.recipe import Recipe


class DivergedError(NightsharpError):
    """The loss stopped being a number, and going back to earlier weights did not help."""

    exit_code = 1


@dataclass(frozen=True)
class Job:
    """A training run.

    Attributes:
        recipe: what is learned and how.
        data: a folder of sharp photographs.
        out: the folder for everything that the run leaves.
        resume: go on from the state in ``out``, if there is one.
        minutes: after which the schedule has to be through; None: the recipe's steps count.
        workers: processes beside each training process that read photographs and, on a CPU, make the pairs.
    """

    recipe: Recipe
    data: Path
    out: Path
    resume: bool = False
    minutes: float | None = None
    workers: int = 0

    @property
    def state(self) -> Path:
        """From which the run goes on."""
        return self.out / "state.safetensors"

    @property
    def weights(self) -> Path:
        """The mean of the weights in half precision, with its card."""
        return self.out / f"{self.recipe.name}.safetensors"

    @property
    def curve(self) -> Path:
        """The learning curve."""
        return self.out / "curve.json"


@dataclass(frozen=True)
class Event:
    """What happened last.

    Attributes:
        progress: the fraction of the schedule that is behind.
        step: batches behind, over all schedules.
        row: the validation, where there was one.
        words: anything else that is worth a line.
    """

    progress: float
    step: int
    row: Row | None = None
    words: str | None = None


@dataclass(frozen=True)
class Trained:
    """What a run left.

    Attributes:
        weights: the file with the mean of the weights.
        state: the file from which the run goes on.
        curve: the file with the learning curve.
        rows: its validations.
    """

    weights: Path
    state: Path
    curve: Path
    rows: tuple[Row, ...]

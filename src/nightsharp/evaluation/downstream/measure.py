"""Before and after: what a reader gains by the restoration."""

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from torch import Tensor

from nightsharp.errors import NightsharpError, PhotoError, UsageError
from nightsharp.evaluation.downstream.interval import interval
from nightsharp.evaluation.downstream.items import Item, Shot
from nightsharp.evaluation.downstream.task import EVERY, Ratio, Task, pooled

ALL = "all"


@dataclass(frozen=True)
class Row:
    """One picture.

    Attributes:
        name: of the item.
        scene: the same for pictures of the same thing.
        before: the blurred picture's score for each class.
        after: the restored one's.
        ceiling: the sharp one's, where the text is known; empty elsewhere, as the sharp one's answer is the truth.
        error: what went wrong; scores are then empty.
    """

    name: str
    scene: str
    before: dict[str, Ratio] = field(default_factory=dict)
    after: dict[str, Ratio] = field(default_factory=dict)
    ceiling: dict[str, Ratio] = field(default_factory=dict)
    error: str | None = None


@dataclass(frozen=True)
class Gain:
    """The figures of one class, or of all.

    Attributes:
        images: how many pictures count.
        before: the score of the blurred pictures.
        after: of the restored ones.
        ceiling: of the sharp ones, where that is measured.
    """

    images: int
    before: float
    after: float
    ceiling: float | None


@dataclass(frozen=True)
class Measured:
    """A measurement.

    Attributes:
        task: the task's name.
        measure: what is counted.
        rising: whether a higher score is better.
        model: the reader.
        source: what was restored, and by what.
        rows: the pictures, those that failed too.
        nothing: names of pictures whose truth is empty; they count in no figure.
    """

    task: str
    measure: str
    rising: bool
    model: str
    source: str
    rows: tuple[Row, ...]
    nothing: tuple[str, ...]

    @property
    def done(self) -> tuple[Row, ...]:
        """The pictures that were measured."""
        return tuple(row for row in self.rows if row.error is None)

    @property
    def gains(self) -> list[float]:
        """By how much each measured picture got better, > 0 for better."""
        pairs = [(pooled(row.before), pooled(row.after)) for row in self.done]
        return [after - before if self.rising else before - after for before, after in pairs]

    @property
    def mean(self) -> Gain:
        """Means over the pictures."""
        done = self.done
        if not done:
            return Gain(0, 0.0, 0.0, None)
        ceiling = sum(pooled(row.ceiling) for row in done) / len(done) if all(row.ceiling for row in done) else None
        before = sum(pooled(row.before) for row in done) / len(done)
        after = sum(pooled(row.after) for row in done) / len(done)
        return Gain(len(done), before, after, ceiling)

    @property
    def confidence(self) -> tuple[float, float] | None:
        """The 95 % interval of the mean gain; None with fewer than two scenes."""
        return interval(self.gains, [row.scene for row in self.done])

    @property
    def classes(self) -> dict[str, Gain]:
        """Scores pooled over the pictures, for each class."""
        labels = sorted({label for row in self.done for label in (*row.before, *row.after)})
        return {label: self._pool(label) for label in labels}

    def _pool(self, label: str) -> Gain:
        rows = [row for row in self.done if label in row.before or label in row.after]

        def total(scores: Iterable[dict[str, Ratio]]) -> float:
            return sum((score[label] for score in scores if label in score), Ratio(0, 0)).value

        ceiling = total(row.ceiling for row in rows) if all(row.ceiling for row in rows) else None
        return Gain(len(rows), total(row.before for row in rows), total(row.after for row in rows), ceiling)


def measure(
    task: Task,
    items: Iterable[Item],
    *,
    source: str,
    progress: Callable[[str, int, int], None] | None = None,
    count: int = 0,
) -> Measured:
    """Let the reader look at every picture before and after, and compare with the truth.

    The truth is the known text, else the reader's own answer for the sharp picture: then its mistakes count for
    nothing, and only what the blur took and the restoration gave back does.

    Args:
        task: the reader and its score.
        items: the pictures.
        source: what they are and what restored them, for the report.
        progress: called as ``progress(stage, done, most)``.
        count: how many items there will be, for the progress.

    Raises:
        UsageError: there is no item.
    """
    rows, nothing = [], []
    for number, item in enumerate(items):
        if progress is not None:
            progress("measuring", number, max(count, number + 1))
        try:
            row = _look(task, item, item.load())
        except NightsharpError as problem:
            rows.append(Row(item.name, item.name, error=f"{type(problem).__name__}: {problem}"))
            continue
        if row is None:
            nothing.append(item.name)
        else:
            rows.append(row)
    if not rows and not nothing:
        raise UsageError("there is no picture to measure.")
    return Measured(task.name, task.measure, task.rising, task.model, source, tuple(rows), tuple(nothing))


def _look(task: Task, item: Item, shot: Shot) -> Row | None:
    known = shot.text is not None and task.name == "ocr"
    if not known and shot.sharp is None:
        raise UsageError(f"{item.name}: without its text or the sharp picture nothing can be compared.")
    sizes = {image.shape[-2:] for image in (shot.blurred, shot.restored, shot.sharp) if image is not None}
    if task.name != "ocr" and len(sizes) > 1:
        listed = ", ".join(f"{height} x {width}" for height, width in sorted(sizes))
        raise PhotoError(f"{item.name}: the pictures differ in size ({listed}); places in them cannot be compared.")
    on_sharp = None if shot.sharp is None else task.read(shot.sharp)
    truth = shot.text if known else on_sharp
    if task.is_empty(truth):
        return None

    def scores(answer: object) -> dict[str, Ratio]:
        found = task.compare(answer, truth)
        return {item.group or ALL: found[EVERY]} if EVERY in found else found

    return Row(
        item.name,
        item.name if shot.sharp is None else _digest(shot.sharp),
        scores(task.read(shot.blurred)),
        scores(task.read(shot.restored)),
        scores(on_sharp) if known and on_sharp is not None else {},
    )


def _digest(image: Tensor) -> str:
    """Pictures with the same truth show the same scene."""
    return hashlib.sha256((image.clamp(0, 1) * 255).round().byte().numpy().tobytes()).hexdigest()[:12]

"""What a task is: a reader of pictures, and a score that says how well its answer agrees with the truth."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from jaxtyping import Float
from torch import Tensor

EVERY = ""
"""The class of a task that knows no classes; the image's group stands in its place in the tables."""


@dataclass(frozen=True)
class Ratio:
    """A score as numerator and denominator, so that those of several images can be pooled.

    Example:
        >>> (Ratio(1, 4) + Ratio(3, 4)).value
        0.5
    """

    part: float
    whole: float

    def __add__(self, other: "Ratio") -> "Ratio":
        """Of both together."""
        return Ratio(self.part + other.part, self.whole + other.whole)

    @property
    def value(self) -> float:
        """The score; 0 / 0, nothing to find and nothing found, is 0."""
        return self.part / self.whole if self.whole else 0.0


def pooled(scores: Mapping[str, Ratio]) -> float:
    """The score of an image over all its classes."""
    return sum(scores.values(), Ratio(0, 0)).value


@runtime_checkable
class Task(Protocol):
    """A reader and its score.

    Attributes:
        name: ``ocr``, ``detect``, ``segment``.
        measure: what the score is called.
        rising: whether a higher score is better.
        model: which reader, with version or hash.
    """

    name: str
    measure: str
    rising: bool
    model: str

    def read(self, image: Float[Tensor, "channel height width"]) -> Any:
        """The answer for an image, display values in [0, 1]."""
        ...

    def is_empty(self, answer: Any) -> bool:
        """Whether there is nothing in an answer that could be found again."""
        ...

    def compare(self, answer: Any, truth: Any) -> dict[str, Ratio]:
        """How well an answer agrees with the truth, for each class."""
        ...

"""Where each class is, pixel by pixel, and the intersection over union."""

from collections.abc import Callable

import numpy as np
from jaxtyping import Float
from torch import Tensor

from nightsharp.evaluation.downstream.detect import as_bytes
from nightsharp.evaluation.downstream.task import Ratio

Masks = dict[str, np.ndarray]
"""For each class (height, width) booleans: which pixels belong to it."""


def intersection_over_union(found: Masks, truth: Masks) -> dict[str, Ratio]:
    """Pixels of a class in both, of pixels of the class in either.

    Example:
        >>> one, other = np.array([[True, True, False]]), np.array([[False, True, True]])
        >>> round(intersection_over_union({"road": one}, {"road": other})["road"].value, 3)
        0.333
    """
    scores = {}
    for label in sorted(found.keys() | truth.keys()):
        some = found.get(label, truth.get(label))
        assert some is not None
        nothing = np.zeros_like(some)
        one, other = found.get(label, nothing), truth.get(label, nothing)
        scores[label] = Ratio(float((one & other).sum()), float((one | other).sum()))
    return scores


class Segmentation:
    """A segmenter's masks, scored by intersection over union, all instances of a class together.

    Args:
        segmenter: gives the masks of a picture, (height, width, 3) bytes in RGB.
        model: its name and version.
    """

    name = "segment"
    measure = "intersection over union"
    rising = True

    def __init__(self, segmenter: Callable[[np.ndarray], Masks], model: str) -> None:
        self._segmenter = segmenter
        self.model = model

    def read(self, image: Float[Tensor, "channel height width"]) -> Masks:
        """The classes' places in a picture."""
        return self._segmenter(as_bytes(image))

    def is_empty(self, answer: Masks) -> bool:
        """No pixel of any class."""
        return not any(mask.any() for mask in answer.values())

    def compare(self, answer: Masks, truth: Masks) -> dict[str, Ratio]:
        """Intersection over union of each class."""
        return intersection_over_union(answer, truth)

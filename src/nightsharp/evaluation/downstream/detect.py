"""Finding objects: boxes, their agreement, and the detectors that come with OpenCV."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float
from torch import Tensor

from nightsharp.errors import UsageError, how_to_install
from nightsharp.evaluation.downstream.task import Ratio

OVERLAP = 0.5
"""Intersection over union from which two boxes are of the same object."""


@dataclass(frozen=True)
class Box:
    """An object that was found.

    Attributes:
        label: its class.
        score: how sure the detector is.
        left: of the box, pixels; so are top, right, bottom.
    """

    label: str
    score: float
    left: float
    top: float
    right: float
    bottom: float

    @property
    def area(self) -> float:
        """Pixels inside."""
        return max(0.0, self.right - self.left) * max(0.0, self.bottom - self.top)


def overlap(one: Box, other: Box) -> float:
    """Intersection over union.

    Example:
        >>> overlap(Box("a", 1, 0, 0, 2, 2), Box("a", 1, 1, 0, 3, 2))
        0.3333333333333333
    """
    width = min(one.right, other.right) - max(one.left, other.left)
    height = min(one.bottom, other.bottom) - max(one.top, other.top)
    common = max(0.0, width) * max(0.0, height)
    return common / (one.area + other.area - common) if common else 0.0


def agreement(found: Iterable[Box], truth: Iterable[Box]) -> dict[str, Ratio]:
    r"""The F1 score of each class, one object for one box, surest boxes first.

    .. math:: F_1 = \frac{2\,TP}{2\,TP + FP + FN}

    Example:
        >>> there = [Box("face", 1, 0, 0, 10, 10)]
        >>> agreement([Box("face", 0.9, 1, 0, 11, 10), Box("face", 0.4, 50, 50, 60, 60)], there)["face"].value
        0.6666666666666666
    """
    boxes, objects = list(found), list(truth)
    scores = {}
    for label in sorted({box.label for box in (*boxes, *objects)}):
        mine = sorted((box for box in boxes if box.label == label), key=lambda box: -box.score)
        left = [box for box in objects if box.label == label]
        count = len(mine) + len(left)
        hits = 0
        for box in mine:
            best = max(left, key=lambda other: overlap(box, other), default=None)
            if best is not None and overlap(box, best) >= OVERLAP:
                left.remove(best)
                hits += 1
        scores[label] = Ratio(2 * hits, count)
    return scores


class Detection:
    """A detector's boxes, scored by F1 at half overlap.

    Args:
        detector: gives the boxes of a picture, (height, width, 3) bytes in RGB.
        model: its name and version.
    """

    name = "detect"
    measure = f"F1 at overlap {OVERLAP:g}"
    rising = True

    def __init__(self, detector: Callable[[np.ndarray], list[Box]], model: str) -> None:
        self._detector = detector
        self.model = model

    def read(self, image: Float[Tensor, "channel height width"]) -> list[Box]:
        """The objects in a picture."""
        return self._detector(as_bytes(image))

    def is_empty(self, answer: list[Box]) -> bool:
        """No object."""
        return not answer

    def compare(self, answer: list[Box], truth: list[Box]) -> dict[str, Ratio]:
        """F1 of each class."""
        return agreement(answer, truth)


def as_bytes(image: Float[Tensor, "channel height width"]) -> np.ndarray:
    """A picture as detectors take it: (height, width, 3) bytes in RGB."""
    values = (image.clamp(0, 1) * 255).round().byte().permute(1, 2, 0).cpu().numpy()
    return np.ascontiguousarray(np.repeat(values, 3, axis=2) if values.shape[-1] == 1 else values)


class OpenCvDetector:
    """The detectors inside opencv-python: people by gradient histograms, faces by Haar cascades; no download.

    Raises:
        UsageError: OpenCV is not installed, or has no detectors (OpenCV 5 moved them away).

    Sources: Dalal and Triggs, CVPR 2005; Viola and Jones, CVPR 2001.
    """

    cascades = (("face", "haarcascade_frontalface_default.xml"), ("cat face", "haarcascade_frontalcatface.xml"))

    def __init__(self) -> None:
        try:
            import cv2
        except (ImportError, RuntimeError, OSError) as problem:
            raise UsageError(
                f"this detector needs OpenCV ({problem}). Install it in nightsharp's folder: "
                f"{how_to_install('downstream')}"
            ) from problem
        if not hasattr(cv2, "CascadeClassifier") or not hasattr(cv2, "HOGDescriptor"):
            raise UsageError(
                f"OpenCV {cv2.__version__} has no cascades. Older ones have: pip install 'opencv-python-headless<5'."
            )
        self._cv2: Any = cv2
        folder = Path(self._cv2.data.haarcascades)
        self._cascades = [(label, cv2.CascadeClassifier(str(folder / file))) for label, file in self.cascades]
        self._people: Any = cv2.HOGDescriptor()
        self._people.setSVMDetector(cv2.HOGDescriptor.getDefaultPeopleDetector())
        self.model = f"OpenCV {cv2.__version__}: people (HOG), faces and cat faces (Haar cascades)"

    def __call__(self, picture: np.ndarray) -> list[Box]:
        """The people and faces in a picture."""
        grey = self._cv2.cvtColor(picture, self._cv2.COLOR_RGB2GRAY)
        found = []
        for label, cascade in self._cascades:
            # at least 24 px: smaller patches are found in any texture
            rectangles, _, sure = cascade.detectMultiScale3(grey, 1.1, 5, minSize=(24, 24), outputRejectLevels=True)
            found += [_box(label, score, place) for place, score in zip(rectangles, np.ravel(sure), strict=True)]
        if grey.shape[0] >= 128 and grey.shape[1] >= 64:
            rectangles, sure = self._people.detectMultiScale(grey, winStride=(8, 8), scale=1.05)
            people = [_box("person", score, place) for place, score in zip(rectangles, np.ravel(sure), strict=True)]
            found += _strongest(people)
        return found


def _box(label: str, score: float, rectangle: Any) -> Box:
    left, top, width, height = (float(value) for value in rectangle)
    return Box(label, float(score), left, top, left + width, top + height)


def _strongest(boxes: list[Box]) -> list[Box]:
    """Without boxes that overlap a surer one."""
    kept: list[Box] = []
    for box in sorted(boxes, key=lambda box: -box.score):
        if all(overlap(box, other) < OVERLAP for other in kept):
            kept.append(box)
    return kept

"""A user's own detector or segmenter, as an ONNX file."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from nightsharp.errors import UsageError, WeightsError, how_to_install
from nightsharp.evaluation.downstream.detect import Box
from nightsharp.evaluation.downstream.segment import Masks

SURE = 0.5
"""Score from which an object counts, and probability from which a pixel of a mask does."""


class OnnxModel:
    """An ONNX file with one image input, run on the CPU.

    The image goes in as ``(1, 3, height, width)`` float32, RGB in [0, 1]; where the file fixes height and width it is
    resized, and what is found is scaled back. Outputs are told by their names, as torchvision's detectors export them:

    - ``boxes`` (n, 4) left, top, right, bottom in pixels, ``scores`` (n,), ``labels`` (n,);
    - ``masks`` (n, 1, height, width) probabilities besides these;
    - or a single output (1, classes, height, width): scores of each class at each pixel, class 0 the background.

    Class names stand in the file's metadata under ``classes``, a JSON list; else classes are numbers.

    Args:
        file: the ``.onnx`` file.

    Raises:
        UsageError: onnxruntime is not installed.
        WeightsError: the file is missing, no ONNX, or takes something else than one image.
    """

    def __init__(self, file: Path) -> None:
        try:
            import onnxruntime
        except (ImportError, RuntimeError, OSError) as problem:
            raise UsageError(
                f"an ONNX model needs onnxruntime ({problem}). Install it in nightsharp's folder: "
                f"{how_to_install('downstream')}"
            ) from problem
        if not file.is_file():
            raise WeightsError(f"{file}: there is no such model. Check the path.")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        try:
            self._session = onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])
        except Exception as problem:
            # onnxruntime's own exceptions share no base class
            words = str(problem).splitlines()[0]
            raise WeightsError(f"{file}: not a model that onnxruntime runs ({words}).") from problem
        self._file = file
        inputs = self._session.get_inputs()
        if len(inputs) != 1 or len(inputs[0].shape) != 4 or inputs[0].type != "tensor(float)":
            taken = ", ".join(f"{entry.name} {entry.type} {entry.shape}" for entry in inputs)
            raise WeightsError(f"{file}: takes {taken}; one float input (1, 3, height, width) is expected.")
        self._input = inputs[0]
        self._outputs = [output.name for output in self._session.get_outputs()]
        self._classes = self._class_names()
        digest = hashlib.sha256(file.read_bytes()).hexdigest()[:12]
        self.model = f"{file.name}, sha256 {digest}"

    def _class_names(self) -> list[str]:
        text = self._session.get_modelmeta().custom_metadata_map.get("classes")
        if text is None:
            return []
        try:
            return [str(name) for name in json.loads(text)]
        except (ValueError, TypeError) as problem:
            raise WeightsError(f"{self._file}: its metadata 'classes' is no JSON list ({problem}).") from problem

    def _name(self, label: int) -> str:
        return self._classes[label] if 0 <= label < len(self._classes) else f"class {label}"

    def _run(self, picture: np.ndarray) -> tuple[dict[str, np.ndarray], tuple[float, float]]:
        """The outputs, and by how much the picture was resized (across, down)."""
        height, width = picture.shape[:2]
        rows, columns = (
            side if isinstance(side, int) else own
            for side, own in zip(self._input.shape[2:], (height, width), strict=True)
        )
        if (rows, columns) != (height, width):
            picture = np.asarray(Image.fromarray(picture).resize((columns, rows), Image.Resampling.BILINEAR))
        fed = np.ascontiguousarray(picture.transpose(2, 0, 1)[None].astype(np.float32) / 255)
        try:
            given: Any = self._session.run(None, {self._input.name: fed})
        except Exception as problem:
            words = str(problem).splitlines()[0]
            raise WeightsError(f"{self._file}: fails on a picture of {width} x {height} ({words}).") from problem
        named = {name: np.asarray(value) for name, value in zip(self._outputs, given, strict=True)}
        return named, (columns / width, rows / height)

    def boxes(self, picture: np.ndarray) -> list[Box]:
        """The objects in a picture.

        Raises:
            WeightsError: the model has no ``boxes``, ``scores`` and ``labels``.
        """
        self._check_has("boxes", "scores", "labels")
        found, (across, down) = self._run(picture)
        return [
            Box(self._name(int(label)), float(score), *(float(v) for v in box / (across, down, across, down)))
            for box, score, label in zip(found["boxes"], found["scores"], found["labels"], strict=True)
            if score >= SURE
        ]

    def masks(self, picture: np.ndarray) -> Masks:
        """The classes' places in a picture.

        Raises:
            WeightsError: the model gives neither ``masks`` nor the scores of classes at each pixel.
        """
        height, width = picture.shape[:2]
        found, _ = self._run(picture)
        if "masks" in found:
            self._check_has("scores", "labels")
            return instance_masks(found["masks"], found["scores"], found["labels"], self._name, (height, width))
        scores = next(iter(found.values()))
        if len(found) != 1 or scores.ndim != 4 or scores.shape[1] < 2:
            shapes = ", ".join(f"{name} {value.shape}" for name, value in found.items())
            raise WeightsError(f"{self._file}: gives {shapes}; masks, or (1, classes, height, width), are expected.")
        chosen = _resized(scores[0].argmax(axis=0).astype(np.uint8), (height, width))
        return {self._name(int(label)): chosen == label for label in np.unique(chosen) if label}

    def _check_has(self, *names: str) -> None:
        missing = [name for name in names if name not in self._outputs]
        if missing:
            raise WeightsError(
                f"{self._file}: no output {', '.join(missing)} (it has {', '.join(self._outputs)}). "
                "Export it with these names."
            )


def instance_masks(
    masks: np.ndarray, scores: np.ndarray, labels: np.ndarray, name: Callable[[int], str], size: tuple[int, int]
) -> Masks:
    """All sure instances of each class together.

    Args:
        masks: (n, 1, rows, columns) probabilities.
        scores: (n,).
        labels: (n,), numbers.
        name: from a number to the class.
        size: height and width of the picture.
    """
    joined: Masks = {}
    for mask, score, label in zip(masks, scores, labels, strict=True):
        if score >= SURE:
            here = _resized((mask[0] >= SURE).astype(np.uint8), size) > 0
            joined[name(int(label))] = joined.get(name(int(label)), np.zeros(size, bool)) | here
    return joined


def _resized(values: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    if values.shape == size:
        return values
    return np.asarray(Image.fromarray(values).resize((size[1], size[0]), Image.Resampling.NEAREST))

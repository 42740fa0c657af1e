"""The tasks by name, with the reader that the user chose."""

from pathlib import Path

from nightsharp.errors import UsageError
from nightsharp.evaluation.downstream.detect import Detection, OpenCvDetector
from nightsharp.evaluation.downstream.ocr import Ocr
from nightsharp.evaluation.downstream.onnx_model import OnnxModel
from nightsharp.evaluation.downstream.segment import Segmentation
from nightsharp.evaluation.downstream.task import Task
from nightsharp.evaluation.downstream.torchvision_model import KINDS, TorchvisionModel

TASKS = ("ocr", "detect", "segment")


def make_task(name: str, model: str | None = None) -> Task:
    """A task with its reader.

    Args:
        name: ``"ocr"``, ``"detect"``, ``"segment"``.
        model: of ``ocr`` a language of tesseract (``"eng"``); of the others an ``.onnx`` file, or torchvision's with
            its weights: ``"fasterrcnn:FILE"``, ``"maskrcnn:FILE"``. None detects with what OpenCV brings.

    Raises:
        UsageError: no such task or model, or what it needs is not installed.
        WeightsError: the model's file is missing or not one.

    Example:
        >>> make_task("paint")
        Traceback (most recent call last):
        nightsharp.errors.UsageError: the task 'paint' is unknown. There are ocr, detect, segment.
    """
    if name == "ocr":
        return Ocr(model or "eng")
    if name not in TASKS:
        raise UsageError(f"the task {name!r} is unknown. There are {', '.join(TASKS)}.")
    if model is None:
        if name == "segment":
            raise UsageError("segmenting needs a model. Give --model model.onnx, or --model maskrcnn:weights.pth.")
        detector = OpenCvDetector()
        return Detection(detector, detector.model)
    chosen = _network(name, model)
    return Detection(chosen.boxes, chosen.model) if name == "detect" else Segmentation(chosen.masks, chosen.model)


def _network(task: str, model: str) -> OnnxModel | TorchvisionModel:
    kind, _, file = model.partition(":")
    if kind in KINDS and file:
        if task == "segment" and kind != "maskrcnn":
            raise UsageError(f"{kind} draws no masks. Segment with maskrcnn:{file}.")
        return TorchvisionModel(kind, Path(file))
    if Path(model).suffix.lower() == ".onnx":
        return OnnxModel(Path(model))
    raise UsageError(f"the model {model!r} is no .onnx file, nor {' nor '.join(f'{kind}:FILE' for kind in KINDS)}.")

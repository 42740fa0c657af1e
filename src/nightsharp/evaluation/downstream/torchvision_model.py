"""torchvision's Faster R-CNN and Mask R-CNN, with weights from a file."""

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import torch

from nightsharp.errors import UsageError, WeightsError
from nightsharp.evaluation.downstream.detect import Box
from nightsharp.evaluation.downstream.onnx_model import SURE, instance_masks
from nightsharp.evaluation.downstream.segment import Masks

KINDS = {
    "fasterrcnn": ("fasterrcnn_resnet50_fpn", "FasterRCNN_ResNet50_FPN_Weights"),
    "maskrcnn": ("maskrcnn_resnet50_fpn", "MaskRCNN_ResNet50_FPN_Weights"),
}


class TorchvisionModel:
    """A detector of torchvision, ResNet-50 with a feature pyramid, trained on COCO.

    Args:
        kind: ``"fasterrcnn"`` or ``"maskrcnn"``.
        file: its state dict, as torchvision publishes it (``fasterrcnn_resnet50_fpn_coco-258fb6c6.pth``,
            ``maskrcnn_resnet50_fpn_coco-bf2d0c1e.pth``).

    Raises:
        UsageError: torchvision is not installed or does not load beside this torch.
        WeightsError: the file is missing or holds other weights.
    """

    def __init__(self, kind: str, file: Path) -> None:
        try:
            from torchvision.models import detection  # pyright: ignore[reportMissingImports]
        except (ImportError, RuntimeError, OSError) as problem:
            raise UsageError(
                f"torchvision does not load here ({str(problem).splitlines()[0]}). Install the build that belongs to "
                f"torch {torch.__version__} (see pytorch.org), or give an ONNX model instead."
            ) from problem
        if not file.is_file():
            raise WeightsError(f"{file}: there is no such weight file. Check the path.")
        builder, weights = KINDS[kind]
        self._categories: list[str] = getattr(detection, weights).COCO_V1.meta["categories"]
        network = getattr(detection, builder)(weights=None, weights_backbone=None, num_classes=len(self._categories))
        try:
            network.load_state_dict(torch.load(file, map_location="cpu", weights_only=True))
        except (pickle.UnpicklingError, RuntimeError, EOFError, TypeError, AttributeError) as problem:
            words = str(problem).splitlines()[0]
            raise WeightsError(f"{file}: not the weights of torchvision's {builder} ({words}).") from problem
        self._network = network.eval()
        self.model = f"torchvision {builder}, {file.name}"

    def _run(self, picture: np.ndarray) -> dict[str, np.ndarray]:
        image = torch.from_numpy(picture).permute(2, 0, 1).float() / 255
        with torch.no_grad():
            found: dict[str, Any] = self._network([image])[0]
        return {name: value.numpy() for name, value in found.items()}

    def _name(self, label: int) -> str:
        return self._categories[label]

    def boxes(self, picture: np.ndarray) -> list[Box]:
        """The objects in a picture."""
        found = self._run(picture)
        return [
            Box(self._name(int(label)), float(score), *(float(value) for value in box))
            for box, score, label in zip(found["boxes"], found["scores"], found["labels"], strict=True)
            if score >= SURE
        ]

    def masks(self, picture: np.ndarray) -> Masks:
        """The classes' places in a picture."""
        found = self._run(picture)
        size = (picture.shape[0], picture.shape[1])
        return instance_masks(found["masks"], found["scores"], found["labels"], self._name, size)

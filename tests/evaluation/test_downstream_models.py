"""A user's own model is taken by the names of its outputs, or refused with what it lacks."""

import json
import sys
import types
from pathlib import Path

import numpy as np
import pytest
import torch

from nightsharp.errors import UsageError, WeightsError
from nightsharp.evaluation.downstream import Item, Shot, make_task, measure
from nightsharp.evaluation.downstream.detect import Detection
from nightsharp.evaluation.downstream.segment import Segmentation

onnx = pytest.importorskip("onnx", reason="pip install '.[export]'")
pytest.importorskip("onnxruntime", reason="pip install '.[downstream]'")
from onnx import TensorProto, helper  # noqa: E402 - after the check that it is there


def write(file: Path, nodes, outputs, *, size=("h", "w"), constants=(), classes=None) -> Path:
    """A model that takes one image."""
    image = helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, 3, *size])
    named = [helper.make_tensor_value_info(name, kind, None) for name, kind in outputs]
    graph = helper.make_graph(nodes, "model", [image], named, list(constants))
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    if classes is not None:
        model.metadata_props.add(key="classes", value=classes)
    onnx.save(model, file)
    return file


def constant(name: str, values: np.ndarray):
    return onnx.numpy_helper.from_array(values, name)


def lamps(file: Path, **keywords) -> Path:
    """A segmenter: class 1 is what is bright."""
    nodes = [
        helper.make_node("ReduceMean", ["image", "axis"], ["light"], keepdims=1),
        helper.make_node("Sub", ["one", "light"], ["dark"]),
        helper.make_node("Concat", ["dark", "light"], ["scores"], axis=1),
    ]
    constants = [constant("axis", np.array([1])), constant("one", np.ones(1, np.float32))]
    return write(file, nodes, [("scores", TensorProto.FLOAT)], constants=constants, **keywords)


def box_detector(file: Path, **keywords) -> Path:
    """A detector: always one box, as sure as the brightest pixel is bright; and its mask."""
    nodes = [
        helper.make_node("Identity", ["where"], ["boxes"]),
        helper.make_node("Identity", ["what"], ["labels"]),
        helper.make_node("ReduceMax", ["image", "axes"], ["scores"], keepdims=0),
        helper.make_node("ReduceMean", ["image", "channel"], ["masks"], keepdims=1),
    ]
    constants = [
        constant("where", np.array([[2, 4, 10, 12]], np.float32)),
        constant("what", np.array([1])),
        constant("axes", np.array([1, 2, 3])),
        constant("channel", np.array([1])),
    ]
    kinds = [("boxes", TensorProto.FLOAT), ("scores", TensorProto.FLOAT), ("labels", TensorProto.INT64)]
    return write(file, nodes, [*kinds, ("masks", TensorProto.FLOAT)], constants=constants, **keywords)


@pytest.fixture
def scene() -> torch.Tensor:
    """A lamp, 8 x 8, in the dark."""
    image = torch.full((3, 16, 24), 0.1)
    image[:, 4:12, 2:10] = 0.9
    return image


class TestOnnx:
    def test_a_detector_finds_its_box(self, tmp_path, scene):
        detect = make_task("detect", str(box_detector(tmp_path / "a.onnx", classes='["nothing", "lamp"]')))
        (box,) = detect.read(scene)
        assert (box.label, box.left, box.top, box.right, box.bottom) == ("lamp", 2, 4, 10, 12)
        assert box.score == pytest.approx(0.9, abs=0.01)
        assert detect.read(torch.zeros(3, 16, 24)) == []
        assert detect.model.startswith("a.onnx, sha256 ")

    def test_boxes_of_a_model_of_fixed_size_are_scaled_back(self, tmp_path, scene):
        detect = make_task("detect", str(box_detector(tmp_path / "a.onnx", size=(32, 12))))
        (box,) = detect.read(scene)
        # 24 x 16 went in as 12 x 32
        assert (box.left, box.top, box.right, box.bottom) == (4, 2, 20, 6)
        assert box.label == "class 1"

    @pytest.mark.parametrize("make", [lamps, box_detector])
    @pytest.mark.parametrize("size", [("h", "w"), (32, 48)], ids=str)
    def test_a_segmenter_finds_the_lamp(self, tmp_path, scene, make, size):
        masks = make_task("segment", str(make(tmp_path / "a.onnx", size=size))).read(scene)
        assert list(masks) == ["class 1"]
        expected = (scene[0] > 0.5).numpy()
        assert (masks["class 1"] != expected).mean() < 0.03

    def test_the_gain_of_a_restoration_is_measured(self, tmp_path, scene):
        task = make_task("segment", str(lamps(tmp_path / "a.onnx", classes='["dark", "lamp"]')))
        assert isinstance(task, Segmentation)
        blurred = torch.nn.functional.avg_pool2d(scene[None], 7, 1, 3)[0]
        measured = measure(task, [Item("a", "", lambda: Shot(blurred, scene, scene))], source="a lamp")
        assert measured.classes["lamp"].after == 1
        assert 0 < measured.classes["lamp"].before < 1
        assert measured.gains[0] == pytest.approx(1 - measured.classes["lamp"].before)

    def test_a_grey_picture_is_taken_as_colours(self, tmp_path, scene):
        segment = make_task("segment", str(lamps(tmp_path / "a.onnx")))
        assert (segment.read(scene[:1])["class 1"] == segment.read(scene)["class 1"]).all()

    def test_what_is_no_model_is_refused(self, tmp_path):
        with pytest.raises(WeightsError, match="no such model"):
            make_task("detect", str(tmp_path / "a.onnx"))
        (tmp_path / "a.onnx").write_bytes(b"no model")
        with pytest.raises(WeightsError, match="not a model that onnxruntime runs"):
            make_task("detect", str(tmp_path / "a.onnx"))

    def test_a_model_without_boxes_is_no_detector(self, tmp_path, scene):
        detect = make_task("detect", str(lamps(tmp_path / "a.onnx")))
        assert isinstance(detect, Detection)
        with pytest.raises(
            WeightsError, match=r"no output boxes, scores, labels \(it has scores\)|no output boxes, labels"
        ):
            detect.read(scene)

    def test_a_model_of_other_inputs_is_refused(self, tmp_path):
        node = helper.make_node("Identity", ["image"], ["scores"])
        image = helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, 10])
        out = helper.make_tensor_value_info("scores", TensorProto.FLOAT, None)
        model = helper.make_model(
            helper.make_graph([node], "model", [image], [out]),
            opset_imports=[helper.make_opsetid("", 18)],
            ir_version=10,
        )
        onnx.save(model, tmp_path / "a.onnx")
        with pytest.raises(WeightsError, match="one float input"):
            make_task("segment", str(tmp_path / "a.onnx"))

    def test_names_that_are_no_list_are_refused(self, tmp_path):
        with pytest.raises(WeightsError, match="no JSON list"):
            make_task("segment", str(lamps(tmp_path / "a.onnx", classes=json.dumps(7))))


class OneObject(torch.nn.Module):
    """What a detector of torchvision answers, for a torchvision that this machine need not have."""

    def __init__(self) -> None:
        super().__init__()
        self.place = torch.nn.Parameter(torch.zeros(4))

    def forward(self, images: list[torch.Tensor]) -> list[dict[str, torch.Tensor]]:
        boxes = torch.stack([self.place, self.place + 1])
        masks = (images[0][:1] > 0.5).float().expand(2, 1, -1, -1)
        return [{"boxes": boxes, "labels": torch.tensor([1, 2]), "scores": torch.tensor([0.9, 0.1]), "masks": masks}]


@pytest.fixture
def torchvision(monkeypatch):
    detection = types.ModuleType("torchvision.models.detection")
    weights = types.SimpleNamespace(COCO_V1=types.SimpleNamespace(meta={"categories": ["nothing", "lamp", "cat"]}))
    for name, kind in (("fasterrcnn", "FasterRCNN"), ("maskrcnn", "MaskRCNN")):
        setattr(detection, f"{name}_resnet50_fpn", lambda **_: OneObject())
        setattr(detection, f"{kind}_ResNet50_FPN_Weights", weights)
    models = types.ModuleType("torchvision.models")
    models.detection = detection  # pyright: ignore[reportAttributeAccessIssue]
    for name, module in (("torchvision", types.ModuleType("torchvision")), ("torchvision.models", models)):
        monkeypatch.setitem(sys.modules, name, module)
    monkeypatch.setitem(sys.modules, "torchvision.models.detection", detection)


class TestTorchvision:
    def test_its_weights_come_from_the_file_and_unsure_objects_do_not_count(self, torchvision, tmp_path, scene):
        torch.save({"place": torch.tensor([2.0, 4.0, 10.0, 12.0])}, tmp_path / "a.pth")
        (box,) = make_task("detect", f"fasterrcnn:{tmp_path / 'a.pth'}").read(scene)
        assert (box.label, box.left, box.top, box.right, box.bottom) == ("lamp", 2, 4, 10, 12)
        masks = make_task("segment", f"maskrcnn:{tmp_path / 'a.pth'}").read(scene)
        assert list(masks) == ["lamp"]
        assert (masks["lamp"] == (scene[0] > 0.5).numpy()).all()

    @pytest.mark.parametrize("content", [b"no weights", None], ids=["broken", "missing"])
    def test_a_file_that_is_not_its_weights_is_refused(self, torchvision, tmp_path, content):
        if content is not None:
            (tmp_path / "a.pth").write_bytes(content)
        with pytest.raises(WeightsError):
            make_task("detect", f"maskrcnn:{tmp_path / 'a.pth'}")

    def test_weights_of_another_network_are_refused(self, torchvision, tmp_path):
        torch.save({"other": torch.ones(2)}, tmp_path / "a.pth")
        with pytest.raises(WeightsError, match="not the weights of torchvision's fasterrcnn_resnet50_fpn"):
            make_task("detect", f"fasterrcnn:{tmp_path / 'a.pth'}")


def test_a_torchvision_that_does_not_load_is_told_with_the_other_way(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "torchvision", None)
    with pytest.raises(UsageError, match=r"torchvision does not load here .* or give an ONNX model instead"):
        make_task("detect", f"fasterrcnn:{tmp_path / 'a.pth'}")

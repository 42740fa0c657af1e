"""An exported network gives the same picture without torch, for images and PSFs of any size."""

import json
from collections.abc import Iterator
from contextlib import contextmanager

import jaxtyping
import pytest
import torch
from small_networks import NETWORKS, small

from nightsharp.errors import WeightsError
from nightsharp.weights import Card, export, load, onnx_export, save
from nightsharp.weights.file import CARD

onnxruntime = pytest.importorskip("onnxruntime", reason="pip install '.[export]'")


@contextmanager
def symbols_for_sizes() -> Iterator[None]:
    """While torch exports, sizes are symbols, which the checks of the tests take for no numbers."""
    jaxtyping.config.update("jaxtyping_disable", True)
    try:
        yield
    finally:
        jaxtyping.config.update("jaxtyping_disable", False)


@pytest.fixture(scope="module", params=NETWORKS)
def exported(request, tmp_path_factory):
    """A small network of the system, and its ONNX file."""
    folder = tmp_path_factory.mktemp(request.param)
    file = save(folder / "a.safetensors", small(request.param), Card(system=request.param, steps=7))
    with symbols_for_sizes():
        result = export(file, folder / "a.onnx")
    return load(file), result


def inputs(exported, height: int, width: int, psf: tuple[int, int]) -> dict[str, torch.Tensor]:
    """Another image and PSF than those that the export was compared on."""
    made = {}
    generator = torch.Generator().manual_seed(8)
    for name, shape in exported.inputs.items():
        size = psf if name == "psf" else (height, width)
        values = torch.rand(2, int(shape.split(" x ")[1]), *size, generator=generator)
        made[name] = values / values.sum(dim=(-2, -1), keepdim=True) if name == "psf" else values
    return made


@pytest.mark.parametrize(
    ("height", "width", "psf"), [(64, 64, (5, 5)), (32, 120, (13, 7)), (96, 48, (8, 8)), (48, 56, (21, 21))]
)
def test_onnxruntime_answers_as_torch_does(exported, height, width, psf):
    network, result = exported
    fed = inputs(result, height, width, psf)
    session = onnxruntime.InferenceSession(str(result.file), providers=["CPUExecutionProvider"])
    (found,) = session.run(None, {name: values.numpy() for name, values in fed.items()})
    expected = network(*fed.values())
    spread = float(expected.max() - expected.min())
    torch.testing.assert_close(torch.from_numpy(found), expected, rtol=0, atol=1e-3 * spread)


def test_the_difference_found_is_told(exported):
    assert 0 <= exported[1].difference < 1e-3


def test_the_file_carries_the_card(exported):
    session = onnxruntime.InferenceSession(str(exported[1].file), providers=["CPUExecutionProvider"])
    assert json.loads(session.get_modelmeta().custom_metadata_map[CARD])["steps"] == 7


def test_a_file_that_answers_otherwise_is_not_written(tmp_path, monkeypatch):
    file = save(tmp_path / "a.safetensors", small("nightwiener"), Card(system="nightwiener"))
    monkeypatch.setattr(onnx_export, "TOLERANCE", -1.0)
    with pytest.raises(WeightsError, match="the ONNX file differs from the network"):
        export(file, tmp_path / "a.onnx")
    assert not (tmp_path / "a.onnx").exists()

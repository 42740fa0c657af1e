"""A network as an ONNX file, for images of any size, compared with the original before it is handed out."""

import logging
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from nightsharp._atomic import write_atomically
from nightsharp.errors import UsageError, WeightsError, how_to_install
from nightsharp.weights.card import Card
from nightsharp.weights.file import CARD, read_file
from nightsharp.weights.loading import build, locate
from nightsharp.weights.systems import Port, get_system

TOLERANCE = 1e-3
"""Largest difference to the original that is let through, of the result's range."""

OPSET = 20
"""The first with a Fourier transform whose axis is an input; onnxruntime knows it since 1.17."""

# sides in units of the port's multiple; the first pair is what the exporter sees, the others are only compared
_SIDES = ((5, 7), (6, 12), (11, 5))
_PSF_SIDES = ((7, 9), (9, 9), (15, 11))


@dataclass(frozen=True)
class Exported:
    """An ONNX file and how it compares.

    Attributes:
        file: where it lies.
        inputs: name and shape of each; a letter stands for any number.
        difference: largest difference to the original network, of the result's range, over three sizes.
    """

    file: Path
    inputs: dict[str, str]
    difference: float


def export(
    name_or_file: str | os.PathLike[str], destination: str | os.PathLike[str], *, overwrite: bool = False
) -> Exported:
    """Write a network as an ONNX file and compare the two in onnxruntime.

    The Wiener division is exported as ONNX's ``DFT``, so that the file needs no code of ours. Its metadata holds the
    card. Values and sizes that the network itself takes are what the file takes.

    Args:
        name_or_file: shipped weights, or a ``.safetensors`` file.
        destination: the new ``.onnx`` file.
        overwrite: whether an existing file may be replaced.

    Returns:
        What was written, with the largest difference to the original.

    Raises:
        UsageError: the extra ``export`` is not installed.
        WeightsError: the weights do not load, or the file answers otherwise than the network.
        FileExistsError: the destination is taken.
    """
    card, state = read_file(locate(name_or_file))
    network = build(card.system, card.config, state, str(name_or_file)).eval().requires_grad_(False)
    ports = get_system(card.system).inputs(card.config)
    examples = [_example(ports, number) for number in range(len(_SIDES))]
    content, shapes = _export(network, ports, examples[0], card)
    difference = max(_difference(network, content, ports, example) for example in examples)
    if not difference <= TOLERANCE:
        raise WeightsError(
            f"{name_or_file}: the ONNX file differs from the network by {difference:.1e} of the result's range (limit "
            f"{TOLERANCE:g}); it was not written. Update torch and onnxruntime, and report it."
        )
    return Exported(write_atomically(Path(destination), content, overwrite=overwrite), shapes, difference)


def _example(ports: tuple[Port, ...], number: int) -> tuple[Tensor, ...]:
    """Inputs of one size, noise with a PSF that is a disk of noise: every frequency counts."""
    generator = torch.Generator().manual_seed(number)
    made = []
    for port in ports:
        height, width = _PSF_SIDES[number] if port.is_psf else (side * port.multiple for side in _SIDES[number])
        values = torch.rand(2 - number % 2, port.channels, height, width, generator=generator)
        made.append(values / values.sum(dim=(-2, -1), keepdim=True) if port.is_psf else values)
    return tuple(made)


def _export(
    network: nn.Module, ports: tuple[Port, ...], example: tuple[Tensor, ...], card: Card
) -> tuple[bytes, dict[str, str]]:
    roll = _roll_by_any_shift()
    dim = torch.export.Dim
    dynamic = tuple(
        {
            0: dim("b"),
            **{
                axis: dim(f"{port.name}_{side}") if port.is_psf else port.multiple * dim(f"{side}_{port.multiple}")
                for axis, side in ((2, "height"), (3, "width"))
            },
        }
        for port in ports
    )
    with _quiet(), torch.no_grad():
        program = torch.onnx.export(
            network,
            example,
            dynamo=True,
            opset_version=OPSET,
            dynamic_shapes=dynamic,
            input_names=[port.name for port in ports],
            output_names=["sharp"],
            custom_translation_table={torch.ops.aten.roll.default: roll},
            verbose=False,
        )
    assert program is not None
    model: Any = program.model_proto
    # the exporter notes wrong sizes for half spectra and onnxruntime would believe them; it finds the right ones
    del model.graph.value_info[:]
    model.metadata_props.add(key=CARD, value=card.model_dump_json())
    shapes = {entry.name: _shape(entry) for entry in model.graph.input}
    return model.SerializeToString(), shapes


def _shape(entry: Any) -> str:
    return " x ".join(str(side.dim_param or side.dim_value) for side in entry.type.tensor_type.shape.dim)


def _roll_by_any_shift() -> Any:
    """``torch.roll`` by shifts that follow from the size of the PSF; the exporter's own takes constants only."""
    try:
        import onnxruntime  # noqa: F401 - wanted before the long export, not after it
        import onnxscript
    except ImportError as problem:
        raise UsageError(
            f"the export needs ONNX ({problem}). Install it in nightsharp's folder: {how_to_install('export')}"
        ) from problem

    op: Any = onnxscript.opset20

    def roll(self: Any, shifts: Any, dims: Any = ()) -> Any:
        for shift, axis in zip(shifts, dims, strict=True):
            length = op.Shape(self, start=axis, end=(axis + 1) or None)
            cut = op.Mod(op.Neg(op.Reshape(shift, [-1])), length)
            self = op.Concat(op.Slice(self, cut, length, [axis]), op.Slice(self, [0], cut, [axis]), axis=axis)
        return self

    return roll


def _difference(network: nn.Module, content: bytes, ports: tuple[Port, ...], example: tuple[Tensor, ...]) -> float:
    import onnxruntime

    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    fed = {port.name: values.numpy() for port, values in zip(ports, example, strict=True)}
    found = np.asarray(session.run(None, fed)[0])
    expected = network(*example).numpy()
    return float(np.abs(found - expected).max() / max(float(np.ptp(expected)), 1e-12))


@contextmanager
def _quiet() -> Iterator[None]:
    """Without the exporter's notes on its own deprecations and on torchvision's absence."""
    log = logging.getLogger("torch.onnx")
    before = log.level
    log.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        log.setLevel(before)

"""The official releases' weights into our files and back: the only place that opens a stranger's ``.pt``."""

import io
import os
import pickle
import re
import warnings
from collections import defaultdict
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from nightsharp._atomic import write_atomically
from nightsharp.errors import WeightsError
from nightsharp.weights.card import Card
from nightsharp.weights.file import LARGEST, sha256, write_file
from nightsharp.weights.loading import build, read_weights
from nightsharp.weights.systems import get_system


class _Shell:
    """What stands for an object that is not wanted; nothing of its class is imported."""

    def __setstate__(self, state: object) -> None:
        """Forget what the object held."""


_OMEGACONF = (
    *(f"base.{name}" for name in ("ContainerMetadata", "Metadata")),
    *("dictconfig.DictConfig", "listconfig.ListConfig"),
    *(f"nodes.{kind}Node" for kind in ("Any", "Boolean", "Bytes", "Enum", "Float", "Integer", "Path", "String")),
)
# INFWIDE's file holds its training configuration, an object of OmegaConf, beside the weights
_HARMLESS = [
    *((type(name, (_Shell,), {}), f"omegaconf.{name}") for name in _OMEGACONF),
    (type("Any", (_Shell,), {}), "typing.Any"),
    *((kind, f"builtins.{kind.__name__}") for kind in (dict, list, int)),
    (defaultdict, "collections.defaultdict"),
]
_WRAPPERS = ("state_dict", "stateDictEG", "model_state_dict", "model", "params_ema", "params")


def convert_official(
    system: str,
    source: str | os.PathLike[str],
    destination: str | os.PathLike[str],
    *,
    dtype: torch.dtype = torch.float32,
    overwrite: bool = False,
) -> Path:
    """Turn an official weight file into one that :func:`~nightsharp.weights.load` opens.

    The pickle is read with ``weights_only=True``: no code in it runs. Objects of OmegaConf, which INFWIDE's file
    carries, become empty shells. The network's sizes follow from the shapes.

    Args:
        system: the network, ``"dwdn"`` or ``"infwide"``.
        source: a state dict, or the dict of a training run that holds one; ``.pt``, ``.pth``.
        destination: the new ``.safetensors`` file.
        dtype: float32, or float16 for half the size.
        overwrite: whether an existing file may be replaced.

    Returns:
        The path written.

    Raises:
        WeightsError: the source holds no state dict, holds code, or its tensors are not the network's.
        FileExistsError: the destination is taken.
    """
    table = get_system(system).official_table()
    file = Path(source)
    state = _without_prefix(_state_dict(_unpickle(file), file))
    try:
        config, ours = table.from_official(state)
    except (KeyError, ValueError, IndexError) as problem:
        raise WeightsError(
            f"{file}: not the official layout of {system} ({type(problem).__name__}: {problem}). "
            "Check that the file belongs to this system."
        ) from problem
    build(system, config, ours, str(file))
    card = Card(
        system=system,
        config=config,
        data="as published by the authors",
        recipe=f"converted from the official {file.name}, sha256 {sha256(file)}",
        licence="the authors' terms; they are not known to this file",
    )
    return write_file(Path(destination), ours, card, dtype=dtype, overwrite=overwrite)


def convert_to_official(
    name_or_file: str | os.PathLike[str], destination: str | os.PathLike[str], *, overwrite: bool = False
) -> Path:
    """Turn weights of ours into the official release's bare state dict, float32.

    Args:
        name_or_file: shipped weights, or a ``.safetensors`` file.
        destination: the new ``.pt`` file.
        overwrite: whether an existing file may be replaced.

    Returns:
        The path written.

    Raises:
        WeightsError: the weights do not load, or their network has no official release.
        FileExistsError: the destination is taken.
    """
    card, state, where = read_weights(name_or_file)
    table = get_system(card.system, where).official_table()
    network = build(card.system, card.config, state, where)
    content = io.BytesIO()
    torch.save(dict(table.to_official(card.config, network.state_dict())), content)
    return write_atomically(Path(destination), content.getbuffer(), overwrite=overwrite)


def _unpickle(file: Path) -> Any:
    if not file.is_file():
        raise WeightsError(f"{file}: there is no such weight file. Check the path.")
    if file.stat().st_size > LARGEST:
        raise WeightsError(f"{file}: {file.stat().st_size / 1e9:.1f} GB, more than any network here has.")
    try:
        with torch.serialization.safe_globals(_HARMLESS), warnings.catch_warnings():
            # a remark on the pickle's age helps nobody here
            warnings.simplefilter("ignore")
            return torch.load(file, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as problem:
        named = re.search(r"GLOBAL ([\w.]+)", str(problem))
        what = f"it names {named[1]}" if named else "its pickle does not read"
        raise WeightsError(
            f"{file}: more than weights is in it, or no weights at all ({what}). "
            "Only tensors and plain values are read; give the file that holds the network's state dict."
        ) from problem
    except (RuntimeError, EOFError, ValueError, KeyError, TypeError, AttributeError, IndexError) as problem:
        # a broken pickle fails in whatever way its bytes lead to
        raise WeightsError(f"{file}: not a whole PyTorch file ({problem}). Fetch it again.") from problem


def _state_dict(content: Any, file: Path) -> dict[str, Tensor]:
    found = content
    for key in _WRAPPERS:
        if isinstance(found, dict) and isinstance(found.get(key), dict):
            found = found[key]
            break
    if not isinstance(found, dict) or not found or not all(isinstance(tensor, Tensor) for tensor in found.values()):
        raise WeightsError(f"{file}: no state dict in it. Give the file with the network's weights.")
    return {str(name): tensor for name, tensor in found.items()}


def _without_prefix(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Names as on one GPU; ``DataParallel`` puts ``module.`` before each."""
    if all(name.startswith("module.") for name in state):
        return {name.removeprefix("module."): tensor for name, tensor in state.items()}
    return state

"""From a network to its file and back."""

import os
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from nightsharp.errors import WeightsError
from nightsharp.weights.card import Card
from nightsharp.weights.file import read_file, write_file
from nightsharp.weights.manifest import check_hash, find_shipped
from nightsharp.weights.systems import get_system

_ENDING = ".safetensors"


def save(
    file: str | os.PathLike[str],
    network: nn.Module,
    card: Card,
    *,
    dtype: torch.dtype = torch.float16,
    overwrite: bool = False,
) -> Path:
    """Write a network's weights with their card; a stopped process leaves no half-written file.

    Args:
        file: the final name, ``.safetensors``; its folder must exist.
        network: of the card's system; its ``config`` goes into the card.
        card: what was done to get here.
        dtype: float16 (2 bytes a weight) or float32.
        overwrite: whether an existing file may be replaced.

    Returns:
        The path written.

    Raises:
        WeightsError: the network is not of the card's system, or a weight cannot be stored.
        FileExistsError: the name is taken.

    Example:
        >>> import tempfile
        >>> from nightsharp.methods.dwdn import DWDN
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     file = save(f"{folder}/mine.safetensors", DWDN.lite(), Card(system="dwdn", steps=5))
        ...     load(file).config == DWDN.lite().config
        True
    """
    expected = get_system(card.system).network_class()
    if type(network) is not expected:
        raise WeightsError(
            f"the card says {card.system} ({expected.__name__}), the network is {type(network).__name__}. "
            "Give the card of this network."
        )
    described = card.model_copy(update={"config": network.config})
    return write_file(Path(file), network.state_dict(), described, dtype=dtype, overwrite=overwrite)


def load(
    name_or_file: str | os.PathLike[str],
    *,
    system: str | None = None,
    device: str | torch.device = "cpu",
    dtype: torch.dtype = torch.float32,
) -> nn.Module:
    """Build the network of a weight file, in evaluation mode, its weights not trainable.

    Args:
        name_or_file: the name of shipped weights, or the path of a ``.safetensors`` file.
        system: the network that is expected; other weights are refused.
        device: where it shall work.
        dtype: of its weights there.

    Returns:
        The network.

    Raises:
        WeightsError: no such weights are shipped; the file is missing, truncated or hostile; it is not the one that was
            shipped; it belongs to another network; tensors are missing, unexpected or of other shapes.

    Example:
        >>> load("no-such-weights")
        Traceback (most recent call last):
        nightsharp.errors.WeightsError: no weights 'no-such-weights' are shipped ...
    """
    card, state, where = read_weights(name_or_file)
    if system is not None and card.system != system:
        raise WeightsError(f"{where}: weights of {card.system}, not of {system}. Give a file of {system}.")
    network = build(card.system, card.config, state, where)
    return network.to(device=device, dtype=dtype).eval().requires_grad_(False)


def read_weights(name_or_file: str | os.PathLike[str]) -> tuple[Card, dict[str, Tensor], str]:
    """Card and tensors of shipped weights (after their hash) or of a file, and what to call them in messages."""
    file = locate(name_or_file)
    return *read_file(file), str(name_or_file)


def locate(name_or_file: str | os.PathLike[str]) -> Path:
    """The file meant: a name without an ending and without a folder is that of shipped weights.

    Raises:
        WeightsError: no such weights are shipped, or they are not those that were.
    """
    if isinstance(name_or_file, str) and not name_or_file.endswith(_ENDING) and Path(name_or_file).name == name_or_file:
        shipped = find_shipped(name_or_file)
        check_hash(shipped)
        return shipped.file
    return Path(name_or_file)


def build(system: str, config: dict[str, Any], state: dict[str, Tensor], where: str) -> nn.Module:
    """A network of that configuration with these weights.

    Args:
        system: the network's name.
        config: the arguments it is built with.
        state: its weights.
        where: the file's name, for messages.

    Raises:
        WeightsError: the configuration is not one, or the weights do not fit it.
    """
    kind = get_system(system, where).network_class()
    # first on no device at all: a file that claims a huge network costs no memory
    _check_fit(_construct(kind, config, where, "meta").state_dict(), state, where)
    network = _construct(kind, config, where, "cpu")
    network.load_state_dict(state)
    return network


def _construct(kind: type[nn.Module], config: dict[str, Any], where: str, device: str) -> nn.Module:
    # a fresh network draws its first weights; the caller's random numbers stay as they were
    with torch.random.fork_rng(devices=[]), torch.device(device):
        try:
            return kind(**{key: _as_written(value) for key, value in config.items()})
        except Exception as problem:
            # whatever a constructor says to the arguments of a stranger's file
            raise WeightsError(
                f"{where}: {kind.__name__} cannot be built as the card says ({config}): {problem}. "
                "The file is of another version of nightsharp, or broken."
            ) from problem


def _as_written(value: Any) -> Any:
    """JSON knows lists only; constructors take tuples."""
    return tuple(_as_written(part) for part in value) if isinstance(value, list) else value


def _check_fit(expected: dict[str, Tensor], found: dict[str, Tensor], where: str) -> None:
    missing, unexpected = sorted(expected.keys() - found.keys()), sorted(found.keys() - expected.keys())
    shapes = [
        f"{key} is {tuple(found[key].shape)} instead of {tuple(tensor.shape)}"
        for key, tensor in expected.items()
        if key in found and found[key].shape != tensor.shape
    ]
    kinds = [
        f"{key} is {str(found[key].dtype).removeprefix('torch.')}"
        for key, tensor in expected.items()
        if key in found and found[key].is_floating_point() != tensor.is_floating_point()
    ]
    problems = [
        *([f"{len(missing)} tensors are missing ({_first(missing)})"] if missing else []),
        *([f"{len(unexpected)} are unexpected ({_first(unexpected)})"] if unexpected else []),
        *([_first(shapes)] if shapes else []),
        *([_first(kinds)] if kinds else []),
    ]
    if problems:
        raise WeightsError(
            f"{where}: the weights do not fit their network: {'; '.join(problems)}. "
            "The file is of another version of nightsharp, or broken."
        )


def _first(names: list[str]) -> str:
    return ", ".join(names[:3]) + (", ..." if len(names) > 3 else "")

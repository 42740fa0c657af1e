"""The state of a run as one file: weights, their mean, the optimiser's moments, and where it was."""

from pathlib import Path
from typing import Any

import safetensors
import torch
from pydantic import BaseModel, ConfigDict, ValidationError
from safetensors.torch import load_file, save
from torch import Tensor, nn

from nightsharp._atomic import write_atomically
from nightsharp.errors import WeightsError
from nightsharp.training.average import Average
from nightsharp.training.opponent import Opponent
from nightsharp.training.recipe import Recipe


class Place(BaseModel):
    """Where in its run a state was taken.

    Attributes:
        recipe: by which the run was going.
        step: batches behind, over all schedules; the next batch has this number.
        first: the batch that the present schedule began with.
        spent: seconds in the present schedule.
        seconds: in all schedules.
        averaged: updates of the mean.
        skipped: batches whose gradient was no number.
        done: whether the schedule is through.
    """

    model_config = ConfigDict(extra="forbid")

    recipe: Recipe
    step: int = 0
    first: int = 0
    spent: float = 0.0
    seconds: float = 0.0
    averaged: int = 0
    skipped: int = 0
    done: bool = False


def save_state(
    file: Path,
    place: Place,
    network: nn.Module,
    average: Average,
    optimizer: torch.optim.Optimizer,
    opponent: Opponent | None = None,
) -> Path:
    """Write the state whole or not at all; the file holds tensors and JSON, and no code.

    Args:
        file: written over where it exists.
        place: where the run is.
        network: the weights.
        average: their mean.
        optimizer: its moments.
        opponent: its discriminator, where it has one.
    """
    moments = torch.bfloat16 if place.recipe.compact else torch.float32
    mean = torch.float16 if place.recipe.compact else torch.float32
    tensors = {f"network/{name}": value for name, value in network.state_dict().items()}
    tensors |= {f"average/{name}": _narrow(value, mean) for name, value in average.network.state_dict().items()}
    for number, kept in optimizer.state_dict()["state"].items():
        # the step count beside the moments is a number of its own, and bfloat16 ends at 256 whole steps
        tensors |= {
            f"optimizer/{number}/{key}": value if value.ndim == 0 else _narrow(value, moments)
            for key, value in kept.items()
        }
    if opponent is not None:
        tensors |= {f"opponent/{name}": value for name, value in opponent.state().items()}
    content = save({name: value.detach().cpu().contiguous() for name, value in tensors.items()}, _metadata(place))
    return write_atomically(file, content, overwrite=True)


def read_place(file: Path) -> Place:
    """Where the run was when the state was taken.

    Raises:
        WeightsError: the file is not such a state.
    """
    try:
        with safetensors.safe_open(file, framework="pt") as opened:
            return Place.model_validate_json((opened.metadata() or {}).get("nightsharp-training", ""))
    except (safetensors.SafetensorError, ValidationError) as problem:
        raise WeightsError(f"{file} is not the state of a training run of this version. Begin anew.") from problem


def load_state(
    file: Path,
    network: nn.Module,
    average: Average,
    optimizer: torch.optim.Optimizer,
    opponent: Opponent | None = None,
) -> Place:
    """Put a state back into the parts of a run.

    Args:
        file: as :func:`save_state` wrote it.
        network: takes the weights.
        average: takes their mean.
        optimizer: takes its moments; learning rate and the like stay as they are.
        opponent: takes its own part; begins anew where the run had none.

    Raises:
        WeightsError: the file is no state, or that of another network.
    """
    place = read_place(file)
    tensors = load_file(file)
    try:
        network.load_state_dict(_under("network/", tensors))
        average.network.load_state_dict(_under("average/", tensors))
        if opponent is not None and (kept_of_it := _under("opponent/", tensors)):
            opponent.resume(kept_of_it)
    except RuntimeError as problem:
        words = str(problem).splitlines()[-1].strip()
        raise WeightsError(f"{file} is the state of another network: {words}. Choose another --out.") from problem
    average.updates = place.averaged
    kept: dict[int, dict[str, Any]] = {}
    for name, value in _under("optimizer/", tensors).items():
        number, _, key = name.partition("/")
        kept.setdefault(int(number), {})[key] = value.float()
    optimizer.load_state_dict({**optimizer.state_dict(), "state": kept})
    return place


def _metadata(place: Place) -> dict[str, str]:
    return {"nightsharp-training": place.model_dump_json()}


def _narrow(value: Tensor, kind: torch.dtype) -> Tensor:
    return value.to(kind) if value.is_floating_point() else value


def _under(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}

"""What a run would take, measured on its first batches; nothing is written."""

import time
from dataclasses import dataclass
from statistics import median

import torch
from lightning.fabric import Fabric
from torch import nn

from nightsharp.restore.memory import peak_memory
from nightsharp.training.batches import Batches
from nightsharp.training.job import Job
from nightsharp.training.network import build_network, count_parameters
from nightsharp.training.opponent import objective_of
from nightsharp.training.update import Update, build_optimizer

_STEPS = 5
_PATIENCE = 30.0


@dataclass(frozen=True)
class Rehearsal:
    """What a run would take.

    Attributes:
        parameters: that are learned.
        weights_bytes: of the file with the weights.
        state_bytes: of the file from which the run goes on.
        pairs_seconds: for the pairs of one batch and what the network is given of them, shared by the steps that
            take it.
        step_seconds: for one step once these are there.
        memory_bytes: at most; of the GPU where there is one, otherwise of the whole process; None where the system does
            not tell.
        hours: for all steps of the recipe, pairs made in the same process.
        device: where it was measured.
        photographs: that crops are taken from, held-out ones among them.
        left_out: how many of the folder are not, and why, in words; None where all are.
    """

    parameters: int
    weights_bytes: int
    state_bytes: int
    pairs_seconds: float
    step_seconds: float
    memory_bytes: int | None
    hours: float
    device: str
    photographs: int
    left_out: str | None


def rehearse(job: Job, *, accelerator: str = "auto") -> Rehearsal:
    """Take a few steps on one device and measure them.

    Args:
        job: what is asked for; nothing is written to its folder.
        accelerator: ``auto``, ``cpu``, ``cuda`` or ``mps``.

    Raises:
        RecipeError: the network cannot be built.
        PhotoError: the folder holds no photograph that can be used.
    """
    recipe = job.recipe
    fabric = Fabric(accelerator=accelerator, devices=1, precision=recipe.precision)
    network = fabric.to_device(build_network(recipe))
    optimizer = build_optimizer(network, recipe)
    update = Update(fabric, network, optimizer, objective_of(fabric, recipe, optimizer)[0], recipe)
    source = Batches(job.data, recipe, "training")
    photographs, left_out = len(source.crops.files), source.left_out
    batches = source.made_from(0, fabric.device, 0)
    pairs_seconds, step_seconds = [], []
    began = time.perf_counter()
    while len(step_seconds) < 2 or (len(step_seconds) < _STEPS and time.perf_counter() - began < _PATIENCE):
        start = _now(fabric.device)
        batch = next(batches)
        made = _now(fabric.device)
        update(batch, recipe.lr)
        pairs_seconds.append(made - start)
        step_seconds.append(_now(fabric.device) - made)
    # the first batch opens files and fills caches
    for_pairs, for_step = median(pairs_seconds[1:]) / recipe.reuse, median(step_seconds[1:])
    on_gpu = fabric.device.type == "cuda"
    return Rehearsal(
        parameters=count_parameters(network),
        weights_bytes=2 * _numbers(network),
        state_bytes=_state_bytes(network, update.optimizer, compact=recipe.compact),
        pairs_seconds=for_pairs,
        step_seconds=for_step,
        memory_bytes=torch.cuda.max_memory_allocated(fabric.device) if on_gpu else peak_memory(),
        hours=recipe.steps * (for_pairs + for_step) / 3600,
        device=torch.cuda.get_device_name(fabric.device) if on_gpu else f"cpu, {torch.get_num_threads()} threads",
        photographs=photographs,
        left_out=left_out,
    )


def _now(device: torch.device) -> float:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter()


def _numbers(network: nn.Module) -> int:
    return sum(value.numel() for value in network.state_dict().values())


def _state_bytes(network: nn.Module, optimizer: torch.optim.Optimizer, *, compact: bool) -> int:
    kept = sum(value.numel() for state in optimizer.state.values() for value in state.values() if value.ndim)
    # the weights stay whole, their mean and the moments may be halved
    return 4 * _numbers(network) + (2 if compact else 4) * (_numbers(network) + kept)

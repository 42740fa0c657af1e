"""From a job to a run on one device or several."""

import logging
from functools import partial
from pathlib import Path

from lightning.fabric import Fabric
from lightning.fabric.strategies.ddp import DDPStrategy

from nightsharp.errors import NightsharpError, RecipeError, UsageError
from nightsharp.training.batches import Batches
from nightsharp.training.curve import load_curve
from nightsharp.training.job import Event, Job, Trained
from nightsharp.training.network import build_network
from nightsharp.training.run import Notify, Run
from nightsharp.training.split import split_photographs
from nightsharp.training.state import read_place

# which process is which of how many is nothing that a user asked for; here, so that it also holds in those processes
for _part in ("lightning.fabric", "lightning.pytorch"):
    logging.getLogger(_part).setLevel(logging.WARNING)


def keep_quiet(event: Event) -> None:
    """Say nothing.

    Args:
        event: not used.
    """


def train(job: Job, *, devices: int = 1, accelerator: str = "auto", notify: Notify = keep_quiet) -> Trained:
    """Train a network by a recipe.

    Args:
        job: what is asked for.
        devices: how many; each is a process of its own with its share of every batch.
        accelerator: ``auto``, ``cpu``, ``cuda`` or ``mps``.
        notify: told of every step; with several devices it travels to another process and has to be picklable.

    Returns:
        The files that were written, and the validations.

    Raises:
        RecipeError: recipe, photographs and devices do not fit together.
        UsageError: the folder already holds a run and ``resume`` is not set.
        DivergedError: the loss stopped being a number and did not come back.
        KeyboardInterrupt: somebody asked to stop; the state was written.
    """
    _check(job, devices)
    fabric = Fabric(
        accelerator=accelerator,
        devices=devices,
        strategy=DDPStrategy(start_method="spawn") if devices > 1 else "auto",
        precision=job.recipe.precision,
    )
    # in another process an error would lose its type; it comes back as a value
    outcome = fabric.launch(partial(_run, job=job, notify=notify))
    if isinstance(outcome, NightsharpError):
        raise outcome
    return Trained(job.weights, job.state, job.curve, tuple(load_curve(job.curve)))


def _run(fabric: Fabric, job: Job, notify: Notify) -> NightsharpError | None:
    try:
        Run(fabric, job, notify).go()
    except NightsharpError as problem:
        return problem
    return None


def _check(job: Job, devices: int) -> None:
    """Refuse what cannot work before any process is started."""
    recipe = job.recipe
    if recipe.batch % devices:
        raise RecipeError(
            f"a batch of {recipe.batch} cannot be shared by {devices} devices. Set batch to a multiple of {devices}."
        )
    if job.minutes is not None and not job.minutes > 0:
        raise UsageError(f"--minutes {job.minutes:g} is no time. Give more than 0, or leave it out.")
    build_network(recipe)
    batches = Batches(job.data, recipe, "training")
    _prepare(job)
    split_photographs(batches.crops.files, job.data, recipe.seed, job.out / "split.json", recipe.held_out)
    if not job.state.is_file():
        return
    if not job.resume:
        raise UsageError(f"{job.out} already holds a run. Go on with --resume, or choose another --out.")
    earlier = read_place(job.state).recipe
    if (earlier.network, earlier.config) != (recipe.network, recipe.config):
        raise RecipeError(
            f"{job.out} holds a run of {earlier.network} {earlier.config}, the recipe asks for {recipe.network} "
            f"{recipe.config}. Choose another --out."
        )
    if earlier.amsgrad != recipe.amsgrad:
        raise RecipeError(
            f"{job.out} holds a run with amsgrad = {str(earlier.amsgrad).lower()}, and what that keeps of the past the "
            "other cannot go on with. Leave amsgrad as it is, or choose another --out."
        )


def _prepare(job: Job) -> Path:
    try:
        job.out.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError) as problem:
        raise UsageError(f"--out {job.out} is not a folder. Choose another name.") from problem
    return job.out

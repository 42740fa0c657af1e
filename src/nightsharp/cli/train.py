"""The verb ``train``."""

import json as json_format
from dataclasses import asdict
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter

from nightsharp.cli.progress import Bars
from nightsharp.errors import UsageError, how_to_install

if TYPE_CHECKING:
    from nightsharp.training import Event, Rehearsal, Row

_THOUSANDTHS = 1000


def train(
    recipe: str | None = None,
    /,
    *,
    data: Path | None = None,
    out: Annotated[Path | None, Parameter(name=("--output", "--out", "-o"))] = None,
    settings: Annotated[tuple[str, ...], Parameter(name="--set", negative=(), show_default=False)] = (),
    resume: Annotated[bool, Parameter(negative=())] = False,
    minutes: float | None = None,
    devices: int = 1,
    accelerator: Literal["auto", "cpu", "cuda", "mps"] = "auto",
    workers: int = 0,
    dry_run: Annotated[bool, Parameter(negative=())] = False,
    json: Annotated[bool, Parameter(negative=())] = False,
) -> int:
    """Train a network by a recipe; without one, list the recipes.

    Args:
        recipe: the name of a shipped recipe, or a TOML file.
        data: a folder of sharp photographs; an index.csv in it with the columns file and split says which are held out,
            otherwise one in 20 is.
        out: the folder for weights, state, learning curve and pictures; runs/RECIPE without it.
        settings: key=value put over the recipe, as in --set steps=500; several times for several.
        resume: go on where the run in the out folder stopped.
        minutes: bring the schedule to its end within so many minutes.
        devices: how many CPU processes or GPUs share each batch.
        accelerator: where to train.
        workers: processes beside each device that read photographs and, on a CPU, make the training pairs.
        dry_run: take a few steps, print parameters, memory and time per step, and write nothing.
        json: print one JSON document on stdout, and nothing else there.
    """
    if recipe is None:
        _list_recipes(as_json=json)
        return 0
    missing = [name for name in ("lightning", "tensorboard", "torchmetrics") if find_spec(name) is None]
    if missing:
        raise UsageError(
            f"training needs {', '.join(missing)}. Install them in nightsharp's folder: {how_to_install('train')}"
        )
    if devices < 1 or workers < 0:
        raise UsageError(f"--devices {devices} --workers {workers}: at least 1 device and 0 workers.")
    from nightsharp.training.recipe import load_recipe

    wanted = load_recipe(recipe, settings)
    if data is None:
        raise UsageError("train needs --data, the folder with the sharp photographs.")
    from nightsharp.training import Job, rehearse, train

    job = Job(wanted, data, out or Path("runs") / wanted.name, resume, minutes, workers)
    if dry_run:
        measured = rehearse(job, accelerator=accelerator)
        print(json_format.dumps(asdict(measured)) if json else _words_of(measured, wanted.steps))
        return 0
    with Narrator(quiet=json) as narrator:
        trained = train(job, devices=devices, accelerator=accelerator, notify=narrator)
    if json:
        print(json_format.dumps(_document(trained), ensure_ascii=False))
    else:
        print(f"weights: {trained.weights}\nstate:   {trained.state}\ncurve:   {trained.curve}")
    return 0


class Narrator:
    """Tells on stdout how a run goes: a line for each validation, a bar between them.

    Args:
        quiet: print nothing.
    """

    def __init__(self, *, quiet: bool) -> None:
        self._quiet = quiet
        self._bars: Bars | None = None

    def __enter__(self) -> "Narrator":
        """Begin; the bars come with the first step."""
        return self

    def __exit__(self, *problem: object) -> None:
        """Take the bars away."""
        if self._bars is not None:
            self._bars.pause()

    def __getstate__(self) -> dict[str, Any]:
        """What another process needs; bars are drawn there anew."""
        return {"_quiet": self._quiet, "_bars": None}

    def __call__(self, event: "Event") -> None:
        """Show what happened.

        Args:
            event: of the run.
        """
        if self._quiet:
            return
        if self._bars is None:
            self._bars = Bars(True)
            self._bars.about("train")
        if event.row is not None or event.words is not None:
            self._bars.pause()
            print(event.words or _line(event.row), flush=True)
        self._bars.advance("training", round(event.progress * _THOUSANDTHS), _THOUSANDTHS)


def _line(row: "Row | None") -> str:
    if row is None:
        return ""
    loss = "-" if row.loss is None else f"{row.loss:.4f}"
    skipped = f"  {row.skipped} batches skipped" if row.skipped else ""
    return (
        f"step {row.step:>7}  {row.seconds / 60:6.1f} min  loss {loss}  PSNR {row.psnr:.2f} dB "
        f"(recorded {row.psnr_recorded:.2f})  SSIM {row.ssim:.4f}{skipped}"
    )


def _words_of(measured: "Rehearsal", steps: int) -> str:
    memory = "unknown" if measured.memory_bytes is None else f"{measured.memory_bytes / 1e9:.2f} GB"
    each = measured.pairs_seconds + measured.step_seconds
    return "\n".join(
        (
            f"parameters: {measured.parameters:,} (weights {measured.weights_bytes / 1e6:.1f} MB, state "
            f"{measured.state_bytes / 1e6:.1f} MB)",
            f"memory:     {memory} at most, on {measured.device}",
            f"step:       {each:.3f} s (pairs {measured.pairs_seconds:.3f}, network {measured.step_seconds:.3f})",
            f"the recipe: {steps:,} steps, {measured.hours:.1f} hours on one such device",
            f"photos:     {measured.photographs}" + (f" ({measured.left_out})" if measured.left_out else ""),
        )
    )


def _document(trained: Any) -> dict[str, Any]:
    return {
        "weights": str(trained.weights),
        "state": str(trained.state),
        "curve": str(trained.curve),
        "rows": [asdict(row) for row in trained.rows],
    }


def _list_recipes(*, as_json: bool) -> None:
    from nightsharp.training.recipe import load_recipe, shipped_recipes

    recipes = [load_recipe(name) for name in shipped_recipes()]
    if as_json:
        print(json_format.dumps({"recipes": [recipe.model_dump(exclude_none=True) for recipe in recipes]}))
        return
    wide = max(len(recipe.name) for recipe in recipes)
    for recipe in recipes:
        print(
            f"{recipe.name:<{wide}}  {recipe.network}, {recipe.steps:,} steps of {recipe.batch} crops of "
            f"{recipe.crop} px, {recipe.optimizer} {recipe.lr:g}"
        )

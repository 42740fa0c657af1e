"""A recipe: all that decides what a training run learns, as one flat table."""

import difflib
import tomllib
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from nightsharp.errors import RecipeError

_SHIPPED = files("nightsharp.training") / "recipes"


class Recipe(BaseModel):
    """What is trained, on what, and how.

    Attributes:
        name: of the recipe.
        network: the network's name.
        config: arguments the network is built with; left out, the paper's.
        start: weights of a DWDN, by name or file, that an INFWIDE takes its feature branch from; drawn at random where
            None.
        pipeline: which synthesis makes the training pairs; ``recorded`` where the folder holds frames that were
            recorded both blurred and sharp.
        synthesis: what is set otherwise in it.
        displayed: whether its pairs are linear light and the network wants display values.
        objective: what is set otherwise in the network's loss.
        held_out: the share of the photographs that is held out, where no index.csv says which.
        crop: side of the training pairs in pixels.
        batch: crops in one step, all devices together.
        reuse: steps that each batch is taken for, each time in another of the eight orientations; more than 1 where
            pairs cost more than a step.
        optimizer: ``adam`` or ``adamw``.
        lr: learning rate after the warm-up and before the decay.
        betas: of Adam.
        amsgrad: whether Adam keeps the largest second moment.
        weight_decay: of the optimiser.
        clip_value: every element of the gradient is clamped to +- this.
        clip_norm: the gradient's norm is scaled down to this.
        steps: of one schedule, from the first learning rate to the last.
        warmup: steps in which the learning rate rises from 0.
        decay: ``step`` (times ``decay_factor`` every ``decay_every`` steps), ``cosine`` to 0, or ``none``.
        ema: decay of the running mean of the weights; it is what is validated and shipped.
        validate_every: steps between validations.
        validation_crops: held-out crops in a validation.
        precision: ``32-true`` or ``bf16-mixed``.
        compact: whether the state keeps Adam's moments in bfloat16 and the mean in half precision: 10 bytes a weight in
            place of 16; a run that goes on from it does so nearly, and not exactly, where it was.
        seed: of the first weights, the crops, the pairs and the held-out split.

    Example:
        >>> load_recipe("dwdn").lr
        0.0001
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    name: str = Field(min_length=1)
    network: str
    config: dict[str, Any] = Field(default_factory=dict)
    start: str | None = None
    pipeline: str
    synthesis: dict[str, float] = Field(default_factory=dict)
    displayed: bool = False
    objective: dict[str, Any] = Field(default_factory=dict)
    held_out: float = Field(default=0.05, gt=0, lt=1)
    crop: int = Field(ge=16, le=4096)
    batch: int = Field(ge=1)
    reuse: int = Field(default=1, ge=1, le=8)
    optimizer: Literal["adam", "adamw"] = "adam"
    lr: float = Field(gt=0, le=1)
    betas: tuple[float, float] = (0.9, 0.999)
    amsgrad: bool = False
    weight_decay: float = Field(default=0.0, ge=0)
    clip_value: float | None = Field(default=None, gt=0)
    clip_norm: float | None = Field(default=None, gt=0)
    steps: int = Field(ge=1)
    warmup: int = Field(default=0, ge=0)
    decay: Literal["step", "cosine", "none"]
    decay_every: int | None = Field(default=None, ge=1)
    decay_factor: float = Field(default=0.5, gt=0, le=1)
    ema: float = Field(default=0.999, ge=0, lt=1)
    validate_every: int = Field(default=1000, ge=1)
    validation_crops: int = Field(default=28, ge=1)
    precision: Literal["32-true", "bf16-mixed"] = "32-true"
    compact: bool = False
    seed: int = Field(default=0, ge=0, lt=2**31)


def shipped_recipes() -> tuple[str, ...]:
    """The names of the recipes inside the package.

    Example:
        >>> "dwdn-lite" in shipped_recipes()
        True
    """
    return tuple(sorted(file.name.removesuffix(".toml") for file in _SHIPPED.iterdir() if file.name.endswith(".toml")))


def load_recipe(recipe: str | Path, settings: tuple[str, ...] = ()) -> Recipe:
    """Read a recipe and put single values over it.

    Args:
        recipe: the name of a shipped one, or a TOML file.
        settings: ``key=value``, the value as TOML writes it (quotes may be left out); ``none`` takes a key away,
            so that its default holds. ``config.width=8`` reaches the network's arguments, ``synthesis.noise=2`` the
            pipeline's.

    Raises:
        RecipeError: there is no such recipe or key (the nearest name is given), or a value is impossible.

    Example:
        >>> load_recipe("dwdn", ("steps=50", "lr=2e-4")).steps
        50
    """
    values = _read(recipe)
    for setting in settings:
        _put(values, setting)
    try:
        return Recipe.model_validate(values)
    except ValidationError as problem:
        raise RecipeError(_in_words(problem, str(recipe))) from problem


def _read(recipe: str | Path) -> dict[str, Any]:
    given = Path(recipe)
    if given.suffix == ".toml":
        if not given.is_file():
            raise RecipeError(f"there is no recipe file {given}. Shipped recipes are {', '.join(shipped_recipes())}.")
        text, name = given.read_text(encoding="utf-8"), given.stem
    else:
        name = str(recipe)
        if name not in shipped_recipes():
            raise RecipeError(f"there is no recipe {name!r}. {_nearest(name, shipped_recipes())} A file ends in .toml.")
        text = (_SHIPPED / f"{name}.toml").read_text(encoding="utf-8")
    try:
        return {"name": name, **tomllib.loads(text)}
    except tomllib.TOMLDecodeError as problem:
        raise RecipeError(f"{recipe} is not TOML: {problem}. Mend that line.") from problem


def _put(values: dict[str, Any], setting: str) -> None:
    key, equals, text = setting.partition("=")
    key = key.strip()
    if not equals or not key:
        raise RecipeError(f"--set {setting!r} is not key=value, as in --set lr=2e-4.")
    place, _, argument = key.partition(".")
    if argument and place in ("config", "synthesis", "objective"):
        values[place] = {**values.get(place, {}), argument: _value(text)}
    elif key not in Recipe.model_fields:
        raise RecipeError(f"a recipe has no key {key!r}. {_nearest(key, tuple(Recipe.model_fields))}")
    elif text.strip() == "none" and not Recipe.model_fields[key].is_required():
        values.pop(key, None)
    else:
        values[key] = _value(text)


def _value(text: str) -> Any:
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text.strip()


def _nearest(word: str, known: tuple[str, ...]) -> str:
    near = difflib.get_close_matches(word, known, 1, cutoff=0.5)
    return f"Did you mean {near[0]!r}?" if near else f"There are {', '.join(known)}."


def _in_words(problem: ValidationError, where: str) -> str:
    first = problem.errors()[0]
    key = ".".join(map(str, first["loc"]))
    if first["type"] == "extra_forbidden":
        return f"{where}: a recipe has no key {key!r}. {_nearest(key, tuple(Recipe.model_fields))}"
    if first["type"] == "missing":
        return f"{where}: the recipe lacks {key!r}. Add the line {key} = ..."
    return f"{where}: {key} = {first['input']!r} cannot be: {first['msg'].lower()}. Set another value."

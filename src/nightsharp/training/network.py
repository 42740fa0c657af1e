"""The network that a recipe names, with its first weights."""

import difflib
import inspect
from collections.abc import Iterable

import torch
from torch import nn

from nightsharp.errors import RecipeError
from nightsharp.training.objectives import OBJECTIVES
from nightsharp.training.recipe import Recipe
from nightsharp.training.start import start_from_dwdn
from nightsharp.weights.systems import get_system


def build_network(recipe: Recipe) -> nn.Module:
    """Build the network with weights drawn by the recipe's seed; the global seed is left alone.

    Args:
        recipe: names the network and its arguments.

    Raises:
        RecipeError: there is no such network or argument, the arguments do not fit together, or the weights that it
            starts from do not fit them.

    Example:
        >>> from nightsharp.training.recipe import load_recipe
        >>> build_network(load_recipe("dwdn-lite", ("config.width=4",))).config["width"]
        4
    """
    if recipe.network not in OBJECTIVES:
        raise RecipeError(
            f"{recipe.name}: no network {recipe.network!r} can be trained. There are {_list(OBJECTIVES)}."
        )
    kind = get_system(recipe.network, recipe.name).network_class()
    known = list(inspect.signature(kind).parameters)
    for key in recipe.config:
        if key not in known:
            near = difflib.get_close_matches(key, known, 1)
            advice = f"Did you mean 'config.{near[0]}'?" if near else f"There are {_list(known)}."
            raise RecipeError(f"{recipe.name}: {recipe.network} has no argument {key!r}. {advice}")
    # TOML has lists, the networks take tuples
    arguments = {key: tuple(value) if isinstance(value, list) else value for key, value in recipe.config.items()}
    try:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(recipe.seed)
            network = kind(**arguments)
    except (TypeError, ValueError, RuntimeError) as problem:
        words = str(problem).splitlines()[0]
        raise RecipeError(f"{recipe.name}: {recipe.network} cannot be built with {recipe.config}: {words}") from problem
    if recipe.start is not None:
        start_from_dwdn(network, recipe.start, recipe.name)
    return network


def count_parameters(network: nn.Module) -> int:
    """How many weights are learned.

    Example:
        >>> count_parameters(nn.Linear(3, 2))
        8
    """
    return sum(weight.numel() for weight in network.parameters())


def _list(names: Iterable[str]) -> str:
    return ", ".join(names)

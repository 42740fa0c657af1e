"""The recipes by name."""

import inspect
from collections.abc import Callable

from nightsharp.errors import RecipeError
from nightsharp.synthesis.pipeline import Pipeline
from nightsharp.synthesis.recipes.dwdn import dwdn
from nightsharp.synthesis.recipes.exdark import exdark
from nightsharp.synthesis.recipes.infwide import infwide
from nightsharp.synthesis.recipes.night import night

RECIPES: dict[str, Callable[..., Pipeline]] = {"dwdn": dwdn, "infwide": infwide, "exdark": exdark, "night": night}


def pipeline(name: str, /, **settings: float | None) -> Pipeline:
    """The pipeline of a recipe.

    Args:
        name: ``"dwdn"``, ``"infwide"``, ``"exdark"`` or ``"night"``.
        settings: what the recipe lets one change: ``noise`` and ``monochrome`` (dwdn), ``gain`` (infwide),
            ``largest_psf`` (night).

    Raises:
        RecipeError: the recipe or a setting is unknown, or its value impossible.

    Example:
        >>> pipeline("infwide", gain=8).name
        'infwide'
        >>> pipeline("dwdn", gain=8)
        Traceback (most recent call last):
        nightsharp.errors.RecipeError: recipe 'dwdn' has no setting 'gain'. It has noise, monochrome.
    """
    if name not in RECIPES:
        raise RecipeError(f"recipe {name!r} is unknown. Choose one of {', '.join(RECIPES)}.")
    known = inspect.signature(RECIPES[name]).parameters
    for key in settings:
        if key not in known:
            raise RecipeError(f"recipe {name!r} has no setting {key!r}. It has {', '.join(known) or 'none'}.")
    return RECIPES[name](**settings)

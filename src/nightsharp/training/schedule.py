"""The learning rate along a run, as a function of how much of the run is behind."""

import math

from nightsharp.training.recipe import Recipe


def learning_rate(recipe: Recipe, progress: float) -> float:
    r"""The learning rate at a point of the schedule.

    .. math:: \eta(p) = \eta_0 \min(1, (s + 1) / s_w)\, d(p), \qquad s = p\, s_{\text{all}}

    with :math:`d = f^{\lfloor s / s_e \rfloor}` (step) or :math:`(1 + \cos \pi p) / 2` (cosine). It depends on the
    fraction and not on the step, so that a run with a time limit goes through the same decay in fewer steps.

    Args:
        recipe: names the schedule.
        progress: the fraction p of the schedule that is behind, 0 to 1.

    Returns:
        The learning rate for the next step.

    Example:
        >>> from nightsharp.training.recipe import load_recipe
        >>> halved = load_recipe("dwdn", ("steps=400", "decay_every=200"))
        >>> learning_rate(halved, 0.49) / learning_rate(halved, 0.51)
        2.0
    """
    step = progress * recipe.steps
    warm = min(1.0, (step + 1) / recipe.warmup) if recipe.warmup else 1.0
    if recipe.decay == "cosine":
        decayed = (1 + math.cos(math.pi * min(progress, 1.0))) / 2
    elif recipe.decay == "step" and recipe.decay_every is not None:
        # the small term keeps a step that falls on a drop from being rounded to before it
        decayed = recipe.decay_factor ** math.floor(step / recipe.decay_every + 1e-9)
    else:
        decayed = 1.0
    return recipe.lr * warm * decayed

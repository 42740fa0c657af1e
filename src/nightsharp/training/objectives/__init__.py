"""What each network is trained to do: what it is given, and the terms of its loss."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from nightsharp.synthesis import Pairs
from nightsharp.training.objectives import darkdeblur, dwdn, infwide, nightprior, nightwiener


@dataclass(frozen=True)
class Objective:
    """How a network meets a batch.

    Attributes:
        inputs: what the network is given of a batch; needs no gradient, so that it can be made ahead of time.
        terms: the terms of the loss, weighted, of what the network answered; their sum is what is minimised.
    """

    inputs: Callable[[Pairs], tuple[Tensor, ...]]
    terms: Callable[[Any, Pairs], dict[str, Tensor]]


OBJECTIVES = {
    "darkdeblur": Objective(darkdeblur.inputs, darkdeblur.terms),
    "dwdn": Objective(dwdn.inputs, dwdn.terms),
    "infwide": Objective(infwide.inputs, infwide.terms),
    "nightprior": Objective(nightprior.inputs, nightprior.terms),
    "nightwiener": Objective(nightwiener.inputs, nightwiener.terms),
}
"""By the name of the network."""

__all__ = ["OBJECTIVES", "Objective"]

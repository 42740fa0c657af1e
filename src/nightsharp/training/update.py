"""One step of one optimiser: gradient, guard, clipping, step, mean.

A network with an opponent has two of these, one for each, called in turn.
"""

import math
from typing import Any

import torch
from lightning.fabric import Fabric
from torch import Tensor, nn

from nightsharp.training.average import Average
from nightsharp.training.batches import Batch
from nightsharp.training.objectives import Objective
from nightsharp.training.recipe import Recipe


class ForTraining(nn.Module):
    """A network whose forward pass returns all that a loss needs: its ``forward_all``, where it has one.

    What spreads a network over devices and precisions takes hold of ``forward`` alone.

    Args:
        network: the weights.
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network
        self._all = getattr(network, "forward_all", network.forward)

    def forward(self, *inputs: Tensor) -> Any:
        """What the network's own pass returns.

        Args:
            inputs: as the network takes them.
        """
        return self._all(*inputs)


def build_optimizer(network: nn.Module, recipe: Recipe) -> torch.optim.Optimizer:
    """The optimiser that a recipe names, over all weights of a network."""
    kind = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW}[recipe.optimizer]
    return kind(
        network.parameters(),
        lr=recipe.lr,
        betas=recipe.betas,
        weight_decay=recipe.weight_decay,
        amsgrad=recipe.amsgrad,
        # torch's fused steps go through memory without a look at strides, so that moments that were read from a file
        # meet the wrong weights of a network in channels-last order
        fused=False,
    )


class Update:
    """Takes one step after the other on a network's weights.

    Args:
        fabric: the devices.
        network: on its device; in a run of several processes each has its copy.
        optimizer: over the network's weights.
        objective: names the terms of the loss.
        recipe: names clipping and mean.

    Attributes:
        network: the weights.
        average: their running mean.
        optimizer: of the weights.
        refused: steps in a row that were not taken because the gradient was no number.
    """

    def __init__(
        self, fabric: Fabric, network: nn.Module, optimizer: torch.optim.Optimizer, objective: Objective, recipe: Recipe
    ) -> None:
        self.network = network
        self.average = Average(network, recipe.ema)
        self.optimizer = optimizer
        self.refused = 0
        self._fabric = fabric
        self._terms = objective.terms
        self._recipe = recipe
        self._forward, self._stepper = fabric.setup(ForTraining(network), optimizer)

    def __call__(self, batch: Batch, lr: float) -> dict[str, Tensor]:
        """Take one step, unless its gradient is not finite.

        Args:
            batch: on the device.
            lr: the learning rate of this step.

        Returns:
            The terms of the loss, detached.
        """
        for group in self.optimizer.param_groups:
            group["lr"] = lr
        terms = self._terms(self._forward(*batch.inputs), batch.pairs)
        self.optimizer.zero_grad()
        self._fabric.backward(torch.stack(list(terms.values())).sum())
        if self._clip():
            self._stepper.step()
            self.average.update(self.network)
            self.refused = 0
        else:
            self.refused += 1
        return {name: value.detach() for name, value in terms.items()}

    def _clip(self) -> bool:
        """Clip the gradient as the recipe says; False when it is not finite."""
        weights = [weight for weight in self.network.parameters() if weight.grad is not None]
        gradients = [weight.grad for weight in weights if weight.grad is not None]
        # the gradients are those of all processes together by now, so all come to the same answer
        norm = torch.nn.utils.get_total_norm(gradients)
        if not math.isfinite(norm.item()):
            return False
        if self._recipe.clip_norm is not None:
            torch.nn.utils.clip_grads_with_norm_(weights, self._recipe.clip_norm, norm)
        if self._recipe.clip_value is not None:
            torch.nn.utils.clip_grad_value_(weights, self._recipe.clip_value)
        return True

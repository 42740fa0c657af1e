"""The discriminator beside a network in training: it learns first from what the network made, then judges it."""

from collections.abc import Mapping

import torch
from lightning.fabric import Fabric
from torch import Tensor, nn

from nightsharp.errors import RecipeError
from nightsharp.methods.darkdeblur import Discriminator
from nightsharp.methods.darkdeblur.losses import discriminator_loss
from nightsharp.synthesis import Pairs, generator_for
from nightsharp.training.objectives import OBJECTIVES, Objective
from nightsharp.training.objectives.darkdeblur import Settings, all_terms
from nightsharp.training.recipe import Recipe


class Judge(nn.Module):
    """A discriminator whose forward pass returns logits, which losses want."""

    def __init__(self, network: Discriminator) -> None:
        super().__init__()
        self.network = network

    def forward(self, image: Tensor, blurred: Tensor) -> Tensor:
        """The logarithm of the odds of being real.

        Args:
            image: that is judged.
            blurred: the one it was made of.
        """
        return self.network.logits(image, blurred)


class Opponent:
    """Takes one step for each of the network's, at its learning rate.

    Args:
        fabric: the devices.
        recipe: names optimiser and seed.
        settings: name the discriminator.
        leader: the network's optimiser.

    Attributes:
        network: the discriminator.
        optimizer: of its weights.
        steps: it has taken.
    """

    def __init__(self, fabric: Fabric, recipe: Recipe, settings: Settings, leader: torch.optim.Optimizer) -> None:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(recipe.seed + 1)
            network = Discriminator(variant=settings.opponent, width=settings.opponent_width)
        fabric.to_device(network)
        self.network = network
        kind = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW}[recipe.optimizer]
        self.optimizer = kind(
            network.parameters(), lr=recipe.lr, betas=recipe.betas, weight_decay=recipe.weight_decay, fused=False
        )
        self.steps = 0
        self._fabric, self._leader, self._seed = fabric, leader, recipe.seed
        self._smooth = settings.terms == "code"
        self._judge = Judge(self.network)
        self._forward, self._stepper = fabric.setup(Judge(self.network), self.optimizer)

    def learn(self, restored: Tensor, pairs: Pairs) -> None:
        """Take a step, unless its gradient is not finite.

        Args:
            restored: what the network made; it gets no gradient.
            pairs: the batch.
        """
        for group in self.optimizer.param_groups:
            group["lr"] = self._leader.param_groups[0]["lr"]
        real = self._forward(pairs.sharp, pairs.blurred).float()
        fake = self._forward(restored.detach(), pairs.blurred).float()
        drawn = generator_for(self._seed, "opponent", self.steps, self._fabric.global_rank) if self._smooth else None
        self.optimizer.zero_grad()
        self._fabric.backward(discriminator_loss(real, fake, generator=drawn))
        gradients = [weight.grad for weight in self.network.parameters() if weight.grad is not None]
        if bool(torch.nn.utils.get_total_norm(gradients).isfinite()):
            self._stepper.step()
        self.steps += 1

    def verdict(self, restored: Tensor, blurred: Tensor) -> Tensor:
        """The logits of what the network made; only the network gets a gradient.

        Args:
            restored: what the network made.
            blurred: what it was made of.
        """
        fixed = {name: weight.detach() for name, weight in self._judge.named_parameters()}
        with self._fabric.autocast():
            return torch.func.functional_call(self._judge, fixed, (restored, blurred)).float()

    def state(self) -> dict[str, Tensor]:
        """All that it needs to go on, as tensors."""
        kept = {f"network/{name}": value for name, value in self.network.state_dict().items()}
        for number, moments in self.optimizer.state_dict()["state"].items():
            kept |= {f"optimizer/{number}/{key}": torch.as_tensor(value) for key, value in moments.items()}
        return kept | {"steps": torch.tensor(self.steps)}

    def resume(self, state: Mapping[str, Tensor]) -> None:
        """Go on from what :meth:`state` returned.

        Args:
            state: on the CPU.

        Raises:
            RuntimeError: the state is not that of this discriminator.
        """
        named = {name.removeprefix("network/"): value for name, value in state.items() if name.startswith("network/")}
        self.network.load_state_dict(named)
        moments: dict[int, dict[str, Tensor]] = {}
        for name, value in state.items():
            if name.startswith("optimizer/"):
                _, number, key = name.split("/")
                moments.setdefault(int(number), {})[key] = value
        self.optimizer.load_state_dict({**self.optimizer.state_dict(), "state": moments})
        self.steps = int(state["steps"])


def objective_of(fabric: Fabric, recipe: Recipe, optimizer: torch.optim.Optimizer) -> tuple[Objective, Opponent | None]:
    """What a recipe's network is trained to do, and against whom.

    Args:
        fabric: the devices.
        recipe: names the network and, in its table ``objective``, what is set otherwise.
        optimizer: of the network.

    Raises:
        RecipeError: the table holds what the network's objective does not have.
        WeightsError: VGG-19's weights are asked for and cannot be had.
    """
    plain = OBJECTIVES[recipe.network]
    if recipe.network != "darkdeblur":
        if recipe.objective:
            raise RecipeError(
                f"{recipe.name}: the objective of {recipe.network} has nothing to set, not even "
                f"{next(iter(recipe.objective))!r}. Take the table objective away."
            )
        return plain, None
    settings = Settings.of(recipe.objective, recipe.name)
    vgg = settings.features()
    if vgg is not None:
        fabric.to_device(vgg)
    opponent = Opponent(fabric, recipe, settings, optimizer) if settings.weights().adversarial else None

    def terms(output: Tensor, pairs: Pairs) -> dict[str, Tensor]:
        logits = None
        if opponent is not None:
            opponent.learn(output.float(), pairs)
            logits = opponent.verdict(output.float(), pairs.blurred)
        return all_terms(settings, output, pairs, logits, vgg)

    return Objective(plain.inputs, terms), opponent

"""DarkDeblurNet: the multi-term objective, with or without an opponent and VGG-19."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from torch import Tensor

from nightsharp.errors import RecipeError, WeightsError
from nightsharp.methods.darkdeblur.losses import RELEASED, Terms, Weights, paper_terms, released_terms
from nightsharp.methods.darkdeblur.variants import VariantName
from nightsharp.methods.darkdeblur.vgg import VGG19Features
from nightsharp.synthesis import Pairs


class Settings(BaseModel):
    """What a recipe says of the objective, in its table ``objective``.

    Attributes:
        terms: ``paper`` or ``code``: how the terms are computed, and what they weigh where nothing is said.
        reconstruction: weight of the mean absolute error; 0 leaves a term out.
        structure: weight of 1 - MS-SSIM.
        perceptual: weight of the error of VGG-19's features.
        adversarial: weight of the opponent's verdict.
        vgg: where VGG-19's public weights are: a file, ``hub`` to fetch them with torch.hub, or ``none`` to train
            without the perceptual term.
        opponent: variant of the discriminator.
        opponent_width: channels of its first convolution.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    terms: Literal["paper", "code"] = "paper"
    reconstruction: float | None = Field(default=None, ge=0)
    structure: float | None = Field(default=None, ge=0)
    perceptual: float | None = Field(default=None, ge=0)
    adversarial: float | None = Field(default=None, ge=0)
    vgg: str = "none"
    opponent: VariantName = "nightsharp"
    opponent_width: int = Field(default=64, ge=1)

    @classmethod
    def of(cls, table: dict[str, Any], where: str) -> "Settings":
        """Read a recipe's table.

        Args:
            table: the table ``objective``.
            where: the recipe's name, for messages.

        Raises:
            RecipeError: a key is unknown or a value impossible.

        Example:
            >>> Settings.of({"structure": 0}, "mine").weights()
            Weights(reconstruction=1.0, structure=0.0, perceptual=0.01, adversarial=0.0001)
        """
        try:
            return cls.model_validate(table)
        except ValidationError as problem:
            first = problem.errors()[0]
            key = ".".join(map(str, ("objective", *first["loc"])))
            known = ", ".join(cls.model_fields)
            raise RecipeError(
                f"{where}: {key} = {first['input']!r} cannot be: {first['msg'].lower()}. The objective has {known}."
            ) from problem

    def weights(self) -> Weights:
        """Of the terms; what the recipe leaves out is as published."""
        usual = Weights() if self.terms == "paper" else RELEASED
        names = ("reconstruction", "structure", "perceptual", "adversarial")
        return Weights(*(getattr(usual if getattr(self, name) is None else self, name) for name in names))

    def features(self) -> VGG19Features | None:
        """VGG-19 with its weights; None where the term is left out.

        Raises:
            WeightsError: the weights cannot be read or fetched.
        """
        if self.vgg == "none" or not self.weights().perceptual:
            return None
        try:
            return VGG19Features.from_public(None if self.vgg == "hub" else self.vgg)
        except WeightsError as problem:
            raise WeightsError(
                f"{problem} In a recipe that is --set objective.vgg=FILE or --set objective.vgg=none."
            ) from problem


def inputs(pairs: Pairs) -> tuple[Tensor]:
    """The recorded image alone.

    Args:
        pairs: the batch, display values.
    """
    return (pairs.blurred,)


def terms(output: Tensor, pairs: Pairs) -> Terms:
    """The terms that need neither an opponent nor VGG-19, weighted as in the paper.

    Args:
        output: the restored image.
        pairs: the batch.
    """
    return all_terms(Settings(), output, pairs, None, None)


def all_terms(
    settings: Settings, output: Tensor, pairs: Pairs, logits: Tensor | None, vgg: VGG19Features | None
) -> Terms:
    """Every term that there is something to compute it of.

    Args:
        settings: of the recipe.
        output: the restored image.
        pairs: the batch.
        logits: of the opponent for ``output``; None without one.
        vgg: VGG-19's features; None without.
    """
    compute = paper_terms if settings.terms == "paper" else released_terms
    return compute(output.float(), pairs.sharp, logits, vgg, settings.weights())

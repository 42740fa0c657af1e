"""What a weight file says of itself: the network, how it was trained, what it measured, who may use it."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from nightsharp.errors import WeightsError

_TEXT = 20_000
_LARGEST = 4096
"""No channel count or depth comes near; a file that claims more must not keep the machine busy."""


class Measurement(BaseModel):
    """One measured figure with the protocol it was measured by.

    Example:
        >>> str(Measurement(on="Levin 2009, 32 images", metric="PSNR", value=31.5, unit="dB", protocol="border 15 px"))
        'Levin 2009, 32 images: PSNR 31.5 dB (border 15 px)'
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    on: str = Field(min_length=1, max_length=500)
    metric: str = Field(min_length=1, max_length=100)
    value: float
    unit: str = Field(default="", max_length=50)
    protocol: str = Field(min_length=1, max_length=2000)

    def __str__(self) -> str:
        """One line for lists."""
        return f"{self.on}: {self.metric} {self.value:g}{' ' if self.unit else ''}{self.unit} ({self.protocol})"


class Card(BaseModel):
    """The card of a weight file.

    Attributes:
        system: the network's name in :data:`~nightsharp.weights.systems.SYSTEMS`.
        config: the arguments the network is built with; ``save`` takes them from the network.
        data: what the weights were trained on.
        recipe: by which recipe, with what was set otherwise.
        steps: optimiser steps taken.
        hours: of training, all runs together.
        machine: what they ran on.
        measured: figures, each with its protocol.
        licence: who may use the weights and why.
        history: what came before, the newest last; a replaced file leaves its line here.

    Example:
        >>> Card(system="dwdn", recipe="dwdn-lite", steps=20_000).history
        ()
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    system: str = Field(min_length=1, max_length=100)
    config: dict[str, Any] = Field(default_factory=dict)
    data: str = Field(default="", max_length=_TEXT)
    recipe: str = Field(default="", max_length=_TEXT)
    steps: int = Field(default=0, ge=0)
    hours: float = Field(default=0.0, ge=0)
    machine: str = Field(default="", max_length=2000)
    measured: tuple[Measurement, ...] = ()
    licence: str = Field(default="", max_length=_TEXT)
    history: tuple[str, ...] = ()


def read_card(text: str, where: str) -> Card:
    """Read a card from the metadata of a file.

    Args:
        text: the card as JSON.
        where: the file's name, for the message.

    Raises:
        WeightsError: this is no card, or one that a network of ours cannot have.

    Example:
        >>> read_card('{"system": "dwdn", "steps": 5}', "a.safetensors").steps
        5
    """
    try:
        card = Card.model_validate_json(text)
    except ValidationError as problem:
        first = problem.errors()[0]
        place = ".".join(map(str, first["loc"])) or "card"
        raise WeightsError(
            f"{where}: the card does not read ({place}: {first['msg']}). It was not written by this version of "
            "nightsharp; convert or train the weights again."
        ) from problem
    _check_sizes(card.config, where)
    return card


def _check_sizes(value: object, where: str) -> None:
    if isinstance(value, dict | list):
        for part in value.values() if isinstance(value, dict) else value:
            _check_sizes(part, where)
    elif isinstance(value, int) and abs(value) > _LARGEST:
        raise WeightsError(
            f"{where}: the card asks for a network with a size of {value}; the largest is {_LARGEST}. "
            "Do not use this file."
        )

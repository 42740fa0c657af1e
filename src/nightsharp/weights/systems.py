"""The networks that weights exist for, by the name that their cards carry."""

import difflib
from dataclasses import dataclass
from importlib import import_module
from types import ModuleType
from typing import Any

from torch import nn

from nightsharp.errors import WeightsError


@dataclass(frozen=True)
class Port:
    """A tensor that a network takes, ``(batch, channels, height, width)``.

    Attributes:
        name: of the argument.
        channels: how many.
        multiple: height and width are multiples of this.
        is_psf: it is a PSF, whose size is its own.
    """

    name: str
    channels: int
    multiple: int = 1
    is_psf: bool = False


@dataclass(frozen=True)
class System:
    """Where a network and the table of its official layout are found.

    Attributes:
        name: as cards carry it.
        network: ``module:class``; the class's instances have ``config``, the arguments they were built with.
        takes: the name of the image that ``forward`` takes.
        channels: of that image; what the configuration says of ``colours`` when None.
        multiple: height and width of it are multiples of this.
        takes_psf: ``forward`` takes a PSF besides.
        official: the module with ``from_official(state) -> (config, state)`` and ``to_official(config, state) ->
            state``; empty for a network that was published here.
    """

    name: str
    network: str
    takes: str = "blurred"
    channels: int | None = None
    multiple: int = 8
    takes_psf: bool = True
    official: str = ""

    def network_class(self) -> type[nn.Module]:
        """Import the network's class; nothing of it is imported before."""
        module, name = self.network.split(":")
        return getattr(import_module(module), name)

    def official_table(self) -> ModuleType:
        """Import the table of the official layout.

        Raises:
            WeightsError: the network has no official release.
        """
        if not self.official:
            raise WeightsError(f"{self.name} has no official release whose weights could be converted.")
        return import_module(self.official)

    def inputs(self, config: dict[str, Any]) -> tuple[Port, ...]:
        """What the network of that configuration takes.

        Example:
            >>> [port.name for port in SYSTEMS["dwdn"].inputs({"colours": 3})]
            ['blurred', 'psf']
        """
        image = Port(self.takes, self.channels or config["colours"], self.multiple)
        return (image, Port("psf", 1, is_psf=True)) if self.takes_psf else (image,)


SYSTEMS: dict[str, System] = {
    system.name: system
    for system in (
        System("dwdn", "nightsharp.methods.dwdn:DWDN", official="nightsharp.methods.dwdn.official"),
        System("infwide", "nightsharp.methods.infwide:INFWIDE", official="nightsharp.methods.infwide.official"),
        System(
            "darkdeblur",
            "nightsharp.methods.darkdeblur:DarkDeblurNet",
            channels=3,
            takes_psf=False,
            official="nightsharp.methods.darkdeblur.official",
        ),
        System(
            "nightwiener",
            "nightsharp.methods.nightwiener:NightWiener",
            takes="stack",
            channels=15,
            takes_psf=False,
        ),
        System(
            "nightprior",
            "nightsharp.methods.nightwiener:NightPrior",
            takes="stack",
            channels=3,
            multiple=4,
            takes_psf=False,
        ),
    )
}


def get_system(name: str, where: str = "") -> System:
    """The system of that name.

    Args:
        name: as cards carry it.
        where: the file that names it, for the message.

    Raises:
        WeightsError: there is none of that name.

    Example:
        >>> get_system("dwdn").network
        'nightsharp.methods.dwdn:DWDN'
    """
    if name in SYSTEMS:
        return SYSTEMS[name]
    near = difflib.get_close_matches(name, SYSTEMS, 1)
    advice = f"Did you mean {near[0]!r}?" if near else f"There are {', '.join(SYSTEMS)}."
    raise WeightsError(f"{f'{where}: ' if where else ''}there is no network {name!r}. {advice}")

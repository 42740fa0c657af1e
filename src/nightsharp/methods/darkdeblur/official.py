"""The official release's names of DarkDeblurNet's layers beside ours, and the exchange of weights both ways."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from torch import Tensor

from nightsharp.errors import WeightsError
from nightsharp.methods._blocks.official_names import Pairs, layer_shape, plain, renamed

_SYSTEM = "DarkDeblurNet"
# Each attention stores three dense blocks and runs the first.
_DEAD = re.compile(r"depthAttention\d\.RDB[23]\.")


def official_names() -> dict[str, str]:
    """From our layers' names to the official ones.

    Example:
        >>> official_names()["gates.0.mask"]
        'gate1.mask_conv2d'
    """
    return dict(_names())


def _names() -> Pairs:
    yield "enter", "inputConv"
    for place in range(6):
        ours, theirs = f"dense.{place}", f"depthAttention{place + 1}.RDB1"
        yield f"{ours}.attention.squeeze", f"{theirs}.DA.fc.0"
        yield f"{ours}.attention.excite", f"{theirs}.DA.fc.2"
        for layer in range(4):
            yield f"{ours}.convs.{layer}", f"{theirs}.conv{layer + 1}"
        yield f"{ours}.last", f"{theirs}.conv5"
    for place in range(3):
        yield f"gates.{place}.feature", f"gate{place + 1}.conv2d"
        yield f"gates.{place}.mask", f"gate{place + 1}.mask_conv2d"
        yield f"downs.{place}", f"down{place + 1}"
        yield f"narrow.{place}", f"convUP{place + 1}"
        yield f"rises.{place}.widen", f"psUpsampling{place + 1}.upSample.0"
        yield f"rises.{place}.norm", f"psUpsampling{place + 1}.upSample.1"
    yield "leave", "convOut"


def _discriminator_names() -> Iterator[tuple[str, str]]:
    for place in range(8):
        yield f"convs.{place}", f"conv{place + 1}"
    for place in range(7):
        yield f"norms.{place}", f"bn{place + 2}"
    yield "last", "conv9"


def from_official(state: Mapping[str, Tensor]) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Take over a state dict of the official release, the generator's.

    The two dense blocks of each attention that are stored and never run are left out.

    Args:
        state: tensors by their official names; a leading ``module.`` is dropped.

    Returns:
        The arguments of :class:`~nightsharp.methods.darkdeblur.DarkDeblurNet`, read off the shapes, with ``faithful``
        on; and the state dict of that network.

    Raises:
        WeightsError: layers are missing or do not belong to DarkDeblurNet.

    Example:
        >>> from nightsharp.methods.darkdeblur import DarkDeblurNet
        >>> network = DarkDeblurNet(widths=(8, 16, 16, 24), growth=4, faithful=True)
        >>> config, state = from_official(to_official(network.config, network.state_dict()))
        >>> config == network.config
        True
    """
    alive = {name: value for name, value in plain(state).items() if not _DEAD.match(name)}
    config = {
        "variant": "code",
        "widths": tuple(layer_shape(alive, name, _SYSTEM)[0] for name in ("inputConv", "down1", "down2", "down3")),
        "growth": layer_shape(alive, "depthAttention1.RDB1.conv1", _SYSTEM)[0],
        "attention": True,
        "gates": True,
        "faithful": True,
    }
    return config, renamed(alive, {theirs: ours for ours, theirs in _names()}, _SYSTEM)


def to_official(config: Mapping[str, Any], state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Give a state dict the official names; the dense blocks that the release never runs are not made up.

    Args:
        config: of the network.
        state: of the network.

    Raises:
        WeightsError: the network is not of the released architecture.
    """
    if config["variant"] != "code":
        raise WeightsError(
            f"a {_SYSTEM} of the variant {config['variant']!r} has no official layout; the release is 'code'."
        )
    return renamed(state, official_names(), _SYSTEM)


def discriminator_to_official(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Give the state dict of a discriminator of the variant ``"code"`` the official names.

    Args:
        state: of the discriminator.

    Raises:
        WeightsError: the state is not that of such a discriminator.
    """
    return renamed(state, dict(_discriminator_names()), f"{_SYSTEM}'s discriminator")


def discriminator_from_official(state: Mapping[str, Tensor]) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Take over the state dict of the official discriminator.

    Args:
        state: tensors by their official names; a leading ``module.`` is dropped.

    Returns:
        The arguments of :class:`~nightsharp.methods.darkdeblur.Discriminator`, and its state dict.

    Raises:
        WeightsError: layers are missing or do not belong to it.
    """
    system = f"{_SYSTEM}'s discriminator"
    state = plain(state)
    config = {"variant": "code", "width": layer_shape(state, "conv1", system)[0]}
    return config, renamed(state, {theirs: ours for ours, theirs in _discriminator_names()}, system)

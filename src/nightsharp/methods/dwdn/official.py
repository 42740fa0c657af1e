"""The official release's names of DWDN's layers beside ours, and the exchange of weights both ways."""

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from nightsharp.methods._blocks.official_names import (
    Pairs,
    count_blocks,
    encoder_names,
    layer_shape,
    plain,
    renamed,
    residual_names,
    unet_names,
)

_SYSTEM = "DWDN"


def official_names(blocks: int) -> dict[str, str]:
    """From our layers' names to the official ones.

    Example:
        >>> official_names(blocks=3)["to_image"]
        'outBlock2.0.body.0'
    """
    return dict(_names(blocks))


def _names(blocks: int) -> Pairs:
    yield from encoder_names("extract", "FeatureBlock", blocks)
    yield from encoder_names("enter_half", "inBlock1", blocks)
    yield from encoder_names("enter_full", "inBlock2", blocks)
    yield from unet_names("unet", "", blocks)
    yield from residual_names("refine", "outBlock", blocks)
    yield "to_image", "outBlock2.0.body.0"


def from_official(state: Mapping[str, Tensor]) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Take over a state dict of the official release.

    Args:
        state: tensors by their official names; a leading ``module.`` is dropped.

    Returns:
        The arguments of :class:`~nightsharp.methods.dwdn.DWDN`, read off the shapes, with ``faithful`` on; and the
        state dict of that network.

    Raises:
        WeightsError: layers are missing or do not belong to DWDN.

    Example:
        >>> from nightsharp.methods.dwdn import DWDN
        >>> network = DWDN.lite(faithful=True)
        >>> config, state = from_official(to_official(network.config, network.state_dict()))
        >>> config == network.config
        True
    """
    state = plain(state)
    features, colours, *_ = layer_shape(state, "FeatureBlock.0.body.0", _SYSTEM)
    config = {
        "colours": colours,
        "features": features,
        "width": layer_shape(state, "inBlock1.0.body.0", _SYSTEM)[0],
        "blocks": count_blocks(state, "outBlock.{}.body.0.body.0"),
        "faithful": True,
    }
    ours = {theirs: ours for ours, theirs in _names(config["blocks"])}
    return config, renamed(state, ours, _SYSTEM)


def to_official(config: Mapping[str, Any], state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Give a state dict the official names.

    Args:
        config: of the network.
        state: of the network.

    Raises:
        WeightsError: the state is not that of a DWDN with this configuration.
    """
    return renamed(state, official_names(config["blocks"]), _SYSTEM)

"""The official release's names of INFWIDE's layers beside ours, and the exchange of weights both ways."""

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

_SYSTEM = "INFWIDE"
_LEVELS = (1, 2, 3)


def official_names(blocks: int, denoiser_blocks: int) -> dict[str, str]:
    """From our layers' names to the official ones.

    Example:
        >>> official_names(blocks=3, denoiser_blocks=2)["denoiser.head"]
        'DenoiseUnet.m_head'
    """
    return dict(_names(blocks, denoiser_blocks))


def _names(blocks: int, denoiser_blocks: int) -> Pairs:
    yield from encoder_names("extract", "FeatModule1.FeatureBlock", blocks)
    yield from _denoiser_names("denoiser", "DenoiseUnet", denoiser_blocks)
    yield from encoder_names("refine.enter", "FSRefineModule.InBlock2.inBlock", blocks)
    yield from unet_names("refine.unet", "FSRefineModule.RefineUnet.", blocks)
    yield from residual_names("refine.refine", "FSRefineModule.OutBlock_a.outLayers", blocks)
    yield from _to_image_names("refine.to_image", "FSRefineModule.OutBlock_b.outLayers")
    yield from _fusion_names("fusion", "MergeRefineModule", blocks)


def _denoiser_names(ours: str, theirs: str, blocks: int) -> Pairs:
    def stage(ours: str, theirs: str, first: int = 0) -> Pairs:
        for index in range(blocks):
            yield f"{ours}.{index}.first", f"{theirs}.{index + first}.res.0"
            yield f"{ours}.{index}.second", f"{theirs}.{index + first}.res.2"

    yield f"{ours}.head", f"{theirs}.m_head"
    for place, level in enumerate(_LEVELS):
        yield from stage(f"{ours}.down.{place}.blocks", f"{theirs}.m_down{level}")
        yield f"{ours}.down.{place}.shrink", f"{theirs}.m_down{level}.{blocks}"
    yield from stage(f"{ours}.body", f"{theirs}.m_body")
    for place, level in enumerate(reversed(_LEVELS)):
        yield f"{ours}.up.{place}.enlarge", f"{theirs}.m_up{level}.0"
        yield from stage(f"{ours}.up.{place}.blocks", f"{theirs}.m_up{level}", first=1)
    yield f"{ours}.tail", f"{theirs}.m_tail"


def _to_image_names(ours: str, theirs: str) -> Pairs:
    yield f"{ours}.block.first", f"{theirs}.0.body.0.body.0"
    yield f"{ours}.block.second", f"{theirs}.0.body.2.body.0"
    yield f"{ours}.mix", f"{theirs}.1.body.0"
    yield f"{ours}.leave", f"{theirs}.2.body.0"


def _fusion_names(ours: str, theirs: str, blocks: int) -> Pairs:
    for scale, level in (("half", 1), ("full", 2)):
        for stream, place in (("image", 1), ("feature", 2)):
            yield from encoder_names(
                f"{ours}.enter_{scale}_{stream}", f"{theirs}.InBlock{level}{place}.inBlock", blocks
            )
    for step, official, leave in (
        ("down1", "XRD1", "conv"),
        ("down2", "XRD2", "conv"),
        ("up2", "XRU2", "deconv"),
        ("up1", "XRU1", "deconv"),
    ):
        for stream, enter, leaves in (("image", "conv1", "12"), ("feature", "conv2", "21")):
            yield f"{ours}.unet.{step}.{stream}.first", f"{theirs}.XRFUnet.{official}.{enter}.0.body.0"
            yield f"{ours}.unet.{step}.{stream}.second", f"{theirs}.XRFUnet.{official}.{enter}.1.body.0"
            yield f"{ours}.unet.{step}.{stream}.leave.conv", f"{theirs}.XRFUnet.{official}.{leave}{leaves}.1.body.0"
    yield from residual_names(f"{ours}.refine_image", f"{theirs}.OutBlock_a1.outLayers", blocks)
    yield from residual_names(f"{ours}.refine_feature", f"{theirs}.OutBlock_a2.outLayers", blocks)
    yield from _to_image_names(f"{ours}.to_image", f"{theirs}.OutBlock_b.outLayers")


def from_official(state: Mapping[str, Tensor]) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Take over a state dict of the official release.

    Args:
        state: tensors by their official names; a leading ``module.`` is dropped.

    Returns:
        The arguments of :class:`~nightsharp.methods.infwide.INFWIDE`, read off the shapes, with ``faithful`` on; and
        the state dict of that network.

    Raises:
        WeightsError: layers are missing or do not belong to INFWIDE.

    Example:
        >>> from nightsharp.methods.infwide import INFWIDE
        >>> network = INFWIDE.lite(faithful=True)
        >>> config, state = from_official(to_official(network.config, network.state_dict()))
        >>> config == network.config
        True
    """
    state = plain(state)
    features, colours, *_ = layer_shape(state, "FeatModule1.FeatureBlock.0.body.0", _SYSTEM)
    config = {
        "colours": colours,
        "features": features,
        "width": layer_shape(state, "FSRefineModule.InBlock2.inBlock.0.body.0", _SYSTEM)[0],
        "blocks": count_blocks(state, "FSRefineModule.OutBlock_a.outLayers.{}.body.0.body.0"),
        "denoiser_width": layer_shape(state, "DenoiseUnet.m_head", _SYSTEM)[0],
        "denoiser_blocks": count_blocks(state, "DenoiseUnet.m_body.{}.res.0"),
        "fusion_width": layer_shape(state, "MergeRefineModule.InBlock11.inBlock.0.body.0", _SYSTEM)[0],
        "faithful": True,
    }
    ours = {theirs: ours for ours, theirs in _names(config["blocks"], config["denoiser_blocks"])}
    return config, renamed(state, ours, _SYSTEM)


def to_official(config: Mapping[str, Any], state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Give a state dict the official names.

    Args:
        config: of the network.
        state: of the network.

    Raises:
        WeightsError: the state is not that of an INFWIDE with this configuration.
    """
    return renamed(state, official_names(config["blocks"], config["denoiser_blocks"]), _SYSTEM)

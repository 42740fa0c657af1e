"""First weights that come from another network: INFWIDE begins as a DWDN of one scale."""

import torch
from torch import nn

from nightsharp.errors import RecipeError
from nightsharp.methods._blocks.residual import ResidualBlock
from nightsharp.methods.infwide import INFWIDE
from nightsharp.methods.infwide.denoiser import Denoiser, PlainBlock
from nightsharp.methods.infwide.fusion import Fusion, ToImage
from nightsharp.weights import load

# Where the parts of a DWDN stand in INFWIDE.
_PARTS = {
    "extract.": "extract.",
    "enter_half.": "refine.enter.",
    "unet.": "refine.unet.",
    "refine.": "refine.refine.",
    "to_image.": "refine.to_image.leave.",
}
# What a rise adds at first, of what it would: not nothing, because a rectifier that is never passed learns nothing.
_FAINT = 0.01


@torch.no_grad()
def start_from_dwdn(network: nn.Module, weights: str, recipe: str) -> None:
    """Give an INFWIDE the feature branch that a DWDN has learned; everything else hands on what it is given at first.

    A DWDN refines its deconvolved features at half and at full size with one set of weights, INFWIDE's feature branch
    at full size alone, and makes an image of them with more layers. The denoiser begins as the identity, so the image
    branch as a Wiener filter, and the fusion hands on the feature branch's image: nothing has to learn to be an
    identity first.

    Args:
        network: the INFWIDE, changed in place.
        weights: those of a DWDN of the same features, width and blocks, by name or file.
        recipe: what to call the recipe in an error.

    Raises:
        RecipeError: the network is no INFWIDE, or the two do not fit.

    Example:
        >>> network = INFWIDE(width=16, blocks=1, denoiser_width=4, fusion_width=4)
        >>> start_from_dwdn(network, "dwdn", "infwide-lite")
    """
    learned = load(weights, system="dwdn").state_dict()
    if not isinstance(network, INFWIDE):
        raise RecipeError(f"{recipe}: start is for infwide alone. Leave it out.")
    renamed = {
        theirs + name.removeprefix(ours): value
        for name, value in learned.items()
        for ours, theirs in _PARTS.items()
        if name.startswith(ours)
    }
    own = network.state_dict()
    for name, value in renamed.items():
        if name not in own or own[name].shape != value.shape:
            raise RecipeError(
                f"{recipe}: the weights {weights!r} do not fit infwide's feature branch at {name}. Take config.width "
                "and config.blocks of those weights (nightsharp weights show)."
            )
    network.load_state_dict(own | renamed)
    _hand_on(network.refine.to_image)
    _begin_denoiser(network.denoiser)
    _begin_fusion(network.fusion)


def _begin_denoiser(denoiser: Denoiser) -> None:
    """The identity: what the lower levels find is nothing yet."""
    _copy(denoiser.head)
    _copy(denoiser.tail)
    for part in denoiser.modules():
        if isinstance(part, PlainBlock):
            _nothing(part.second)
    nn.init.zeros_(denoiser.up[-1].get_parameter("enlarge.weight"))


def _begin_fusion(fusion: Fusion) -> None:
    """The feature branch's image, at both scales."""
    width = fusion.unet.down1.image.first.in_channels
    for stream in (fusion.enter_half_image, fusion.enter_half_feature):
        _copy(stream.enter)
    for stream in (fusion.enter_full_image, fusion.enter_full_feature):
        _copy(stream.enter, skip=width)
    for part in fusion.modules():
        if isinstance(part, ResidualBlock):
            _nothing(part.second)
    for stream in (fusion.unet.up1.image, fusion.unet.up1.feature):
        for weight in stream.leave.parameters():
            weight.mul_(_FAINT)
    _hand_on(fusion.to_image)
    _copy(fusion.to_image.leave, skip=width)


def _hand_on(image: ToImage) -> None:
    """The layers of an image's making before the last one do nothing."""
    _copy(image.mix)
    _nothing(image.block.second)


def _copy(conv: nn.Conv2d, skip: int = 0) -> None:
    """As many channels as there are outputs, handed on as they are, after those that are skipped."""
    handed = min(conv.out_channels, conv.in_channels - skip)
    kept = conv.weight[handed:].clone()
    nn.init.zeros_(conv.weight)
    nn.init.dirac_(conv.weight[:, skip : skip + handed])
    conv.weight[handed:] = kept
    if conv.bias is not None:
        nn.init.zeros_(conv.bias)


def _nothing(conv: nn.Conv2d) -> None:
    """A convolution that finds nothing."""
    for weight in conv.parameters():
        nn.init.zeros_(weight)

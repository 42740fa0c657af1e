"""First weights that come from another network: INFWIDE's feature branch is a DWDN of one scale."""

import torch
from torch import nn

from nightsharp.errors import RecipeError
from nightsharp.methods.infwide import INFWIDE
from nightsharp.weights import load

# Where the parts of a DWDN stand in INFWIDE.
_PARTS = {
    "extract.": "extract.",
    "enter_half.": "refine.enter.",
    "unet.": "refine.unet.",
    "refine.": "refine.refine.",
    "to_image.": "refine.to_image.leave.",
}


@torch.no_grad()
def start_from_dwdn(network: nn.Module, weights: str, recipe: str) -> None:
    """Give an INFWIDE the feature branch that a DWDN has learned; what stands between the two does nothing at first.

    A DWDN refines its deconvolved features at half and at full size with one set of weights, INFWIDE's feature branch
    at full size alone, and makes an image of them with more layers.

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
    image = network.refine.to_image
    nn.init.dirac_(image.mix.weight)
    for nothing in (image.mix.bias, image.block.second.weight, image.block.second.bias):
        assert nothing is not None
        nn.init.zeros_(nothing)

"""Dark rims beside lamps, which a PSF that is a little wrong leaves."""

import torch
from jaxtyping import Float
from torch import Tensor

from nightsharp.methods._blocks import dilate

# An estimated PSF is off by a few percent of its light. Of a lamp this many times as bright as its ground that is about
# the ground itself, and it comes out black. With 20 the rims of a photograph of a lit court were gone; dark letters on
# a page are at most about 10 times as dark as it once they are blurred.
_BRIGHTER = 20.0
_DARKEST = 1e-4


def without_dark_rims(
    blurred: Float[Tensor, "1 channel height width"], sharp: Float[Tensor, "1 channel height width"], reach: int
) -> Float[Tensor, "1 channel height width"]:
    """Beside a lamp, nothing may come out darker than the darkest of its surroundings in the photograph.

    Args:
        blurred: the input, moved to where the result lies.
        sharp: the result.
        reach: how far a lamp's light was spread, pixels.

    Returns:
        The result, lifted where the brightest within reach is more than 20 times as bright as the darkest.

    Example:
        >>> street = torch.full((1, 1, 1, 9), 0.01)
        >>> street[..., 4] = 1
        >>> rims = street.clone()
        >>> rims[..., 3] = 0
        >>> torch.equal(without_dark_rims(street, rims, 2), street)
        True
    """
    darkest = -dilate(-blurred, reach)
    brightest = dilate(blurred.amax(1, keepdim=True), reach)
    lit = brightest > _BRIGHTER * darkest.mean(1, keepdim=True).clamp_min(_DARKEST)
    return torch.where(lit, torch.maximum(sharp, darkest), sharp)

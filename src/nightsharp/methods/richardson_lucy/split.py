"""Latent pixels that are saturated, and those that are not, learn from different parts of the photograph."""

import torch
from jaxtyping import Float
from torch import Tensor

from nightsharp.methods._blocks import Canvas, dilate
from nightsharp.methods.richardson_lucy.correction import Correction

# How fast trust in a pixel falls with the light that saturated latent pixels throw on it.
_DISTRUST = 10.0
# Pixels around a saturated one that are handled like it: side of the square.
_REACH = 3


class Split:
    r"""Two corrections in one: the full one for saturated latent pixels, a cautious one for all others.

    A PSF is never exact, and its error is multiplied by the brightness of what it spreads. The light trail of a lamp
    is therefore wrong by more than the scene around it is bright. Saturated latent pixels (and their neighbours) have
    to explain the trail; all others are estimated with the weight

    .. math:: w = \frac{w_0}{1 + (\kappa\, A x_S)^2}, \qquad x_S = x \text{ where saturated, else } 0

    and keep their value where nothing but trails was seen. Whyte et al. set w to 0 wherever x_S throws any light;
    a gradual weight loses less where the PSF is exact.

    Args:
        canvas: the photograph, its weights and its OTF.
        correction: the full correction.
        clip: latent values above it are saturated.

    Source: Whyte, Sivic, Zisserman, IJCV 2014, section 5.
    """

    def __init__(self, canvas: Canvas, correction: Correction, clip: float) -> None:
        self._canvas = canvas
        self._correction = correction
        self._clip = clip
        self._saturated: Float[Tensor, "batch 1 rows columns"] | None = None

    def look(self, latent: Float[Tensor, "batch channel rows columns"]) -> None:
        """Find the saturated latent pixels anew."""
        # one decision for all channels: a pixel split between two would grow a coloured fringe
        bright = (latent > self._clip).any(dim=1, keepdim=True)
        if not bool(bright.any()):
            self._saturated = None
            return
        grown = dilate(bright.to(latent.dtype), _REACH // 2)
        # faded, since a step from one rule to the other would be drawn into the picture as a seam
        self._saturated = torch.nn.functional.avg_pool2d(grown, _REACH, stride=1, padding=_REACH // 2)
        trail = self._correction.blur(latent * grown).amax(dim=1, keepdim=True).clamp_min_(0)
        # a ratio holds the canvas's own weight already
        self._weight = 1 / (1 + (_DISTRUST * trail).square())
        self._share = self._correction.share(self._canvas.known * self._weight)

    def __call__(
        self, ratio: Float[Tensor, "batch channel rows columns"], full: Float[Tensor, "batch channel rows columns"]
    ) -> Float[Tensor, "batch channel rows columns"]:
        """The full correction where the latent image is saturated, the cautious one elsewhere."""
        if self._saturated is None:
            return full
        return torch.lerp(self._correction(ratio * self._weight, self._share), full, self._saturated.expand_as(full))

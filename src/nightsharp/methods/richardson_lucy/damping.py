"""Total-variation damping of a multiplicative iteration."""

import torch
from jaxtyping import Float
from torch import Tensor

# Part of the contrast, below which gradients are smoothed as by a Gaussian.
_SOFTNESS = 0.05
# Light, in contrasts, from which on the damping grows no further: it multiplies the light, while noise and edges are
# measured by the contrast. In fog, snow and on paper, much brighter than their contrast, all would be smoothed away.
_BRIGHT = 8.0
# A step of tau x / epsilon above 1/4 overshoots from pixel to pixel, into a chessboard.
_STEPS = 4.0


def total_variation_damping(
    image: Float[Tensor, "batch channel rows columns"],
    weight: Float[Tensor, "batch #channel 1 1"],
    contrast: Float[Tensor, "batch 1 1 1"],
) -> Float[Tensor, "batch channel rows columns"]:
    r"""The divisor that holds noise back and leaves edges.

    .. math:: 1 - \tau'\, \mathrm{div} \frac{\nabla x}{\sqrt{\langle|\nabla x|^2\rangle + \epsilon^2}}, \qquad
        \tau' = \tau \min\!\big(1, \tfrac{8 c}{x}\big), \quad \epsilon = \max(0.05\, c,\; 4\, \tau' x)

    The gradient's length is the root mean square over the channels, so that an edge in one colour keeps the others
    from being smoothed across it. Differences wrap around at the border.

    Args:
        image: x, > 0.
        weight: tau, below 0.2; the divergence lies between -4 and 4.
        contrast: c, the standard deviation of the whole image, > 0.

    Example:
        >>> flat, weight, contrast = torch.ones(1, 1, 8, 8), torch.ones(1, 1, 1, 1) / 10, torch.ones(1, 1, 1, 1) / 5
        >>> total_variation_damping(flat, weight, contrast).unique()
        tensor([1.])

    Source: Dey et al. 2006, eq. (10).
    """
    light = image.mean(dim=1, keepdim=True)
    weight = weight * (_BRIGHT * contrast / light).clamp_max_(1)
    softness = (_STEPS * weight.mean(dim=1, keepdim=True) * light).maximum(_SOFTNESS * contrast)
    across = torch.roll(image, -1, -1).sub_(image)
    down = torch.roll(image, -1, -2).sub_(image)
    length = (across.square() + down.square()).mean(dim=1, keepdim=True).add_(softness.square()).sqrt_()
    across, down = across.div_(length), down.div_(length)
    divergence = across - torch.roll(across, 1, -1) + down - torch.roll(down, 1, -2)
    return 1 - weight * divergence

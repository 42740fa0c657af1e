"""Total-variation damping of a multiplicative iteration."""

import torch
from jaxtyping import Float
from torch import Tensor


def total_variation_damping(
    image: Float[Tensor, "batch channel rows columns"],
    weight: Float[Tensor, "batch #channel 1 1"],
    softness: Float[Tensor, "batch 1 1 1"],
) -> Float[Tensor, "batch channel rows columns"]:
    r"""The divisor that holds noise back and leaves edges.

    .. math:: 1 - \tau\, \mathrm{div} \frac{\nabla x}{\sqrt{\langle|\nabla x|^2\rangle + \epsilon^2}}

    The gradient's length is the root mean square over the channels, so that an edge in one colour keeps the others
    from being smoothed across it. Differences wrap around at the border.

    Args:
        image: x.
        weight: tau, below 0.2; the divergence lies between -4 and 4.
        softness: epsilon, > 0: gradients well below it are smoothed as by a Gaussian.

    Example:
        >>> flat, weight, softness = torch.ones(1, 1, 8, 8), torch.ones(1, 1, 1, 1) / 10, torch.ones(1, 1, 1, 1) / 100
        >>> total_variation_damping(flat, weight, softness).unique()
        tensor([1.])

    Source: Dey et al. 2006, eq. (10).
    """
    across = torch.roll(image, -1, -1).sub_(image)
    down = torch.roll(image, -1, -2).sub_(image)
    length = (across.square() + down.square()).mean(dim=1, keepdim=True).add_(softness.square()).sqrt_()
    across, down = across.div_(length), down.div_(length)
    divergence = across - torch.roll(across, 1, -1) + down - torch.roll(down, 1, -2)
    return 1 - weight * divergence

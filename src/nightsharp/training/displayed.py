"""Pairs of linear light, for a network that takes display values."""

from nightsharp.photo import linear_to_srgb
from nightsharp.synthesis import Pairs


def in_display_values(pairs: Pairs) -> Pairs:
    """The same pairs as a screen wants them; noise is measured anew.

    Args:
        pairs: linear light, range [0, 1].

    Example:
        >>> import torch
        >>> grey = torch.full((1, 3, 4, 4), 0.2140)
        >>> point = torch.ones(1, 1, 1, 1)
        >>> pairs = in_display_values(Pairs(grey, grey, grey, point, point, torch.zeros(1, 1, 1, 1)))
        >>> round(pairs.sharp.mean().item(), 3)
        0.5
    """
    sharp, clean, blurred = (linear_to_srgb(light.clamp(0, 1)) for light in (pairs.sharp, pairs.clean, pairs.blurred))
    sigma = (blurred - clean).square().mean(dim=(1, 2, 3), keepdim=True).sqrt()
    return Pairs(sharp, clean, blurred, pairs.psf, pairs.assumed_psf, sigma)

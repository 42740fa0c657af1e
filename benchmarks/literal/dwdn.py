"""DWDN as its release computes it, from a state dict under the official names."""

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from benchmarks.literal.layers import Weights, c, enter, rise, three
from benchmarks.literal.wiener import wiener


def dwdn(weights: Weights, image: Tensor, psf: Tensor, *, faithful: bool = True) -> list[Tensor]:
    """Both scales, half and full.

    Args:
        weights: the official state dict.
        image: (batch, 3, height, width), sides multiples of 8.
        psf: (batch, 1, k, k).
        faithful: count height squared pixels in the statistics.
    """
    height, width = image.shape[-2:]
    f = wiener(enter(weights, "FeatureBlock", image), psf, faithful=faithful)
    outputs = []
    p = None
    for level in (0, 1):
        size = (round(height / 2), round(width / 2)) if level == 0 else (height, width)
        u = interpolate(f, size=size, mode="bilinear", align_corners=False)
        if p is not None:
            u = torch.cat([u, interpolate(p, size=size, mode="bilinear", align_corners=False)], dim=1)
        a = enter(weights, f"inBlock{level + 1}", u)
        e1 = enter(weights, "encoder_first", a, 2)
        e2 = enter(weights, "encoder_second", e1, 2)
        d2 = rise(weights, "decoder_second", e2)
        d1 = rise(weights, "decoder_first", d2 + e1)
        p = three(weights, "outBlock", d1 + a)
        outputs.append(c(weights, "outBlock2.0.body.0", p))
    return outputs

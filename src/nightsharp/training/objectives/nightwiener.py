"""NightWiener: the logarithm of the squared error of the corrected estimate, every channel an image of its own."""

import torch
from torch import Tensor

from nightsharp.methods._blocks import CLIPPED, model_error, noise_level
from nightsharp.methods.hyper_laplacian import hyper_laplacian
from nightsharp.methods.nightwiener.bank import views
from nightsharp.restore.noise import local_slope
from nightsharp.restore.rim import RIM
from nightsharp.synthesis import Pairs
from nightsharp.training.objectives._decibels import below_60_db

# Rounding to 8 bits, which every file has on top of the camera's noise.
_ROUNDING = 1 / 255 / 12**0.5

terms = below_60_db


@torch.no_grad()
def inputs(pairs: Pairs) -> tuple[Tensor]:
    """The classical estimate and what it left unexplained, made as ``restore`` makes them of a photograph.

    A rim of unknown light lies around the record, the noise level is joined by what an inexact PSF leaves, and every
    other image is trusted pixel by pixel as a photograph in linear light is.

    Args:
        pairs: the batch.
    """
    blurred, psf = pairs.blurred, pairs.assumed_psf
    contrast = blurred.std(dim=(1, 2, 3), keepdim=True, correction=0)
    noise = (pairs.sigma.square() + _ROUNDING**2 + model_error(blurred).square()).sqrt()
    level = noise_level(blurred, noise.expand(-1, blurred.shape[1], -1, -1), 1.0)
    slope = local_slope(blurred)
    trust = (slope / slope.flatten(1).median(dim=1).values[:, None, None, None]).square().clamp_max(1)
    trust[::2] = 1
    room = (RIM,) * 4
    wide = torch.nn.functional.pad(blurred, room, mode="replicate")
    recorded = torch.nn.functional.pad(torch.ones_like(blurred), room) > 0
    wide = wide.where(recorded, wide.clamp_max(0.999 * CLIPPED))
    weight = torch.nn.functional.pad(trust, room)
    start = hyper_laplacian(wide, psf, sigma=level, contrast=contrast, weight=weight, tolerance=0.0)
    seen = views(wide, psf, start, level, contrast=contrast, weight=weight)
    return (seen[..., RIM:-RIM, RIM:-RIM].contiguous(),)

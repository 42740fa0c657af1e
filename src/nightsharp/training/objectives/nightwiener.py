"""NightWiener: the logarithm of the squared error of the corrected estimate, every channel an image of its own."""

from functools import cache

import torch
from torch import Tensor

from nightsharp.methods._blocks import CLIPPED, Canvas, model_error, noise_level
from nightsharp.methods.hyper_laplacian import hyper_laplacian
from nightsharp.methods.nightwiener.bank import views
from nightsharp.methods.nightwiener.prior import NightPrior
from nightsharp.methods.nightwiener.scene import of_each
from nightsharp.methods.nightwiener.turns import share, turns
from nightsharp.restore.noise import local_slope
from nightsharp.restore.rim import RIM
from nightsharp.synthesis import Pairs
from nightsharp.training.objectives._decibels import below_60_db
from nightsharp.weights import load

# Rounding to 8 bits, which every file has on top of the camera's noise.
_ROUNDING = 1 / 255 / 12**0.5

terms = below_60_db


@torch.no_grad()
def inputs(pairs: Pairs) -> tuple[Tensor, Tensor]:
    """The estimates and what they left unexplained, made as ``restore`` makes them of a photograph.

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
    canvas = Canvas.around(wide, psf, CLIPPED, weight)
    scenes = of_each(blurred, psf)
    *_, turned = start, *turns(start, canvas, level, contrast, scenes, _prior().to(wide.device))
    seen = views(canvas, start, turned, level, contrast, scenes)
    joined = share(canvas, psf, scenes)
    inner = (..., slice(RIM, -RIM), slice(RIM, -RIM))
    return seen[inner].contiguous(), joined[inner].contiguous()


@cache
def _prior() -> NightPrior:
    """The shipped prior, which learns nothing here."""
    prior = load("nightprior", system="nightprior")
    assert isinstance(prior, NightPrior)
    return prior.requires_grad_(False)

"""A batch as ``restore`` sees a photograph: room around it, the noise it assumes, the trust in each pixel."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import pad

from nightsharp.methods._blocks import CLIPPED, model_error, noise_level
from nightsharp.methods.hyper_laplacian import hyper_laplacian
from nightsharp.restore.noise import local_slope
from nightsharp.synthesis import Pairs

# Rounding to 8 bits, which every file has on top of the camera's noise.
_ROUNDING = 1 / 255 / 12**0.5


@dataclass(frozen=True)
class Photographed:
    """What a method that starts from the classical estimate is given.

    Attributes:
        blurred: the record, a rim of unknown light around it.
        weight: the trust in each pixel, 0 in the rim.
        psf: as it is believed to be.
        level: standard deviation of the noise.
        contrast: that of each whole image.
        start: the classical estimate.
    """

    blurred: Float[Tensor, "batch channel height width"]
    weight: Float[Tensor, "batch channel height width"]
    psf: Float[Tensor, "batch 1 k k"]
    level: Float[Tensor, "batch channel 1 1"]
    contrast: Float[Tensor, "batch 1 1 1"]
    start: Float[Tensor, "batch channel height width"]

    @classmethod
    def of(cls, pairs: Pairs, rim: int) -> "Photographed":
        """Make all of it.

        The noise level is joined by what an inexact PSF leaves, and every other image is trusted pixel by pixel as a
        photograph in linear light is.

        Args:
            pairs: the batch.
            rim: pixels of room on each side.
        """
        blurred, psf = pairs.blurred, pairs.assumed_psf
        contrast = blurred.std(dim=(1, 2, 3), keepdim=True, correction=0)
        noise = (pairs.sigma.square() + _ROUNDING**2 + model_error(blurred).square()).sqrt()
        level = noise_level(blurred, noise.expand(-1, blurred.shape[1], -1, -1), 1.0)
        slope = local_slope(blurred)
        trust = (slope / slope.flatten(1).median(dim=1).values[:, None, None, None]).square().clamp_max(1)
        trust[::2] = 1
        room = (rim,) * 4
        wide = pad(blurred, room, mode="replicate")
        recorded = pad(torch.ones_like(blurred), room) > 0
        wide = wide.where(recorded, wide.clamp_max(0.999 * CLIPPED))
        weight = pad(trust, room).expand_as(wide)
        start = hyper_laplacian(wide, psf, sigma=level, contrast=contrast, weight=weight, tolerance=0.0)
        return cls(wide, weight, psf, level, contrast, start)

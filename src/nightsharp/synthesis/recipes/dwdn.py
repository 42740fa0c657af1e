"""DWDN's training data."""

import torch
from jaxtyping import Float
from torch import Tensor

from nightsharp.errors import RecipeError
from nightsharp.optics.splat import splat
from nightsharp.synthesis.gaussian_camera import GaussianCamera
from nightsharp.synthesis.pipeline import Pipeline
from nightsharp.synthesis.trajectories.rotating import rotating_paths
from nightsharp.synthesis.trajectories.scaling import densified, scaled_to

_SIDES = (13, 35)


def dwdn(noise: float = 0.05, monochrome: float = 0.0) -> Pipeline:
    """DWDN's data: random motion PSFs of 13 x 13 to 35 x 35, circular blur, Gaussian noise of up to 5 %, 8 bits.

    The paper's images and noise; its PSF generator was not released, so the paths are those of INFWIDE, centred.

    Args:
        noise: the largest standard deviation, range [0, 1]; each image draws its own, uniformly.
        monochrome: share of the pairs with one channel three times, 0 to 1. The paper has none, and a network that
            always sees three kinds of noise takes that of a grey photograph for detail.

    Raises:
        RecipeError: ``noise`` or ``monochrome`` is outside its range.

    Example:
        >>> pairs = dwdn().pairs(torch.rand(2, 3, 48, 48), generator=torch.Generator().manual_seed(0))
        >>> pairs.psf.shape
        torch.Size([2, 1, 35, 35])

    Source: Dong, Roth and Schiele, "Deep Wiener Deconvolution", NeurIPS 2020, section 4.
    """
    if not 0 <= monochrome <= 1:
        raise RecipeError(f"monochrome is {monochrome}; give a share of the pairs, 0 to 1.")
    return Pipeline(name="dwdn", lens=motion_psfs, camera=GaussianCamera(noise), monochrome=monochrome)


def motion_psfs(count: int, generator: torch.Generator) -> Float[Tensor, "count 1 35 35"]:
    """Random motion PSFs whose tight side is an odd number from 13 to 35, in the middle of 35 x 35.

    Args:
        count: of PSFs.
        generator: the source of randomness, on the CPU.
    """
    least, most = _SIDES
    half = torch.randint(least // 2, most // 2 + 1, (count,), generator=generator)
    paths = rotating_paths(count, generator=generator)
    return splat(scaled_to(densified(paths, 4), half - 0.5), most).float()

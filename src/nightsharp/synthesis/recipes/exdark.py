"""DarkDeblur's training data."""

from nightsharp.photo import linear_to_srgb, srgb_to_linear
from nightsharp.synthesis.gaussian_camera import GaussianCamera
from nightsharp.synthesis.pipeline import Pipeline, Scene
from nightsharp.synthesis.trajectories.markovian import SIDE, markovian_psfs

_NOISE = 0.05


def exdark(noise: float = _NOISE) -> Pipeline:
    """DarkDeblur's data: Markovian shake on dark photographs, Gaussian noise of up to 5 %, 8-bit display values.

    What the original does not: PSFs sum to 1 and are centred, the blur happens in linear light, and no border is
    assumed: sharp crops are 64 pixels larger than the pairs.

    Args:
        noise: the largest standard deviation of the noise, 0 to 1; 0 as the released code trains.

    Raises:
        RecipeError: ``noise`` is outside its range.

    Example:
        >>> recipe = exdark()
        >>> side = recipe.source_side(32)
        >>> import torch
        >>> pairs = recipe.pairs(torch.rand(1, 3, side, side), generator=torch.Generator().manual_seed(0))
        >>> side, pairs.blurred.shape
        (96, torch.Size([1, 3, 32, 32]))

    Source: Sharif et al., "DarkDeblur", Expert Systems with Applications 2023, section 4.1; noise and path as in
    :func:`nightsharp.synthesis.trajectories.markovian_psfs`.
    """
    return Pipeline(
        name="exdark",
        lens=lambda count, generator: markovian_psfs(count, generator=generator),
        camera=GaussianCamera(noise),
        look=lambda sharp, generator: Scene(srgb_to_linear(sharp), sharp.new_full((len(sharp), 1, 1, 1), 2.2)),
        develop=linear_to_srgb,
        margin=SIDE // 2,
    )

"""INFWIDE's training data."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from nightsharp.errors import RecipeError
from nightsharp.optics.cmos import CmosSettings, cmos_codes, saturate
from nightsharp.synthesis.augmentation import flipped_and_turned
from nightsharp.synthesis.pipeline import Pipeline, Scene, display_values, on_device
from nightsharp.synthesis.trajectories.rotating import rotating_psfs

# The released code turns an image when a first draw falls outside (1/8, 1/4] and a second one inside (1/4, 1/2].
_TURNED = 7 / 8 * 1 / 4


def infwide(gain: float | None = None) -> Pipeline:
    """INFWIDE's data: rotating PSFs of 37 x 37, circular blur, CMOS noise, white at 1/1.2.

    ``clean`` is not cut off at 1/1.2, so that a denoiser can learn what was saturated.

    Args:
        gain: of the camera for all images, as in the paper's tests (4, 8, 16); None draws 4 to 15 for each.

    Raises:
        RecipeError: the gain is no whole number of at least 1.

    Example:
        >>> pairs = infwide(gain=8).pairs(torch.rand(1, 3, 48, 48), generator=torch.Generator().manual_seed(0))
        >>> round(float(pairs.blurred.max()), 2)
        0.83

    Source: Zhang, Cheng, Suo et al., "INFWIDE", IEEE TIP 2023, and its released configuration.
    """
    if gain is not None and not (gain >= 1 and float(gain).is_integer()):
        raise RecipeError(f"gain is {gain}; give whole 8-bit steps per electron, 4, 8 or 16 as in the paper.")
    return Pipeline(
        name="infwide",
        lens=lambda count, generator: rotating_psfs(count, generator=generator),
        camera=CmosCamera(None if gain is None else int(gain)),
        look=lambda sharp, generator: display_values(
            flipped_and_turned(sharp, turned=_TURNED, generator=generator), generator
        ),
    )


@dataclass(frozen=True)
class CmosCamera:
    """INFWIDE's camera with settings drawn for each image.

    Attributes:
        gain: the same for all images; None draws one for each.
    """

    gain: int | None = None

    def __call__(self, scene: Scene, generator: torch.Generator) -> Float[Tensor, "batch 3 height width"]:
        """Record blurred light."""
        settings = CmosSettings.drawn(len(scene.light), gain=self.gain, generator=generator)
        return saturate(cmos_codes(scene.light, settings, generator=on_device(generator, scene.light.device)))

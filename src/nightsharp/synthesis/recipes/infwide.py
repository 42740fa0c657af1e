"""INFWIDE's training data."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from nightsharp.errors import RecipeError
from nightsharp.optics.cmos import CmosSettings, cmos_codes, saturate
from nightsharp.synthesis.augmentation import flipped_and_turned
from nightsharp.synthesis.gaussian_camera import GaussianCamera
from nightsharp.synthesis.pipeline import Pipeline, Scene, display_values, on_device
from nightsharp.synthesis.trajectories.rotating import rotating_psfs

# The released code turns an image when a first draw falls outside (1/8, 1/4] and a second one inside (1/4, 1/2].
_TURNED = 7 / 8 * 1 / 4


def infwide(gain: float | None = None, gaussian: float = 0.0, noise: float = 0.05, monochrome: float = 0.0) -> Pipeline:
    """INFWIDE's data: rotating PSFs of 37 x 37, circular blur, CMOS noise, white at 1/1.2.

    ``clean`` is not cut off at 1/1.2, so that a denoiser can learn what was saturated.

    Args:
        gain: of the camera for all images, as in the paper's tests (4, 8, 16); None draws 4 to 15 for each.
        gaussian: share of the pairs with the released code's other kind of noise, white, 0 to 1. The camera is never
            less noisy than that, and a network that saw nothing else takes the detail of a quiet photograph for noise.
        noise: the largest standard deviation of that other kind, range [0, 1]; the released code's is 0.05.
        monochrome: share of the pairs with one channel three times, 0 to 1; the paper has none.

    Raises:
        RecipeError: the gain is no whole number of at least 1, or a share or the noise is outside its range.

    Example:
        >>> pairs = infwide(gain=8).pairs(torch.rand(1, 3, 48, 48), generator=torch.Generator().manual_seed(0))
        >>> round(float(pairs.blurred.max()), 2)
        0.83

    Source: Zhang, Cheng, Suo et al., "INFWIDE", IEEE TIP 2023, and its released configuration.
    """
    if gain is not None and not (gain >= 1 and float(gain).is_integer()):
        raise RecipeError(f"gain is {gain}; give whole 8-bit steps per electron, 4, 8 or 16 as in the paper.")
    for name, share in (("gaussian", gaussian), ("monochrome", monochrome)):
        if not 0 <= share <= 1:
            raise RecipeError(f"{name} is {share}; give a share of the pairs, 0 to 1.")
    return Pipeline(
        name="infwide",
        lens=lambda count, generator: rotating_psfs(count, generator=generator),
        camera=CmosCamera(None if gain is None else int(gain), gaussian, GaussianCamera(noise)),
        look=lambda sharp, generator: display_values(
            flipped_and_turned(sharp, turned=_TURNED, generator=generator), generator
        ),
        monochrome=monochrome,
    )


@dataclass(frozen=True)
class CmosCamera:
    """INFWIDE's camera with settings drawn for each image.

    Attributes:
        gain: the same for all images; None draws one for each.
        gaussian: share of the images that another camera records.
        other: that camera.
    """

    gain: int | None
    gaussian: float
    other: GaussianCamera

    def __call__(self, scene: Scene, generator: torch.Generator) -> Float[Tensor, "batch 3 height width"]:
        """Record blurred light."""
        settings = CmosSettings.drawn(len(scene.light), gain=self.gain, generator=generator)
        codes = cmos_codes(scene.light, settings, generator=on_device(generator, scene.light.device))
        if self.gaussian:
            chosen = torch.rand(len(codes), 1, 1, 1, generator=generator) < self.gaussian
            codes = torch.where(chosen.to(codes.device), self.other(scene, generator), codes)
        return saturate(codes)

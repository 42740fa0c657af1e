"""The camera of most papers: Gaussian noise, 8 bits."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from nightsharp.errors import RecipeError
from nightsharp.synthesis.pipeline import Scene, on_device


@dataclass(frozen=True)
class GaussianCamera:
    r"""Add Gaussian noise of a strength that differs from image to image, clip, round to 8 bits.

    .. math:: y = \tfrac{1}{255} \mathrm{round}\big(255\,\mathrm{clip}_{[0,1]}(x + \sigma n)\big),
        \qquad \sigma \sim U(0, \sigma_{\max})

    Attributes:
        largest: :math:`\sigma_{\max}`, range [0, 1].

    Raises:
        RecipeError: ``largest`` is outside its range.

    Example:
        >>> scene = Scene(torch.full((1, 3, 8, 8), 0.5), torch.ones(1, 1, 1, 1))
        >>> y = GaussianCamera(0.05)(scene, torch.Generator().manual_seed(0))
        >>> torch.allclose(y * 255, (y * 255).round(), atol=1e-4)
        True
    """

    largest: float

    def __post_init__(self) -> None:
        """Check at the door."""
        if not 0 <= self.largest <= 1:
            raise RecipeError(f"noise is {self.largest}; give the largest standard deviation, between 0 and 1.")

    def __call__(self, scene: Scene, generator: torch.Generator) -> Float[Tensor, "batch 3 height width"]:
        """Record blurred light."""
        light = scene.light
        sigma = self.largest * torch.rand(len(light), 1, 1, 1, generator=generator).to(light)
        source = on_device(generator, light.device)
        noise = torch.randn(light.shape, generator=source, dtype=light.dtype, device=light.device)
        return (light + sigma * noise).clamp_(0, 1).mul_(255).round_().div_(255)

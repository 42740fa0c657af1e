"""A small scene, its PSF, and its noisy blurred photograph without saturation."""

import skimage.data
import torch

from nightsharp.optics import Blur, shake

PSF = shake(9, generator=torch.Generator().manual_seed(3))
KERNEL = PSF.kernel[None, None]


def scene(channels: int = 3) -> torch.Tensor:
    image = torch.from_numpy(skimage.data.astronaut()).float().permute(2, 0, 1)[None] / 255
    return 0.9 * image[:, :channels, 40:109, 160:243]


def blurred(channels: int = 3, noise: float = 0.01) -> torch.Tensor:
    clean = Blur(PSF, "replicate")(scene(channels))
    grain = torch.randn(clean.shape, generator=torch.Generator().manual_seed(0))
    return (clean + noise * grain).clamp(0, 0.97)

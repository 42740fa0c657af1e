"""Tiny benchmark sets in their real layouts."""

from pathlib import Path

import numpy as np
import torch
from PIL import Image

from nightsharp.optics import Blur, Psf, line


def scene(height: int = 64, width: int = 72, seed: int = 0, channels: int = 1) -> torch.Tensor:
    blocks = torch.rand(1, channels, height // 8, width // 8, generator=torch.Generator().manual_seed(seed))
    return torch.nn.functional.interpolate(blocks, (height, width))[0] * 0.8 + 0.1


def save(image: torch.Tensor, file: Path) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    values = image.clamp(0, 1).mul(255).round().byte().permute(1, 2, 0).numpy()
    Image.fromarray(values[..., 0] if values.shape[2] == 1 else np.ascontiguousarray(values)).save(file)
    return file


def blurred(image: torch.Tensor, psf: Psf) -> torch.Tensor:
    return Blur(psf, "replicate")(image[None])[0]


def levin(data: Path, images: int = 2, psfs: int = 2) -> Path:
    """Levin's layout: a truth for each pair, PSFs as arrays."""
    folder = data / "levin2009"
    for image in range(1, images + 1):
        sharp = scene(seed=image)
        for number in range(1, psfs + 1):
            psf = line(3 + 2 * number, 40 * number)
            save(blurred(sharp, psf), folder / "blurred" / f"im{image:02d}_ker{number:02d}.png")
            save(sharp, folder / "gt" / f"im{image:02d}_ker{number:02d}.png")
            (folder / "kernel").mkdir(exist_ok=True)
            psf.save(folder / "kernel" / f"ker{number:02d}.npy")
    return folder


def selfdeblur(data: Path) -> Path:
    """SelfDeblur's layout: kernel 1 rotated, kernel 4 not."""
    folder = data / "levin2009" / "selfdeblur_png"
    sharp = scene(seed=1)
    save(sharp, folder / "gt" / "im1.png")
    ramp = torch.tensor([[0.0, 0.0, 0.0], [0.1, 0.2, 0.7], [0.0, 0.0, 0.0]])
    for number in (1, 4):
        stored = ramp.flip(0, 1) if number == 1 else ramp
        save((stored / stored.max())[None], folder / "gt" / f"kernel{number}.png")
        save(blurred(sharp, Psf.from_tensor(ramp)), folder / f"im1_kernel{number}_img.png")
    return folder


def pairs(blurred_folder: Path, sharp_folder: Path, *names: str) -> None:
    """Colour pairs of equal names."""
    for number, name in enumerate(names):
        sharp = scene(40, 48, seed=number, channels=3)
        save(blurred(sharp, line(5, 20)), blurred_folder / f"{name}.png")
        save(sharp, sharp_folder / f"{name}.png")

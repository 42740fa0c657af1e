"""The benchmark sets on disk: what is blurred, what is true, and which border does not count."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from PIL import Image
from torch import Tensor


class Pair(NamedTuple):
    """A blurred image (1, channel, height, width), its truth, the true PSF (1, 1, k, k), the border left out."""

    name: str
    blurred: Tensor
    sharp: Tensor
    psf: Tensor
    border: int


def levin(data: Path) -> Iterator[Pair]:
    """Levin et al. 2009: 4 images x 8 PSFs, captured; one truth per pair."""
    folder = data / "levin2009"
    for file in sorted((folder / "blurred").glob("*.png")):
        psf = _psf(folder / "kernel" / f"{file.stem[-5:]}.npy")
        yield Pair(file.stem, _image(file), _image(folder / "gt" / file.name), psf, 25)


def low_illumination(data: Path) -> Iterator[Pair]:
    """Pan et al.: 4 saturated night scenes x 8 PSFs; bright pixels stretched before the blur, clipped after it."""
    folder = data / "pan_lowillumination"
    for file in sorted((folder / "blurred").glob("saturated_img*_blur.png")):
        _, scene, number, _ = file.stem.split("_")
        psf = _psf(folder / "kernel" / f"ker{int(number):02d}.npy")
        yield Pair(file.stem, _image(file), _image(folder / "gt" / f"saturated_{scene}.png"), psf, 30)


def text(data: Path) -> Iterator[Pair]:
    """Pan et al. 2014: text images x 8 PSFs, replicate border, no noise."""
    folder = data / "pan_text"
    for file in sorted((folder / "blurred").glob("*.png")):
        scene, psf, _ = file.stem.split("_")
        truth = next((folder / "gt").glob(f"{scene}*"))
        yield Pair(file.stem, _image(file), _image(truth), _psf(folder / "kernel" / f"{psf}.npy"), 30)


SETS = {"levin2009": levin, "pan_lowillumination": low_illumination, "pan_text": text}


def _image(file: Path) -> Tensor:
    values = np.atleast_3d(np.asarray(Image.open(file), dtype=np.float32) / 255)[..., :3]
    return torch.from_numpy(values.copy()).permute(2, 0, 1)[None].contiguous()


def _psf(file: Path) -> Tensor:
    kernel = torch.from_numpy(np.load(file)).float().clamp_min(0)
    return (kernel / kernel.sum())[None, None]

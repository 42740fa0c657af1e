"""The small pictures beside the numbers."""

from pathlib import Path

import numpy as np
from PIL import Image
from torch import Tensor

from nightsharp.evaluation.alignment import Alignment
from nightsharp.optics import Psf

LONGEST = 320
ERROR_SCALE = 0.2
"""The absolute error that is drawn white."""

_PSF_SIDE = 96


def file_name(name: str) -> str:
    """A name that every file system takes."""
    return "".join(letter if letter.isalnum() or letter in "-_." else "_" for letter in name)


def write_image(image: Tensor, file: Path) -> None:
    """A (channel, height, width) image as a JPEG of at most 320 pixels a side."""
    values = image.detach().cpu().clamp(0, 1).expand(3, -1, -1).permute(1, 2, 0).numpy()
    _save(Image.fromarray(np.round(values * 255).astype(np.uint8)), file)


def write_error(aligned: Alignment, file: Path) -> None:
    """The absolute error, mean over channels: black none, white 0.2 or more, by red and yellow."""
    error = np.abs(aligned.result - aligned.truth).mean(axis=2) / ERROR_SCALE
    colours = np.stack([np.clip(3 * error - step, 0, 1) for step in (0, 1, 2)], axis=2)
    _save(Image.fromarray(np.round(colours * 255).astype(np.uint8)), file)


def write_psf(psf: Psf, file: Path) -> None:
    """A PSF in whole enlarged pixels, its darks lifted."""
    kernel = psf.kernel.numpy()
    side = max(kernel.shape)
    square = np.zeros((side, side), dtype=np.float32)
    top, left = (side - kernel.shape[0]) // 2, (side - kernel.shape[1]) // 2
    square[top : top + kernel.shape[0], left : left + kernel.shape[1]] = np.sqrt(kernel / kernel.max())
    picture = Image.fromarray(np.round(square * 255).astype(np.uint8))
    factor = max(1, _PSF_SIDE // side)
    file.parent.mkdir(parents=True, exist_ok=True)
    picture.resize((side * factor, side * factor), Image.Resampling.NEAREST).save(file)


def _save(picture: Image.Image, file: Path) -> None:
    picture.thumbnail((LONGEST, LONGEST), Image.Resampling.LANCZOS)
    file.parent.mkdir(parents=True, exist_ok=True)
    picture.save(file, quality=85)

"""A picture of how far a run has come."""

import io
from pathlib import Path

import numpy as np
import torch
from jaxtyping import UInt8
from PIL import Image
from torch.nn.functional import interpolate

from nightsharp._atomic import write_atomically
from nightsharp.training.validation import Sides

_GAP = 4


def draw_preview(sides: Sides) -> UInt8[np.ndarray, "rows columns 3"]:
    """Lay the crops out: recorded with its PSF in the corner, restored, sharp; one row for each crop.

    Args:
        sides: display values, range [0, 1].

    Returns:
        The picture, 8 bits.

    Example:
        >>> crop, psf = torch.rand(2, 3, 40, 40), torch.ones(2, 1, 3, 3) / 9
        >>> draw_preview(Sides(crop, crop, crop, psf)).shape
        (88, 132, 3)
    """
    recorded = sides.recorded.clone()
    for picture, psf in zip(recorded, sides.psf, strict=True):
        corner = max(psf.shape[-1], picture.shape[-1] // 4)
        drawn = interpolate(psf[None] / psf.max(), size=(corner, corner), mode="nearest")[0, :, : picture.shape[-2]]
        picture[:, :corner, :corner] = drawn[..., : picture.shape[-1]]
    rows = [
        torch.cat([torch.nn.functional.pad(part, (0, _GAP, 0, _GAP), value=1.0) for part in row], dim=-1)
        for row in zip(recorded, sides.restored, sides.sharp, strict=True)
    ]
    return (torch.cat(rows, dim=-2).clamp(0, 1) * 255).round().byte().permute(1, 2, 0).numpy()


def save_preview(picture: UInt8[np.ndarray, "rows columns 3"], file: Path) -> Path:
    """Write the picture as PNG.

    Args:
        picture: 8 bits.
        file: written over where it exists.
    """
    stream = io.BytesIO()
    Image.fromarray(picture).save(stream, format="PNG")
    return write_atomically(file, stream.getbuffer(), overwrite=True)

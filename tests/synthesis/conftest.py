"""Small sharp photographs for everyone."""

from pathlib import Path

import numpy as np
import pytest
import skimage.data
import torch
from PIL import Image
from torch import Tensor


@pytest.fixture
def generator() -> torch.Generator:
    return torch.Generator().manual_seed(0)


@pytest.fixture(scope="session")
def scene() -> Tensor:
    """A sharp colour photograph, display values, (1, 3, 256, 256)."""
    values = torch.from_numpy(skimage.data.astronaut().copy()).permute(2, 0, 1)[None].float() / 255
    return values[..., :256, 100:356].contiguous()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Four sharp photographs of different sizes, one in a subfolder."""
    place = tmp_path / "sharp"
    (place / "more").mkdir(parents=True)
    picture = skimage.data.astronaut()
    for number, (name, side) in enumerate((("a.png", 90), ("b.jpg", 100), ("c.png", 120), ("more/d.png", 110))):
        Image.fromarray(np.ascontiguousarray(picture[40 * number :, 60 * number :][:side, : side + 7])).save(
            place / name
        )
    return place

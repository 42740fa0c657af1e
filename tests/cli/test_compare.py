"""The side-by-side shows both pictures whole, at every size."""

import io

import numpy as np
import pytest
import torch
from PIL import Image

from nightsharp.cli.compare import side_by_side
from nightsharp.optics import Psf, shake
from nightsharp.photo import read_photo

SIZES = [(1, 1), (1, 300), (300, 1), (40, 30), (640, 480), (480, 640), (2600, 700), (1500, 2400)]
PSFS = [shake(15, generator=torch.Generator().manual_seed(0)), Psf.from_tensor(torch.ones(1, 1))]


@pytest.mark.parametrize(("width", "height"), SIZES)
@pytest.mark.parametrize("psf", PSFS, ids=str)
def test_any_size_makes_a_sheet(width, height, psf, tmp_path):
    rng = np.random.default_rng(0)
    Image.fromarray(rng.integers(0, 255, (height, width, 3), dtype=np.uint8)).save(tmp_path / "a.png", compress_level=1)
    photo = read_photo(tmp_path / "a.png")
    with Image.open(io.BytesIO(side_by_side(photo, photo, psf))) as sheet:
        assert sheet.format == "PNG"
        assert sheet.width <= 2 * 960 + 3 * 16
        assert sheet.height <= 960 + 420 + 200


def test_the_detail_is_where_the_texture_is(tmp_path):
    values = np.full((800, 1600, 3), 40, dtype=np.uint8)
    values[500:760, 1000:1500] = np.random.default_rng(0).integers(20, 60, (260, 500, 1))
    values[100:110, 100:110] = 255
    from nightsharp.cli.compare import _most_detailed

    left, top, right, bottom = _most_detailed(Image.fromarray(values), (400, 200))
    assert left >= 990
    assert right <= 1510
    assert top >= 490
    assert bottom <= 770

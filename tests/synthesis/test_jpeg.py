"""JPEG without a file, beside the files that Pillow writes."""

import io

import numpy as np
import pytest
import torch
from PIL import Image

from nightsharp.errors import UsageError
from nightsharp.optics.jpeg import jpeg


def through_a_file(image: torch.Tensor, quality: int) -> torch.Tensor:
    stream = io.BytesIO()
    codes = (image[0] * 255).round().byte().permute(1, 2, 0).numpy()
    Image.fromarray(np.ascontiguousarray(codes)).save(stream, "JPEG", quality=quality, subsampling=2)
    return torch.from_numpy(np.array(Image.open(stream))).permute(2, 0, 1)[None].float() / 255


def decibels(one: torch.Tensor, other: torch.Tensor) -> float:
    return float(-10 * (one - other).square().mean().log10())


@pytest.mark.parametrize("quality", [20, 50, 75, 95])
@pytest.mark.parametrize("size", [(64, 96), (61, 43)])
def test_it_loses_what_a_file_loses(scene, quality, size):
    image = scene[..., : size[0], : size[1]]
    ours, file = jpeg(image, torch.tensor([float(quality)])), through_a_file(image, quality)
    assert decibels(ours, file) > decibels(ours, image) + 4
    assert decibels(ours, image) == pytest.approx(decibels(file, image), abs=0.6)


def test_each_image_has_its_quality(scene):
    images = scene.expand(2, -1, -1, -1)
    both = jpeg(images, torch.tensor([30.0, 90.0]))
    assert torch.equal(both[:1], jpeg(scene, torch.tensor([30.0])))
    assert decibels(both[1:], scene) > decibels(both[:1], scene) + 3


def test_a_flat_image_stays_flat():
    out = jpeg(torch.full((1, 3, 24, 24), 100 / 255), torch.tensor([85.0]))
    assert float((out - out[..., :1, :1]).abs().max()) == 0
    assert float((out - 100 / 255).abs().max()) <= 2 / 255


@pytest.mark.parametrize("quality", [[0.0], [101.0]])
def test_an_impossible_quality_is_refused(scene, quality):
    with pytest.raises(UsageError, match="give 1 to 100"):
        jpeg(scene, torch.tensor(quality))

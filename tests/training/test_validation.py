"""What is measured on the held-out crops."""

import math

import pytest
import torch
from torch import nn

from nightsharp.synthesis import Pairs
from nightsharp.training.batches import Batch
from nightsharp.training.preview import draw_preview
from nightsharp.training.validation import validate

CPU = torch.device("cpu")


class Brighter(nn.Module):
    """Adds a constant to what it is given."""

    def __init__(self, offset: float) -> None:
        super().__init__()
        self.offset = offset

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        return image + self.offset


def batch(number: int, size: int, noise: float) -> Batch:
    generator = torch.Generator().manual_seed(number)
    sharp = 0.2 + 0.5 * torch.rand(size, 3, 24, 24, generator=generator)
    blurred = sharp + noise
    psf = torch.ones(size, 1, 1, 1)
    return Batch(number, Pairs(sharp, sharp, blurred, psf, psf, torch.zeros(size, 1, 1, 1)), (blurred,))


@pytest.mark.parametrize("offset", [0.1, -0.02])
def test_psnr_is_that_of_the_definition(offset):
    scores, _ = validate(Brighter(offset), [batch(0, 2, 0.0), batch(1, 2, 0.0)], CPU, crops=4)
    assert scores.psnr == pytest.approx(-20 * math.log10(abs(offset)), abs=1e-3)
    assert scores.psnr_recorded == 100
    assert scores.ssim < 1


def test_what_is_found_again_is_perfect():
    scores, _ = validate(Brighter(-0.1), [batch(0, 2, 0.1)], CPU, crops=2)
    assert scores.psnr == pytest.approx(100, abs=1e-3)
    assert scores.ssim == pytest.approx(1, abs=1e-5)
    assert scores.psnr_recorded == pytest.approx(20, abs=1e-3)


def test_crops_beyond_those_asked_for_do_not_count():
    one, other = batch(0, 3, 0.0), batch(1, 3, 0.5)
    few, sides = validate(Brighter(0.1), [one, other], CPU, crops=4)
    assert sides.sharp.shape[0] == 4
    # three crops at 20 dB, one clipped at white beyond
    last = (other.inputs[0][:1] + 0.1).clamp(0, 1) - other.pairs.sharp[:1]
    assert few.psnr == pytest.approx((3 * 20 - 10 * last.square().mean().log10().item()) / 4, abs=1e-3)


def test_a_preview_shows_recorded_restored_and_sharp():
    _, sides = validate(Brighter(0.1), [batch(0, 2, 0.1)], CPU, crops=2)
    picture = draw_preview(sides)
    assert picture.shape == (2 * 28, 3 * 28, 3)
    for column, part in enumerate((sides.recorded, sides.restored, sides.sharp)):
        # below the PSF's corner
        crop = picture[10:24, 28 * column : 28 * column + 24]
        expected = (part[0, :, 10:].clamp(0, 1) * 255).round().byte().permute(1, 2, 0).numpy()
        assert (crop == expected).all()

"""What a protocol does to a number, and what it says of itself."""

import math

import pytest
import torch

from nightsharp.errors import UsageError
from nightsharp.evaluation import Protocol
from nightsharp.evaluation.scores import score


def pair(seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    truth = torch.rand(3, 40, 44, generator=generator) * 0.6 + 0.2
    return (truth + 0.05 * torch.randn(truth.shape, generator=generator)).clamp(0, 1), truth


def psnr(protocol: Protocol, result: torch.Tensor, truth: torch.Tensor) -> float:
    return score(result, truth, protocol, ["psnr"])[0]["psnr"]


def test_every_choice_is_written_in_one_line():
    line = str(Protocol(colour="studio luma", quantise=True, border=15, reach=10, ssim="wang", aggregate="median"))
    assert "\n" not in line
    for word in ("studio luma", "8 bits", "15 px border", "within 10 px", "0.25 px", "Wang", "median", "peak 1"):
        assert word in line
    assert "whole image" in str(Protocol())
    assert "whole pixels" in str(Protocol(border=9, reach=5, step=1.0))


def test_studio_luma_gains_the_known_amount_over_full_range():
    grey = pair()[0][:1].expand(3, -1, -1), pair()[1][:1].expand(3, -1, -1)
    gain = psnr(Protocol(colour="studio luma"), *grey) - psnr(Protocol(colour="luma"), *grey)
    assert gain == pytest.approx(20 * math.log10(255 / 219), abs=1e-3)


def test_clipping_and_quantising_come_before_the_comparison():
    truth = torch.ones(1, 8, 8)
    assert psnr(Protocol(), truth + 0.5, truth) == 120
    assert psnr(Protocol(clip=False), truth + 0.5, truth) == pytest.approx(6.0206, abs=1e-4)
    assert psnr(Protocol(quantise=True), truth * 0.9985, truth) == 120


def test_the_border_does_not_count():
    result, truth = pair()
    spoiled = result.clone()
    spoiled[:, :5] = 0
    assert psnr(Protocol(border=5), spoiled, truth) == psnr(Protocol(border=5), result, truth)
    assert psnr(Protocol(), spoiled, truth) < psnr(Protocol(), result, truth)


def test_a_grey_result_stands_beside_a_colour_truth():
    result, truth = pair()
    assert psnr(Protocol(), result[:1], truth) == pytest.approx(psnr(Protocol(), result[:1].expand(3, -1, -1), truth))


def test_the_median_of_an_even_number_of_images_lies_between_the_two_in_the_middle():
    assert Protocol(aggregate="median").combine([9.0, 1.0, 2.0, 4.0]) == 3.0


def test_without_a_truth_only_the_scores_that_need_none_remain():
    found, aligned = score(pair()[0], None, Protocol(), ["psnr", "noise", "sharpness"])
    assert list(found) == ["noise", "sharpness"]
    assert aligned is None


def test_a_colour_difference_is_one_of_colours_where_the_rest_compares_luma():
    result, truth = pair()
    protocol = Protocol(colour="studio luma", border=6, reach=4)
    found = score(result, truth, protocol, ["psnr", "delta_e"])[0]
    assert found["delta_e"] == score(result, truth, Protocol(border=6, reach=4), ["delta_e"])[0]["delta_e"]
    assert found["psnr"] == psnr(protocol, result, truth)
    # a tint of equal luma
    tinted = truth + torch.tensor([0.057, 0.0, -0.1495])[:, None, None]
    found = score(tinted, truth, protocol, ["psnr", "delta_e"])[0]
    assert found["psnr"] > 60
    assert found["delta_e"] > 5


@pytest.mark.parametrize("step", [0.0, -0.5, 0.3, 2.0, float("nan"), float("inf")])
def test_a_step_is_a_part_of_a_pixel(step: float):
    with pytest.raises(UsageError, match="it is 1, 1/2, 1/4"):
        Protocol(border=9, reach=5, step=step)

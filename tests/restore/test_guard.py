"""Nothing worse than what was given is handed back."""

from pathlib import Path

import pytest
import torch

from nightsharp.optics import Blur, Psf, gaussian, line, shake
from nightsharp.restore import deblur
from nightsharp.restore.guard import judge_psf, judge_result


def scene(seed: int = 0) -> torch.Tensor:
    return torch.nn.functional.interpolate(
        torch.rand(1, 1, 16, 20, generator=torch.Generator().manual_seed(seed)), scale_factor=6
    )


SIGMA = torch.full((1, 1, 1, 1), 0.002)
PSF = line(15, 30)


@pytest.mark.parametrize("psf", [Psf.from_tensor(torch.ones(1, 1)), gaussian(0.15)], ids=str)
@pytest.mark.parametrize("confidence", [None, 0.9])
def test_a_psf_that_is_a_point_changes_nothing(psf: Psf, confidence: float | None):
    verdict = judge_psf(psf, confidence)
    assert verdict is not None
    assert verdict.kept == "input"
    assert "kept as it is" in verdict.words


def test_an_estimate_that_nobody_trusts_is_not_used():
    verdict = judge_psf(PSF, 0.01)
    assert verdict is not None
    assert "confidence 0.01" in verdict.words


def test_a_given_psf_needs_no_confidence():
    assert judge_psf(PSF, None) is None


def test_the_truth_passes():
    sharp = scene()
    blurred = Blur(PSF, boundary="replicate")(sharp)
    assert judge_result(blurred, sharp, PSF, SIGMA, None).kept == "result"


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_values_that_are_no_numbers_never_pass(bad: float):
    sharp = scene()
    sharp[0, 0, 5, 5] = bad
    assert judge_result(scene(), sharp, PSF, SIGMA, None).kept == "input"


def test_a_result_that_belongs_to_another_photograph_does_not_pass():
    blurred = Blur(PSF, boundary="replicate")(scene())
    verdict = judge_result(blurred, scene(seed=1), PSF, SIGMA, None)
    assert verdict.kept == "input"
    assert "blurred again" in verdict.words


def test_clipped_pixels_have_no_vote():
    sharp = scene() * 0.5
    sharp[..., 40:44, 40:44] = 30.0
    psf = shake(9, generator=torch.Generator().manual_seed(2))
    blurred = Blur(psf, boundary="replicate")(sharp).clamp_max(1)
    assert judge_result(blurred, sharp, psf, SIGMA, 0.98).kept == "result"
    assert judge_result(blurred, sharp, psf, SIGMA, None).kept == "input"


def test_a_clearly_wrong_psf_is_seen_although_the_method_allows_no_light_below_black():
    example = Path(__file__).parents[2] / "examples" / "night.jpg"
    assert deblur(example, psf="line:25,90").report["guard"]["kept"] == "input"
    assert deblur(example, psf=example.with_name("night-psf.npy")).report["guard"]["kept"] == "result"

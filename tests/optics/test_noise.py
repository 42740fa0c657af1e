"""The noise level, told from blurred pictures whose noise is known."""

import numpy as np
import pytest
import skimage.data
import torch
from torch import Tensor

from nightsharp.optics import Blur, Psf, disk, estimate_sigma, gaussian, line, shake

BLURS = [gaussian(1.2), disk(3), line(15, angle=30), shake(17, generator=torch.Generator().manual_seed(4))]
PICTURES = ["camera", "coffee", "chelsea", "rocket", "astronaut"]


def picture(name: str) -> Tensor:
    pixels = np.atleast_3d(getattr(skimage.data, name)()[:320, :400]) / 255
    return torch.from_numpy(pixels).float().permute(2, 0, 1)[None]


def noisy(clean: Tensor, sigma: float) -> Tensor:
    noise = torch.randn(clean.shape, generator=torch.Generator().manual_seed(7))
    return (clean + sigma * noise).clamp(0, 1)


@pytest.mark.parametrize("psf", BLURS, ids=str)
@pytest.mark.parametrize("name", PICTURES)
@pytest.mark.parametrize("sigma", [0.005, 0.03, 0.1])
def test_sigma_is_found_within_ten_percent_in_blurred_pictures(name, psf: Psf, sigma):
    found = estimate_sigma(noisy(Blur(psf, "replicate")(picture(name)), sigma)).flatten()
    torch.testing.assert_close(found, torch.full_like(found, sigma), rtol=0.1, atol=0)


@pytest.mark.parametrize("psf", BLURS, ids=str)
@pytest.mark.parametrize("sigma", [0.005, 0.05])
def test_sigma_is_found_in_a_night_sky_that_is_nearly_black(psf: Psf, sigma):
    found = estimate_sigma(noisy(Blur(psf, "replicate")(picture("hubble_deep_field")), sigma)).flatten()
    torch.testing.assert_close(found, torch.full_like(found, sigma), rtol=0.1, atol=0)


@pytest.mark.parametrize("sigma", [0.005, 0.03, 0.1])
@pytest.mark.parametrize("gain", [0.15, 3.0])
def test_sigma_is_found_where_most_of_the_picture_is_black_or_clipped(sigma, gain):
    # at 0.15 the cameraman's coat lies in the noise; at 3 his sky is saturated
    blurred = Blur(disk(3), "replicate")(picture("camera") * gain)
    found = estimate_sigma(noisy(blurred, sigma)).flatten()
    clear = float(((blurred > 2.5 * sigma) & (blurred < 1 - 2.5 * sigma)).float().mean())
    if clear > 0.05:
        torch.testing.assert_close(found, torch.full_like(found, sigma), rtol=0.1, atol=0)
    else:
        # nothing is left to measure it on; the answer must stay sensible
        assert 0.3 * sigma < float(found) < 1.1 * sigma


def test_each_image_and_channel_has_its_own_sigma(generator):
    sigmas = torch.tensor([[0.01, 0.02, 0.04], [0.08, 0.005, 0.03]])[..., None, None]
    image = 0.5 + sigmas * torch.randn(2, 3, 200, 300, generator=generator)
    torch.testing.assert_close(estimate_sigma(image), sigmas, rtol=0.05, atol=0)


def test_a_ramp_without_noise_has_none():
    ramp = torch.linspace(0.1, 0.9, 64, dtype=torch.float64).expand(1, 1, 64, 64)
    assert float(estimate_sigma(ramp)) < 1e-12


@pytest.mark.parametrize("size", [(1, 1), (2, 50), (50, 2), (3, 3)])
def test_a_picture_too_small_to_tell_is_called_noise_free_or_finite(size):
    sigma = estimate_sigma(torch.rand(1, 3, *size))
    assert sigma.shape == (1, 3, 1, 1)
    assert bool(sigma.isfinite().all())
    if min(size) < 3:
        assert float(sigma.max()) == 0


@pytest.mark.parametrize("value", [0.0, 0.5, 1.0])
def test_a_flat_picture_has_no_noise(value):
    assert float(estimate_sigma(torch.full((1, 1, 40, 40), value))) == 0


def test_millions_of_pixels_are_sampled(generator):
    image = 0.4 + 0.02 * torch.randn(1, 1, 2400, 2400, generator=generator)
    assert float(estimate_sigma(image)) == pytest.approx(0.02, rel=0.01)


def test_the_dtype_is_kept(generator):
    image = torch.rand(1, 1, 30, 30, dtype=torch.float64, generator=generator)
    assert estimate_sigma(image).dtype == torch.float64

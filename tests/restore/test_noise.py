"""Noise grows with the light, and restoring in linear light knows it."""

import skimage.data
import torch

from nightsharp.methods.hyper_laplacian import hyper_laplacian
from nightsharp.optics import Blur, estimate_sigma, expose, shake
from nightsharp.photo import Photo
from nightsharp.restore.given import Given, measured_over
from nightsharp.restore.noise import Noise, measure_noise


def whole(light: torch.Tensor) -> tuple[Noise, torch.Tensor]:
    """The noise of a photograph and the trust in all its pixels."""
    given = Given(Photo(light[0].expand(3, -1, -1)), None, None)
    noise = measure_noise(given, "linear")
    weight = noise.weight(given, "linear", slice(0, light.shape[-2]), slice(0, light.shape[-1]))
    assert weight is not None
    return noise, weight


def night_scene() -> torch.Tensor:
    """A dim table with a few lamps, linear light."""
    scene = 0.3 * (torch.from_numpy(skimage.data.coffee()).permute(2, 0, 1)[None].float() / 255) ** 2.2
    for row, column in ((90, 120), (150, 300), (60, 260)):
        scene[..., row : row + 5, column : column + 5] = 6.0
    return scene[..., 20:280, 80:380]


def test_dark_pixels_are_trusted_fully_and_bright_ones_by_their_noise():
    ramp = torch.linspace(0.001, 0.9, 200).expand(1, 1, 40, 200).contiguous()
    _, weight = whole(ramp)
    row = weight[0, 0, 20]
    assert bool((row[:90] == 1).all())
    assert bool((row[110:].diff() < 0).all())
    # a tone curve of exponent 1 / 2.4 makes the noise variance grow as the light to the power 1.17
    torch.testing.assert_close(
        row[190] / row[120], (ramp[0, 0, 0, 190] / ramp[0, 0, 0, 120]) ** -(7 / 6), rtol=0.02, atol=0
    )


def test_the_noise_is_that_of_the_median_light():
    light = torch.full((1, 1, 128, 128), 0.2)
    recorded = expose(light, photons=500, generator=torch.Generator().manual_seed(0))
    noise, _ = whole(recorded)
    assert abs(float(noise.sigma) / (0.2 / 500) ** 0.5 - 1) < 0.15


def test_trust_by_noise_restores_a_night_photograph_better():
    generator = torch.Generator().manual_seed(3)
    scene = night_scene()
    psf = shake(13, generator=generator)
    photo = expose(Blur(psf, "replicate")(scene), photons=1500, read_noise=0.002, generator=generator)

    def decibel(restored: torch.Tensor) -> float:
        gap = (restored.clamp(0, 1) ** (1 / 2.2) - scene.clamp(0, 1) ** (1 / 2.2)).square().mean()
        return float(-10 * gap.log10())

    noise, weight = whole(photo)
    kernel = psf.kernel[None, None]
    even = hyper_laplacian(photo, kernel)
    knowing = hyper_laplacian(photo, kernel, sigma=noise.sigma, weight=weight)
    assert float(estimate_sigma(photo).mean()) > 0
    assert decibel(knowing) > decibel(even) + 1.0


def test_the_trust_in_a_part_is_that_part_of_the_trust():
    photo = night_scene()
    given = Given(Photo(photo[0]), None, None)
    noise, weight = whole(photo)
    rows, columns = slice(40, 90), slice(0, 300)
    part = noise.weight(given, "linear", rows, columns)
    assert part is not None
    torch.testing.assert_close(part, weight[..., rows, columns])


def test_a_large_photograph_is_measured_as_a_small_one():
    """Repeated side by side it has the same noise, contrast and median light, though only some rows are looked at."""
    photo = night_scene()
    small, large = (Given(Photo(one[0]), None, None) for one in (photo, photo.repeat(1, 1, 7, 5)))
    one, other = measure_noise(small, "linear"), measure_noise(large, "linear")
    torch.testing.assert_close(other.contrast, one.contrast)
    torch.testing.assert_close(other.slope, one.slope, rtol=0.02, atol=0)
    torch.testing.assert_close(other.sigma, one.sigma, rtol=0.05, atol=0)
    torch.testing.assert_close(one.contrast.squeeze(), photo.std(correction=0))
    assert measured_over(small, "display") > one.contrast

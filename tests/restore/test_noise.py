"""Noise grows with the light, and restoring in linear light knows it."""

import skimage.data
import torch

from nightsharp.methods.hyper_laplacian import hyper_laplacian
from nightsharp.optics import Blur, estimate_sigma, expose, shake
from nightsharp.restore.noise import noise_in_linear_light


def night_scene() -> torch.Tensor:
    """A dim table with a few lamps, linear light."""
    scene = 0.3 * (torch.from_numpy(skimage.data.coffee()).permute(2, 0, 1)[None].float() / 255) ** 2.2
    for row, column in ((90, 120), (150, 300), (60, 260)):
        scene[..., row : row + 5, column : column + 5] = 6.0
    return scene[..., 20:280, 80:380]


def test_dark_pixels_are_trusted_fully_and_bright_ones_by_their_noise():
    ramp = torch.linspace(0.001, 0.9, 200).expand(1, 1, 40, 200).contiguous()
    _, weight = noise_in_linear_light(ramp)
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
    sigma, _ = noise_in_linear_light(recorded)
    assert abs(float(sigma) / (0.2 / 500) ** 0.5 - 1) < 0.15


def test_trust_by_noise_restores_a_night_photograph_better():
    generator = torch.Generator().manual_seed(3)
    scene = night_scene()
    psf = shake(13, generator=generator)
    photo = expose(Blur(psf, "replicate")(scene), photons=1500, read_noise=0.002, generator=generator)

    def decibel(restored: torch.Tensor) -> float:
        gap = (restored.clamp(0, 1) ** (1 / 2.2) - scene.clamp(0, 1) ** (1 / 2.2)).square().mean()
        return float(-10 * gap.log10())

    sigma, weight = noise_in_linear_light(photo)
    kernel = psf.kernel[None, None]
    even = hyper_laplacian(photo, kernel)
    knowing = hyper_laplacian(photo, kernel, sigma=sigma, weight=weight)
    assert float(estimate_sigma(photo).mean()) > 0
    assert decibel(knowing) > decibel(even) + 1.0

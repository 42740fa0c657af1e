"""DWDN as a method: what is its own; tests/methods/test_deep_wiener.py holds what it shares."""

import pytest
import torch

from nightsharp.methods.dwdn import DWDN, dwdn, measure


def random(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed))


@pytest.fixture(scope="module")
def network() -> DWDN:
    with torch.random.fork_rng():
        torch.manual_seed(3)
        return DWDN.lite()


def test_an_image_that_needs_no_padding_is_the_network_s_own(network):
    image, psf = random(1, 3, 32, 48), random(1, 1, 5, 5, seed=1)
    with torch.no_grad():
        torch.testing.assert_close(dwdn(image, psf, network=network), network(image, psf))


@torch.no_grad()
def test_strength_scales_the_assumed_noise(network):
    image, psf = random(1, 3, 32, 32), random(1, 1, 5, 5, seed=1)
    nsr = measure(lambda rows: image[..., rows, :], (32, 32), psf, network=network)
    twice = dwdn(image, psf, network=network, strength=2.0)
    torch.testing.assert_close(twice, network(image, psf, nsr / 4))

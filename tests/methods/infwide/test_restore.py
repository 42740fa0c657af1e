"""INFWIDE as a method: what is its own; tests/methods/test_deep_wiener.py holds what it shares."""

import pytest
import torch

from nightsharp.methods.infwide import INFWIDE, Statistics, infwide, measure


def random(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed))


@pytest.fixture(scope="module")
def network() -> INFWIDE:
    with torch.random.fork_rng():
        torch.manual_seed(3)
        return INFWIDE.lite()


@torch.no_grad()
def test_the_network_sees_a_mirrored_image_of_its_own_range(network):
    image, psf = random(1, 3, 30, 46), random(1, 1, 5, 5, seed=1)
    rows = torch.cat([image[..., :5, :].flip(-2), image, image[..., -5:, :].flip(-2)], dim=-2)
    mirrored = torch.cat([rows[..., :5].flip(-1), rows, rows[..., -5:].flip(-1)], dim=-1)
    by_hand = 1.2 * network(mirrored / 1.2, psf)[..., 5:-5, 5:-5]
    torch.testing.assert_close(infwide(image, psf, network=network), by_hand)


@torch.no_grad()
def test_strength_scales_the_assumed_noise(network):
    image, psf = random(1, 3, 32, 32), random(1, 1, 5, 5, seed=1)
    found = measure(lambda rows: image[..., rows, :], (32, 32), psf, network=network)
    twice = infwide(image, psf, network=network, statistics=found, strength=2.0)
    halved = Statistics(found.noise / 2, found.feature / 4, found.image / 4)
    torch.testing.assert_close(twice, infwide(image, psf, network=network, statistics=halved))

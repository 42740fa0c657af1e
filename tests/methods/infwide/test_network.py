"""INFWIDE beside its published equations, with the same weights."""

import pytest
import torch
from benchmarks.literal.infwide import infwide as literal

from nightsharp.methods.infwide import INFWIDE
from nightsharp.methods.infwide.network import Grain
from nightsharp.methods.infwide.official import to_official


def random(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed))


def seeded(**arguments: int | bool) -> INFWIDE:
    with torch.random.fork_rng():
        torch.manual_seed(1)
        return INFWIDE(**arguments)  # pyright: ignore[reportArgumentType]


def off(ours: torch.Tensor, theirs: torch.Tensor) -> float:
    """The largest difference, relative to the largest value."""
    return float((ours - theirs).abs().max() / theirs.abs().max())


@pytest.fixture(scope="module")
def paper() -> INFWIDE:
    return seeded(faithful=True)


@torch.no_grad()
def test_the_paper_size_gives_what_the_equations_give(paper):
    image, psf = random(2, 3, 37, 50) / 1.2, random(2, 1, 9, 9, seed=1)
    weights = to_official(paper.config, paper.state_dict())
    (half, full), denoised = literal(weights, image, psf)
    for ours, theirs in zip(paper.forward_all(image, psf), (half, full, denoised), strict=True):
        assert off(ours, theirs) < 1e-5
    assert off(paper(image, psf), full) < 1e-5


@torch.no_grad()
@pytest.mark.parametrize("faithful", [True, False])
@pytest.mark.parametrize("size", [(40, 40), (48, 61), (67, 48), (30, 33)], ids=str)
@pytest.mark.parametrize("side", [3, 6, 15])
def test_any_shape_gives_what_the_equations_give(size, side, faithful):
    network = seeded(features=8, width=8, denoiser_width=8, fusion_width=8, faithful=faithful)
    image, psf = random(2, 3, *size) / 1.2, random(2, 1, side, side, seed=1)
    ours = network(image, psf)
    weights = to_official(network.config, network.state_dict())
    assert off(ours, literal(weights, image, psf, faithful=faithful)[0][1]) < 1e-5
    wrong = off(ours, literal(weights, image, psf, faithful=not faithful)[0][1])
    assert (wrong > 1e-4) == (size[0] != size[1])


@torch.no_grad()
@pytest.mark.parametrize("psf_size", [(5, 8), (8, 5), (1, 1)], ids=str)
def test_a_psf_that_is_not_square_is_padded_by_its_rows_as_published(psf_size):
    network = seeded(features=8, width=8, denoiser_width=8, fusion_width=8, faithful=True)
    image, psf = random(1, 3, 34, 43) / 1.2, random(1, 1, *psf_size, seed=1)
    weights = to_official(network.config, network.state_dict())
    assert off(network(image, psf), literal(weights, image, psf)[0][1]) < 1e-5


@torch.no_grad()
@pytest.mark.parametrize("size", [(2, 2), (3, 5), (9, 4)], ids=str)
def test_the_smallest_images_run(size):
    network = INFWIDE.lite()
    assert network(random(1, 3, *size), random(1, 1, 3, 3)).shape == (1, 3, *size)


@torch.no_grad()
def test_each_image_of_a_batch_comes_out_as_it_would_alone():
    network = INFWIDE.lite()
    image, psf = random(3, 3, 32, 41) / 1.2, random(3, 1, 7, 7, seed=1)
    alone = torch.cat([network(image[n : n + 1], psf[n : n + 1]) for n in range(3)])
    torch.testing.assert_close(network(image, psf), alone, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("black", [[0], [0, 1, 2]], ids=str)
def test_a_black_colour_does_not_spoil_the_picture(black):
    network = INFWIDE.lite()
    image = random(1, 3, 24, 32) / 1.2
    image[:, black] = 0
    output = network.forward_all(image, random(1, 1, 5, 5, seed=1))
    assert all(bool(part.isfinite().all()) for part in output)
    torch.stack([part.square().mean() for part in output]).sum().backward()
    assert all(bool(p.grad.isfinite().all()) for p in network.parameters() if p.grad is not None)


def test_the_noise_map_grows_with_the_noise_and_not_with_the_light():
    noise = torch.randn(1, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    weak, strong = (Grain.of(0.5 + sigma * noise).ratio() for sigma in (0.01, 0.04))
    torch.testing.assert_close(strong, 4 * weak, rtol=0.02, atol=0)
    torch.testing.assert_close(Grain.of(0.25 * (0.5 + 0.01 * noise)).ratio(), weak)


def test_the_paper_size_has_the_paper_s_parameters(paper):
    sizes = {name: sum(p.numel() for p in part.parameters()) for name, part in paper.named_children()}
    assert sizes == {"extract": 39_712, "denoiser": 4_254_240, "refine": 6_894_467, "fusion": 4_553_923}
    assert sum(p.numel() for p in INFWIDE.lite().parameters()) <= 1_000_000


@pytest.mark.parametrize("network", [INFWIDE.lite(), INFWIDE(colours=1, width=8, fusion_width=4, blocks=2)])
def test_a_network_is_rebuilt_from_its_configuration(network):
    again = INFWIDE(**network.config)
    again.load_state_dict(network.state_dict())
    assert again.config == network.config


def test_every_weight_learns():
    network = INFWIDE.lite()
    output = network.forward_all(random(1, 3, 32, 32), random(1, 1, 5, 5))
    torch.stack([part.square().mean() for part in output]).sum().backward()
    assert [name for name, p in network.named_parameters() if p.grad is None or not bool(p.grad.any())] == []

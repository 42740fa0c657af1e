"""DWDN beside its published equations, with the same weights."""

import pytest
import torch
from benchmarks.literal.dwdn import dwdn as literal

from nightsharp.errors import UsageError
from nightsharp.methods.dwdn import DWDN
from nightsharp.methods.dwdn.official import to_official


def random(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed))


def seeded(**arguments: int | bool) -> DWDN:
    with torch.random.fork_rng():
        torch.manual_seed(1)
        return DWDN(**arguments)  # pyright: ignore[reportArgumentType]


def off(ours: torch.Tensor, theirs: torch.Tensor) -> float:
    """The largest difference, relative to the largest value."""
    return float((ours - theirs).abs().max() / theirs.abs().max())


@pytest.fixture(scope="module")
def paper() -> DWDN:
    return seeded(faithful=True)


@torch.no_grad()
def test_the_paper_size_gives_what_the_equations_give(paper):
    image, psf = random(2, 3, 40, 56), random(2, 1, 9, 9, seed=1)
    weights = to_official(paper.config, paper.state_dict())
    for ours, theirs in zip(paper.forward_all(image, psf), literal(weights, image, psf), strict=True):
        assert off(ours, theirs) < 1e-5


@torch.no_grad()
@pytest.mark.parametrize("faithful", [True, False])
@pytest.mark.parametrize("size", [(48, 48), (32, 72), (72, 32)], ids=str)
@pytest.mark.parametrize("side", [3, 15, 31])
def test_any_shape_gives_what_the_equations_give(size, side, faithful):
    network = seeded(features=8, width=8, faithful=faithful)
    image, psf = random(2, 3, *size), random(2, 1, side, side, seed=1)
    ours = network(image, psf)
    weights = to_official(network.config, network.state_dict())
    assert off(ours, literal(weights, image, psf, faithful=faithful)[1]) < 1e-5
    wrong = off(ours, literal(weights, image, psf, faithful=not faithful)[1])
    assert (wrong > 1e-3) == (size[0] != size[1])


@torch.no_grad()
def test_each_image_of_a_batch_comes_out_as_it_would_alone():
    network = DWDN.lite()
    image, psf = random(3, 3, 32, 40), random(3, 1, 7, 7, seed=1)
    alone = torch.cat([network(image[n : n + 1], psf[n : n + 1]) for n in range(3)])
    torch.testing.assert_close(network(image, psf), alone, rtol=1e-5, atol=1e-5)


def test_the_paper_size_has_the_paper_s_parameters(paper):
    assert sum(p.numel() for p in paper.parameters()) == 7_049_507
    assert sum(p.numel() for p in DWDN(colours=1).parameters()) == 7_047_105
    assert sum(p.numel() for p in DWDN.lite().parameters()) <= 1_000_000


@pytest.mark.parametrize("network", [DWDN.lite(), DWDN(colours=1, features=4, width=8, blocks=2, faithful=True)])
def test_a_network_is_rebuilt_from_its_configuration(network):
    again = DWDN(**network.config)
    again.load_state_dict(network.state_dict())
    assert again.config == network.config


def test_a_side_that_is_no_multiple_of_8_is_refused():
    with pytest.raises(UsageError, match="the image is 32 x 36; DWDN takes multiples of 8"):
        DWDN.lite()(random(1, 3, 32, 36), random(1, 1, 5, 5))


def test_every_weight_learns():
    network = DWDN.lite()
    half, full = network.forward_all(random(1, 3, 32, 32), random(1, 1, 5, 5))
    (half.square().mean() + full.square().mean()).backward()
    assert [name for name, p in network.named_parameters() if p.grad is None or not bool(p.grad.any())] == []

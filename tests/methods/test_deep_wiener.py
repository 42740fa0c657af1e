"""DWDN and INFWIDE as methods, on whatever users bring: the laws that both keep."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
import torch

from nightsharp.errors import Cancelled, PsfError, UsageError
from nightsharp.methods import dwdn, infwide


@dataclass(frozen=True)
class System:
    """A network and the method around it."""

    network: Any
    method: Callable[..., torch.Tensor]
    measure: Callable[..., Any]
    told: str
    """The keyword by which a tile is told what was measured on the whole."""
    narrow: dict[str, int]


SYSTEMS = {
    "dwdn": System(dwdn.DWDN, dwdn.dwdn, dwdn.measure, "nsr", {"features": 8, "width": 8}),
    "infwide": System(
        infwide.INFWIDE,
        infwide.infwide,
        infwide.measure,
        "statistics",
        {"features": 8, "width": 8, "denoiser_width": 8, "fusion_width": 8},
    ),
}


def random(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed))


@pytest.fixture(scope="module", params=SYSTEMS)
def system(request) -> System:
    return SYSTEMS[request.param]


@pytest.fixture(scope="module")
def network(system: System) -> Any:
    with torch.random.fork_rng():
        torch.manual_seed(3)
        return system.network.lite()


@pytest.mark.parametrize("shape", [(1, 3, 45, 61), (2, 1, 16, 16), (1, 3, 9, 100), (1, 1, 1, 1)], ids=str)
@pytest.mark.parametrize("psf_size", [(1, 1), (4, 4), (5, 9), (9, 5)], ids=str)
def test_any_size_and_any_psf_that_fits_is_taken(system, network, shape, psf_size):
    image, psf = random(*shape), random(1, 1, *psf_size, seed=1)
    if psf_size[0] > shape[-2] or psf_size[1] > shape[-1]:
        with pytest.raises(PsfError, match="larger than the image"):
            system.method(image, psf, network=network)
        return
    restored = system.method(image, psf, network=network)
    assert restored.shape == image.shape
    assert bool(restored.isfinite().all())


def test_zeros_around_the_psf_up_to_a_square_do_not_move_the_picture(system, network):
    image, line = random(1, 3, 32, 48), random(1, 1, 1, 6, seed=1)
    square = torch.nn.functional.pad(line, (0, 1, 3, 3))
    torch.testing.assert_close(
        system.method(image, line, network=network), system.method(image, square, network=network)
    )


@pytest.mark.parametrize("faithful", [True, False])
def test_statistics_measured_in_bands_are_those_of_the_whole(system, faithful):
    network = system.network(**system.narrow, faithful=faithful)
    image, psf = random(1, 3, 590, 37) ** 2, random(1, 1, 7, 7, seed=1)
    told = {system.told: system.measure(lambda rows: image[..., rows, :], (590, 37), psf, network=network)}
    torch.testing.assert_close(
        system.method(image, psf, network=network, **told), system.method(image, psf, network=network)
    )


def test_tiles_with_the_statistics_of_the_whole_agree_with_it(system, network):
    image, psf = random(1, 3, 64, 400) ** 2, random(1, 1, 5, 5, seed=1)
    whole = system.method(image, psf, network=network)
    told = {system.told: system.measure(lambda rows: image[..., rows, :], (64, 400), psf, network=network)}
    tile = system.method(image[..., 104:].contiguous(), psf, network=network, **told)
    inner = slice(96, 200)  # a transform wraps around: one edge sees the opposite one
    torch.testing.assert_close(tile[..., inner], whole[..., 104:][..., inner], atol=2e-3, rtol=0)


def test_a_colour_photo_through_a_grey_network_is_three_grey_ones(system):
    grey = system.network.lite(colours=1)
    image, psf = random(1, 3, 16, 16), random(1, 1, 5, 5)
    together = system.method(image, psf, network=grey)
    torch.testing.assert_close(together[:, 1:2], system.method(image[:, 1:2], psf, network=grey))


@pytest.mark.parametrize(
    ("psf", "words"),
    [
        (torch.full((1, 1, 31, 31), 1 / 961), r"the PSF is 31 x 31, larger than the image \(24 x 24\)"),
        (torch.zeros(1, 1, 5, 5), "zero everywhere"),
        (torch.tensor([[[[1.0, -0.5, 1.0]]]]), "negative where light cannot be"),
        (torch.full((1, 1, 3, 3), torch.nan), "NaN"),
    ],
)
def test_what_is_no_psf_is_refused(system, network, psf, words):
    with pytest.raises(PsfError, match=words):
        system.method(random(1, 3, 24, 24), psf, network=network)


def test_nonsense_is_refused(system, network):
    image, psf = random(1, 3, 16, 16), torch.ones(1, 1, 3, 3)
    with pytest.raises(UsageError, match="strength"):
        system.method(image, psf, network=network, strength=0.0)
    with pytest.raises(UsageError, match="sigma"):
        system.method(image, psf, network=network, sigma=-1.0)
    with pytest.raises(UsageError, match="2 channels"):
        system.method(image[:, :2], psf, network=network)


def test_progress_is_told_and_a_cancel_stops(system, network):
    image, psf = random(1, 3, 16, 16), torch.ones(1, 1, 3, 3)
    seen: list[tuple[int, int]] = []
    system.method(image, psf, network=network, progress=lambda done, total: seen.append((done, total)))
    assert seen == [(1, 1)]
    with pytest.raises(Cancelled):
        system.method(image, psf, network=network, cancel=lambda: True)


def test_the_input_is_left_as_it_was(system, network):
    image, psf = random(1, 3, 17, 16), 3 * torch.ones(1, 1, 3, 3)
    kept = image.clone(), psf.clone()
    system.method(image, psf, network=network)
    assert torch.equal(image, kept[0])
    assert torch.equal(psf, kept[1])


@torch.no_grad()
def test_a_psf_in_double_precision_is_taken(system, network):
    image, psf = random(1, 3, 32, 32), random(1, 1, 5, 5, seed=1)
    assert torch.equal(system.method(image, psf.double(), network=network), system.method(image, psf, network=network))

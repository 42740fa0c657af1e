"""INFWIDE as a method, on whatever users bring."""

import pytest
import torch

from nightsharp.errors import Cancelled, PsfError, UsageError
from nightsharp.methods.infwide import INFWIDE, Statistics, infwide, measure


def random(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed))


@pytest.fixture(scope="module")
def network() -> INFWIDE:
    with torch.random.fork_rng():
        torch.manual_seed(3)
        return INFWIDE.lite()


@pytest.mark.parametrize("shape", [(1, 3, 45, 61), (2, 1, 16, 16), (1, 3, 9, 100), (1, 1, 1, 1)], ids=str)
@pytest.mark.parametrize("psf_size", [(1, 1), (4, 4), (5, 9), (9, 5)], ids=str)
def test_any_size_and_any_psf_that_fits_is_taken(network, shape, psf_size):
    image, psf = random(*shape), random(1, 1, *psf_size, seed=1)
    if psf_size[0] > shape[-2] or psf_size[1] > shape[-1]:
        with pytest.raises(PsfError, match="larger than the image"):
            infwide(image, psf, network=network)
        return
    restored = infwide(image, psf, network=network)
    assert restored.shape == image.shape
    assert bool(restored.isfinite().all())


@torch.no_grad()
def test_the_network_sees_a_mirrored_image_of_its_own_range(network):
    image, psf = random(1, 3, 30, 46), random(1, 1, 5, 5, seed=1)
    rows = torch.cat([image[..., :5, :].flip(-2), image, image[..., -5:, :].flip(-2)], dim=-2)
    mirrored = torch.cat([rows[..., :5].flip(-1), rows, rows[..., -5:].flip(-1)], dim=-1)
    by_hand = 1.2 * network(mirrored / 1.2, psf)[..., 5:-5, 5:-5]
    torch.testing.assert_close(infwide(image, psf, network=network), by_hand)


def test_zeros_around_the_psf_up_to_a_square_do_not_move_the_picture(network):
    image, line = random(1, 3, 32, 48), random(1, 1, 1, 6, seed=1)
    square = torch.nn.functional.pad(line, (0, 1, 3, 3))
    torch.testing.assert_close(infwide(image, line, network=network), infwide(image, square, network=network))


@pytest.mark.parametrize("faithful", [True, False])
def test_statistics_measured_in_bands_are_those_of_the_whole(faithful):
    network = INFWIDE(features=8, width=8, denoiser_width=8, fusion_width=8, faithful=faithful)
    image, psf = random(1, 3, 590, 37) ** 2, random(1, 1, 7, 7, seed=1)
    found = measure(lambda rows: image[..., rows, :], (590, 37), psf, network=network)
    torch.testing.assert_close(
        infwide(image, psf, network=network, statistics=found), infwide(image, psf, network=network)
    )


def test_tiles_with_the_statistics_of_the_whole_agree_with_it(network):
    image, psf = random(1, 3, 64, 400) ** 2, random(1, 1, 5, 5, seed=1)
    whole = infwide(image, psf, network=network)
    found = measure(lambda rows: image[..., rows, :], (64, 400), psf, network=network)
    tile = infwide(image[..., 104:].contiguous(), psf, network=network, statistics=found)
    inner = slice(96, 200)  # a transform wraps around: one edge sees the opposite one
    torch.testing.assert_close(tile[..., inner], whole[..., 104:][..., inner], atol=2e-3, rtol=0)


@torch.no_grad()
def test_strength_scales_the_assumed_noise(network):
    image, psf = random(1, 3, 32, 32), random(1, 1, 5, 5, seed=1)
    found = measure(lambda rows: image[..., rows, :], (32, 32), psf, network=network)
    twice = infwide(image, psf, network=network, statistics=found, strength=2.0)
    halved = Statistics(found.noise / 2, found.feature / 4, found.image / 4)
    torch.testing.assert_close(twice, infwide(image, psf, network=network, statistics=halved))


def test_a_colour_photo_through_a_grey_network_is_three_grey_ones():
    grey = INFWIDE.lite(colours=1)
    image, psf = random(1, 3, 16, 16), random(1, 1, 5, 5)
    together = infwide(image, psf, network=grey)
    torch.testing.assert_close(together[:, 1:2], infwide(image[:, 1:2], psf, network=grey))


@pytest.mark.parametrize(
    ("psf", "words"),
    [
        (torch.full((1, 1, 31, 31), 1 / 961), r"the PSF is 31 x 31, larger than the image \(24 x 24\)"),
        (torch.zeros(1, 1, 5, 5), "zero everywhere"),
        (torch.tensor([[[[1.0, -0.5, 1.0]]]]), "negative where light cannot be"),
        (torch.full((1, 1, 3, 3), torch.nan), "NaN"),
    ],
)
def test_what_is_no_psf_is_refused(network, psf, words):
    with pytest.raises(PsfError, match=words):
        infwide(random(1, 3, 24, 24), psf, network=network)


def test_nonsense_is_refused(network):
    image, psf = random(1, 3, 16, 16), torch.ones(1, 1, 3, 3)
    with pytest.raises(UsageError, match="strength"):
        infwide(image, psf, network=network, strength=0.0)
    with pytest.raises(UsageError, match="sigma"):
        infwide(image, psf, network=network, sigma=-1.0)
    with pytest.raises(UsageError, match="2 channels"):
        infwide(image[:, :2], psf, network=network)


def test_progress_is_told_and_a_cancel_stops(network):
    image, psf = random(1, 3, 16, 16), torch.ones(1, 1, 3, 3)
    seen: list[tuple[int, int]] = []
    infwide(image, psf, network=network, progress=lambda done, total: seen.append((done, total)))
    assert seen == [(1, 1)]
    with pytest.raises(Cancelled):
        infwide(image, psf, network=network, cancel=lambda: True)


def test_the_input_is_left_as_it_was(network):
    image, psf = random(1, 3, 17, 16), 3 * torch.ones(1, 1, 3, 3)
    kept = image.clone(), psf.clone()
    infwide(image, psf, network=network)
    assert torch.equal(image, kept[0])
    assert torch.equal(psf, kept[1])

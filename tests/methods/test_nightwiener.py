"""NightWiener: a classical estimate, corrected; laws that hold whatever the weights are."""

import pytest
import torch
from night_scene import KERNEL, PSF, blurred, scene

from nightsharp.errors import Cancelled, PsfError, UsageError
from nightsharp.methods.nightwiener import NightWiener, nightwiener, views
from nightsharp.optics import Blur, line


@pytest.fixture(scope="module")
def network() -> NightWiener:
    """Weights as training might leave them: none is zero."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        made = NightWiener(widths=(8, 8, 16), depth=1)
        torch.nn.init.normal_(made.tail.weight, std=0.02)
    return made.requires_grad_(False)


def test_an_untrained_network_hands_the_estimate_back():
    start = scene()
    assert torch.equal(nightwiener(blurred(), KERNEL, network=NightWiener(), start=start, sigma=0.01), start)


@pytest.mark.parametrize("exposure", [0.25, 0.01])
def test_a_darker_photo_with_as_much_less_noise_gives_the_same_picture(network, exposure):
    """No bias anywhere: what is learned by day holds by night."""
    kwargs = {"network": network, "clip": None}
    bright = nightwiener(blurred(), KERNEL, start=scene(), sigma=0.1, **kwargs)
    assert float((bright - scene()).abs().max()) > 1e-3, "the network does nothing"
    dark = nightwiener(exposure * blurred(), KERNEL, start=exposure * scene(), sigma=0.1 * exposure, **kwargs)
    torch.testing.assert_close(dark / exposure, bright, atol=2e-4, rtol=0)


def test_what_the_estimate_explains_leaves_nothing_to_see():
    clean = Blur(PSF, "circular")(scene())
    weight = torch.zeros_like(clean)
    weight[..., 12:-12, 12:-12] = 1  # what lies beyond is not compared
    level = torch.full((1, 3, 1, 1), 0.01)
    seen = views(clean, KERNEL, scene(), level, weight=weight)
    assert float(seen[:, 2:5].abs().max()) < 1e-3
    wrong = views(clean, KERNEL, 0.9 * scene(), level, weight=weight)
    assert float(wrong[:, 2:5].abs().max()) > 0.05


def test_a_lamp_that_explains_its_clipped_trail_leaves_nothing_to_see():
    light = torch.full((1, 1, 48, 64), 0.2)
    light[..., 24, 32] = 40.0
    recorded = Blur(line(7), "replicate")(light).clamp(0, 1)
    level = torch.full((1, 1, 1, 1), 0.01)
    dimmer = light.clamp(0, 3.0)
    kernel = line(7).kernel[None, None]
    assert float(views(recorded, kernel, light, level)[:, 2:5].abs().max()) < 0.02
    # one too dim to have clipped does not
    assert float(views(recorded, kernel, dimmer, level)[:, 2:5].abs().max()) > 0.1


def test_stronger_regularisation_shows_less():
    seen = views(blurred(), KERNEL, 0.9 * scene(), torch.full((1, 3, 1, 1), 0.02))
    energy = seen[:, 2:5].square().mean(dim=(0, 2, 3)).tolist()
    assert energy == sorted(energy, reverse=True)
    # and lets less noise through
    assert float(seen[0, 9, 0, 0]) > float(seen[0, 10, 0, 0])


@pytest.mark.parametrize("shape", [(1, 1, 1, 1), (1, 3, 2, 7), (2, 1, 17, 23)], ids=str)
def test_any_size_is_taken(network, shape):
    image = torch.rand(shape, generator=torch.Generator().manual_seed(1))
    restored = nightwiener(image, torch.ones(1, 1, 1, 1), network=network, start=image)
    assert restored.shape == shape
    assert bool(restored.isfinite().all())


def test_each_image_of_a_batch_is_restored_as_alone(network):
    both, starts = torch.cat([blurred(), 0.5 * blurred()]), torch.cat([scene(), scene()])
    together = nightwiener(both, KERNEL, network=network, start=starts, sigma=0.01)
    alone = nightwiener(both[1:], KERNEL, network=network, start=starts[1:], sigma=0.01)
    torch.testing.assert_close(together[1:], alone, atol=1e-5, rtol=0)


def test_light_is_not_below_black(network):
    out = nightwiener(blurred(noise=0.1), KERNEL, network=network, start=scene() - 0.3, sigma=0.1)
    assert float(out.min()) >= 0


def test_progress_counts_the_channels_and_a_cancel_stops(network):
    seen: list[tuple[int, int]] = []
    nightwiener(
        blurred(), KERNEL, network=network, start=scene(), progress=lambda done, most: seen.append((done, most))
    )
    assert seen == [(1, 3), (2, 3), (3, 3)]
    with pytest.raises(Cancelled):
        nightwiener(blurred(), KERNEL, network=network, start=scene(), cancel=lambda: True)


def test_nonsense_is_refused(network):
    with pytest.raises(PsfError, match=r"the PSF is 31 x 31, larger than the image \(8 x 40\)"):
        nightwiener(
            torch.rand(1, 1, 8, 40), torch.full((1, 1, 31, 31), 1 / 961), network=network, start=torch.rand(1, 1, 8, 40)
        )
    with pytest.raises(UsageError, match="strength"):
        nightwiener(blurred(), KERNEL, network=network, start=scene(), strength=0.0)


def test_it_stays_below_a_million_parameters():
    assert sum(weights.numel() for weights in NightWiener().parameters()) < 1_000_000


def test_every_weight_is_reached_by_the_gradient():
    network = NightWiener(widths=(8, 8, 8), depth=1)
    torch.nn.init.normal_(network.tail.weight, std=0.1)
    stack = torch.rand(2, 11, 32, 32, generator=torch.Generator().manual_seed(2))
    network(stack).square().mean().backward()
    assert all(weights.grad is not None and bool(weights.grad.any()) for weights in network.parameters())


def test_a_network_is_rebuilt_from_its_configuration(network):
    again = NightWiener(**network.config)
    assert {name: w.shape for name, w in again.state_dict().items()} == {
        name: w.shape for name, w in network.state_dict().items()
    }

"""NightWiener: a classical estimate, corrected; laws that hold whatever the weights are."""

import pytest
import torch
from night_scene import KERNEL, PSF, blurred, scene

from nightsharp.errors import Cancelled, PsfError, UsageError
from nightsharp.methods._blocks import Canvas
from nightsharp.methods.nightwiener import NightPrior, NightWiener, nightwiener
from nightsharp.methods.nightwiener.bank import views
from nightsharp.methods.nightwiener.turns import TURNS
from nightsharp.optics import Blur, line

LEVEL, CONTRAST = torch.full((1, 3, 1, 1), 0.02), torch.full((1, 1, 1, 1), 0.2)
FINE, SOFT = torch.tensor([-1.8]), torch.tensor([-3.0])


@pytest.fixture(scope="module")
def parts(prior) -> dict[str, torch.nn.Module]:
    """Network and prior with weights as training might leave them: none is zero."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        made = NightWiener(widths=(8, 8, 16), depth=1)
        torch.nn.init.normal_(made.tail.weight, std=0.02)
    return {"network": made.requires_grad_(False), "prior": prior}


def test_an_untrained_network_hands_the_estimate_back():
    kwargs = {"network": NightWiener(), "prior": NightPrior(), "start": scene(), "sigma": 0.01}
    assert torch.equal(nightwiener(blurred(), KERNEL, scene=float(FINE), **kwargs), scene())
    # joined with that of the turns where the scene is soft
    assert not torch.equal(nightwiener(blurred(), KERNEL, scene=float(SOFT), **kwargs), scene())


@pytest.mark.parametrize("exposure", [0.25, 0.01])
def test_a_darker_photo_with_as_much_less_noise_gives_the_same_picture(parts, exposure):
    """No bias anywhere: what is learned by day holds by night."""
    kwargs = {**parts, "clip": None}
    bright = nightwiener(blurred(), KERNEL, start=scene(), sigma=0.1, **kwargs)
    assert float((bright - scene()).abs().max()) > 1e-3, "the network does nothing"
    dark = nightwiener(exposure * blurred(), KERNEL, start=exposure * scene(), sigma=0.1 * exposure, **kwargs)
    torch.testing.assert_close(dark / exposure, bright, atol=2e-4, rtol=0)


def test_what_the_estimate_explains_leaves_nothing_to_see():
    clean = Blur(PSF, "circular")(scene())
    weight = torch.zeros_like(clean)
    weight[..., 12:-12, 12:-12] = 1  # what lies beyond is not compared
    level = torch.full((1, 3, 1, 1), 0.01)
    canvas = Canvas.around(clean, KERNEL, weight=weight)
    seen = views(canvas, scene(), 0.9 * scene(), level, CONTRAST, FINE)
    assert float(seen[:, 2:5].abs().max()) < 1e-3
    assert float(seen[:, 14].abs().max()) > 0.05
    seen = views(canvas, 0.9 * scene(), scene(), level, CONTRAST, FINE)
    assert float(seen[:, 2:5].abs().max()) > 0.05
    assert float(seen[:, 14].abs().max()) < 1e-3


def test_a_lamp_that_explains_its_clipped_trail_leaves_nothing_to_see():
    light = torch.full((1, 1, 48, 64), 0.2)
    light[..., 24, 32] = 40.0
    recorded = Blur(line(7), "replicate")(light).clamp(0, 1)
    level = torch.full((1, 1, 1, 1), 0.01)
    dimmer = light.clamp(0, 3.0)
    kernel = line(7).kernel[None, None]
    canvas, contrast = Canvas.around(recorded, kernel), recorded.std().reshape(1, 1, 1, 1)
    assert float(views(canvas, light, light, level, contrast, FINE)[:, 2:5].abs().max()) < 0.02
    # one too dim to have clipped does not
    assert float(views(canvas, dimmer, light, level, contrast, FINE)[:, 2:5].abs().max()) > 0.1


def test_stronger_regularisation_shows_less():
    seen = views(Canvas.around(blurred(), KERNEL), 0.9 * scene(), scene(), LEVEL, CONTRAST, FINE)
    energy = seen[:, 2:5].square().mean(dim=(0, 2, 3)).tolist()
    assert energy == sorted(energy, reverse=True)
    # and lets less noise through
    assert float(seen[0, 9, 0, 0]) > float(seen[0, 10, 0, 0])


def test_a_soft_scene_is_shown_with_less_detail():
    canvas = Canvas.around(blurred(), KERNEL)
    contrast, fine = views(canvas, scene(), scene(), LEVEL, CONTRAST, FINE)[0, 11:13, 0, 0].tolist()
    same, soft = views(canvas, scene(), scene(), LEVEL, CONTRAST, SOFT)[0, 11:13, 0, 0].tolist()
    assert contrast == same == pytest.approx(0.2)
    assert fine == pytest.approx(0.2 / 10**0.9)
    assert soft == pytest.approx(0.2 / 10**1.5)


def test_what_is_said_of_the_scene_reaches_the_picture(parts):
    kwargs = {**parts, "start": scene(), "sigma": 0.01}
    fine = nightwiener(blurred(), KERNEL, scene=float(FINE), **kwargs)
    soft = nightwiener(blurred(), KERNEL, scene=float(SOFT), **kwargs)
    assert float((fine - soft).abs().max()) > 1e-4


@pytest.mark.parametrize("shape", [(1, 1, 1, 1), (1, 3, 2, 7), (2, 1, 17, 23)], ids=str)
def test_any_size_is_taken(parts, shape):
    image = torch.rand(shape, generator=torch.Generator().manual_seed(1))
    restored = nightwiener(image, torch.ones(1, 1, 1, 1), **parts, start=image)
    assert restored.shape == shape
    assert bool(restored.isfinite().all())


def test_each_image_of_a_batch_is_restored_as_alone(parts):
    both, starts = torch.cat([blurred(), 0.5 * blurred()]), torch.cat([scene(), scene()])
    together = nightwiener(both, KERNEL, **parts, start=starts, sigma=0.01)
    alone = nightwiener(both[1:], KERNEL, **parts, start=starts[1:], sigma=0.01)
    torch.testing.assert_close(together[1:], alone, atol=1e-5, rtol=0)


def test_light_is_not_below_black(parts):
    out = nightwiener(blurred(noise=0.1), KERNEL, **parts, start=scene() - 0.3, sigma=0.1)
    assert float(out.min()) >= 0


def test_progress_counts_turns_and_channels_and_a_cancel_stops(parts):
    for fineness, before in ((FINE, 0), (SOFT, TURNS)):
        seen: list[tuple[int, int]] = []
        nightwiener(
            blurred(),
            KERNEL,
            **parts,
            start=scene(),
            scene=float(fineness),
            progress=lambda done, most, seen=seen: seen.append((done, most)),
        )
        assert seen == [(n, before + 3) for n in range(1, before + 4)]
    with pytest.raises(Cancelled):
        nightwiener(blurred(), KERNEL, **parts, start=scene(), cancel=lambda: True)


def test_nonsense_is_refused(parts):
    with pytest.raises(PsfError, match=r"the PSF is 31 x 31, larger than the image \(8 x 40\)"):
        nightwiener(
            torch.rand(1, 1, 8, 40),
            torch.full((1, 1, 31, 31), 1 / 961),
            **parts,
            start=torch.rand(1, 1, 8, 40),
        )
    with pytest.raises(UsageError, match="strength"):
        nightwiener(blurred(), KERNEL, **parts, start=scene(), strength=0.0)


def test_it_stays_below_a_million_parameters():
    parts = (NightWiener(), NightPrior())
    assert sum(weights.numel() for part in parts for weights in part.parameters()) < 1_000_000


def test_every_weight_is_reached_by_the_gradient():
    network = NightWiener(widths=(8, 8, 8), depth=1)
    torch.nn.init.normal_(network.tail.weight, std=0.1)
    stack = torch.rand(2, 15, 32, 32, generator=torch.Generator().manual_seed(2))
    network(stack).square().mean().backward()
    assert all(weights.grad is not None and bool(weights.grad.any()) for weights in network.parameters())


def test_a_network_is_rebuilt_from_its_configuration(parts):
    network = parts["network"]
    again = NightWiener(**network.config)
    assert {name: w.shape for name, w in again.state_dict().items()} == {
        name: w.shape for name, w in network.state_dict().items()
    }

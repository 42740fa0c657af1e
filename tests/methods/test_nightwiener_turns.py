"""NightWiener's turns: data step and prior, and how fine a scene is."""

import itertools

import pytest
import torch
from night_scene import KERNEL, PSF, blurred, scene

from nightsharp.errors import Cancelled
from nightsharp.methods._blocks import Canvas
from nightsharp.methods.nightwiener import NightPrior, NightWiener, fineness, nightwiener
from nightsharp.methods.nightwiener.data_step import data_step
from nightsharp.methods.nightwiener.prior import seen
from nightsharp.methods.nightwiener.scene import UNKNOWN
from nightsharp.methods.nightwiener.turns import FINE, TURNS, share, turns
from nightsharp.optics import Blur, Psf, line

LEVEL, CONTRAST = torch.full((1, 3, 1, 1), 0.01), torch.full((1, 1, 1, 1), 0.2)
SOFT = -4.0
SOFT = -4.0


def error(image: torch.Tensor) -> float:
    return float((image - scene())[..., 8:-8, 8:-8].square().mean())


def test_a_data_step_gets_back_all_that_the_psf_let_through():
    clean = Blur(PSF, "circular")(scene())
    weight = torch.zeros_like(clean)
    weight[..., 12:-12, 12:-12] = 1  # what lies beyond is not compared
    canvas = Canvas.around(clean, KERNEL, None, weight)
    ratio = torch.full((1, 1, 1, 1), 0.01)
    torch.testing.assert_close(data_step(canvas, scene(), ratio), scene(), atol=1e-4, rtol=0)
    assert error(data_step(canvas, clean, ratio)) < 0.5 * error(clean)
    # an estimate that is trusted without end does not move
    torch.testing.assert_close(data_step(canvas, clean, torch.full((1, 1, 1, 1), 1e9)), clean, atol=1e-5, rtol=0)


def test_a_lamp_that_explains_its_clipped_trail_stays():
    light = torch.full((1, 1, 48, 64), 0.2)
    light[..., 24, 32] = 40.0
    recorded = Blur(line(7), "replicate")(light).clamp(0, 1)
    canvas = Canvas.around(recorded, line(7).kernel[None, None])
    ratio = torch.full((1, 1, 1, 1), 0.01)
    assert float((data_step(canvas, light, ratio) - light).abs().max()) < 0.05
    # to one too dim to have clipped, light is added
    dim = light.clamp(0, 3.0)
    assert float((data_step(canvas, dim, ratio) - dim).sum()) > 1


def test_the_error_that_is_taken_away_falls_from_the_contrast_to_the_noise():
    told: list[float] = []

    class Listening(NightPrior):
        def forward(self, stack: torch.Tensor) -> torch.Tensor:
            told.append(float(stack[0, 2].mean()))
            return stack[:, :1]

    canvas = Canvas.around(blurred(1), KERNEL)
    list(turns(blurred(1), canvas, LEVEL[:, :1], CONTRAST, torch.tensor([SOFT]), Listening((8, 8))))
    assert len(told) == TURNS
    assert told[0] == pytest.approx(0.27 * 0.2)
    assert told[-1] == pytest.approx(0.01)
    falls = [a / b for a, b in itertools.pairwise(told)]
    assert falls == pytest.approx([falls[0]] * (TURNS - 1), rel=1e-4)


def test_an_untrained_prior_hands_its_image_back():
    image = torch.rand(2, 3, 12, 20)
    cleaned = NightPrior(widths=(8, 8))(seen(image, torch.full((2, 1, 1, 1), 0.1)))
    assert torch.equal(cleaned.reshape(image.shape), image)


@pytest.mark.parametrize("exposure", [0.25, 0.01])
def test_a_darker_photo_with_as_much_less_noise_gives_the_same_picture(prior, exposure):
    """No bias anywhere: what is learned by day holds by night."""

    def last(part: float) -> torch.Tensor:
        canvas = Canvas.around(part * blurred(), KERNEL, None)
        scenes = torch.tensor([SOFT])
        return list(turns(part * scene(), canvas, part * LEVEL, part * CONTRAST, scenes, prior))[-1]

    assert float((last(1.0) - scene()).abs().max()) > 1e-3, "nothing happens"
    torch.testing.assert_close(last(exposure) / exposure, last(1.0), atol=2e-4, rtol=0)


def test_a_fine_scene_is_left_to_the_network(prior):
    kwargs = {"network": NightWiener(widths=(8, 8, 8), depth=1), "prior": prior, "start": scene(), "sigma": 0.01}
    alone = nightwiener(blurred(), KERNEL, scene=FINE, **kwargs)
    assert torch.equal(alone, scene())
    soft = nightwiener(blurred(), KERNEL, scene=SOFT, **kwargs)
    assert float((soft - alone).abs().max()) > 1e-3


def test_fine_and_soft_scenes_of_one_batch_go_their_own_ways(prior):
    starts = torch.cat([scene(), scene()])
    canvas = Canvas.around(torch.cat([blurred(), blurred()]), KERNEL)
    level, contrast = LEVEL.expand(2, -1, -1, -1), CONTRAST.expand(2, -1, -1, -1)
    *_, turned = turns(starts, canvas, level, contrast, torch.tensor([FINE, SOFT]), prior)
    assert torch.equal(turned[0], starts[0])
    assert float((turned[1] - starts[1]).abs().max()) > 1e-3
    assert list(turns(starts, canvas, level, contrast, torch.tensor([FINE, 0.0]), prior)) == []


def test_beside_lamps_nothing_is_joined_and_far_from_them_all_of_it():
    lit = torch.full((1, 1, 90, 90), 0.3)
    lit[..., 44:46, 44:46] = 1.0
    part = share(Canvas.around(lit, KERNEL), KERNEL, torch.tensor([SOFT]))
    assert float(part[..., 40:50, 40:50].max()) == 0
    assert float(part[..., :10, :10].min()) == pytest.approx(0.4)
    # softly
    assert 0 < float(part[..., 45, :].diff().abs().max()) < 0.2


def test_each_image_of_a_batch_is_restored_as_alone(prior):
    both, starts = torch.cat([blurred(), 0.5 * blurred()]), torch.cat([scene(), scene()])
    network = NightWiener(widths=(8, 8, 8), depth=1)
    together = nightwiener(both, KERNEL, network=network, prior=prior, start=starts, sigma=0.01, scene=SOFT)
    alone = nightwiener(both[1:], KERNEL, network=network, prior=prior, start=starts[1:], sigma=0.01, scene=SOFT)
    torch.testing.assert_close(together[1:], alone, atol=1e-5, rtol=0)


def test_a_cancel_stops_in_the_turns(prior):
    asked: list[int] = []
    kwargs = {"network": NightWiener(widths=(8, 8, 8), depth=1), "prior": prior, "start": scene(), "scene": SOFT}
    with pytest.raises(Cancelled):
        nightwiener(blurred(), KERNEL, cancel=lambda: asked.append(1) or len(asked) > 1, **kwargs)
    assert len(asked) == 2 < TURNS


def photograph(softness: float, psf: Psf, noise: float) -> torch.Tensor:
    """A scene with the spectrum of natural ones, softened, blurred, noisy."""
    generator = torch.Generator().manual_seed(5)
    frequency = torch.hypot(torch.fft.fftfreq(256)[:, None], torch.fft.rfftfreq(256)).clamp_min(1 / 256)
    spectrum = torch.fft.rfft2(torch.randn(256, 256, generator=generator)) * frequency**-1.2
    spectrum = spectrum * (-2 * (torch.pi * softness * frequency).square()).exp()
    sharp = torch.fft.irfft2(spectrum, s=(256, 256))
    sharp = 0.5 + 0.12 * (sharp - sharp.mean()) / sharp.std()
    seen_ = Blur(psf, "circular")(sharp[None, None])
    return (seen_ + noise * torch.randn(seen_.shape, generator=generator)).clamp(0, 1)


def measured(image: torch.Tensor, kernel: torch.Tensor) -> float:
    size = (image.shape[-2], image.shape[-1])
    return fineness(lambda rows: image[..., rows, :], size, kernel)


@pytest.mark.parametrize("noise", [0.002, 0.01])
def test_softness_of_the_scene_is_told_from_blur(noise):
    """A scene softened by b pixels loses (2 pi b f)^2 nepers of power at f = 1/4, whatever blurred it."""
    fine, soft = (measured(photograph(b, PSF, noise), KERNEL) for b in (0.3, 1.0))
    lost = (2 * torch.pi * 0.25) ** 2 * (1.0 - 0.09) / 2.302585
    assert fine - soft == pytest.approx(lost, abs=0.35)
    unblurred = measured(photograph(0.3, line(1), noise), torch.ones(1, 1, 1, 1))
    assert unblurred == pytest.approx(fine, abs=0.35)


def test_of_what_cannot_tell_nothing_is_said():
    assert measured(torch.rand(1, 1, 40, 200), KERNEL) == UNKNOWN  # too small
    assert measured(torch.rand(1, 1, 200, 200), torch.full((1, 1, 65, 65), 65.0**-2)) == UNKNOWN  # the PSF too large
    assert measured(torch.ones(1, 3, 100, 100), KERNEL) == UNKNOWN  # saturated all over
    assert measured(torch.full((1, 3, 100, 100), 0.4), KERNEL) == UNKNOWN  # nothing there
    noise = 0.5 + 0.05 * torch.randn(1, 1, 128, 128, generator=torch.Generator().manual_seed(0))
    assert measured(noise, KERNEL) == UNKNOWN


def test_network_and_prior_together_stay_below_a_million_weights():
    both = [*NightWiener().parameters(), *NightPrior().parameters()]
    assert sum(weights.numel() for weights in both) < 1_000_000


def test_every_weight_of_the_prior_is_reached_by_the_gradient():
    made = NightPrior(widths=(8, 8))
    torch.nn.init.normal_(made.tail.weight, std=0.1)
    made(torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(2))).square().mean().backward()
    assert all(weights.grad is not None and bool(weights.grad.any()) for weights in made.parameters())

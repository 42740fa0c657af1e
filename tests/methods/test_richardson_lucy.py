"""Richardson-Lucy: what holds for every variant, and what the saturation-aware one adds."""

import pytest
import torch
from torch import Tensor

from nightsharp.errors import Cancelled, PsfError, UsageError
from nightsharp.methods.richardson_lucy import richardson_lucy
from nightsharp.methods.richardson_lucy.damping import total_variation_damping
from nightsharp.optics import Blur, Psf, disk, line, shake

VARIANTS = ["plain", "tv", "saturated"]
PSFS = [line(9, angle=30), disk(3), Psf.from_tensor(torch.tensor([[0.0, 1.0, 0.0, 0.5], [0.0, 0.2, 2.0, 0.0]]))]


def kernel(psf: Psf) -> Tensor:
    return psf.kernel[None, None]


def gain(restored: Tensor, blurred: Tensor, sharp: Tensor) -> float:
    """Decibels won over the blurred image."""
    sharp = sharp.clamp(0, 1)
    return float(10 * torch.log10((blurred - sharp).square().mean() / (restored.clamp(0, 1) - sharp).square().mean()))


def scene(height: int = 64, width: int = 72, *, lamps: float = 0.0, seed: int = 0) -> Tensor:
    """A dark street: soft ground, a few grey boxes and, where wanted, small lamps far above the sensor's range."""
    generator = torch.Generator().manual_seed(seed)
    ground = torch.linspace(0.05, 0.2, height)[:, None].expand(height, width)
    street = torch.stack([ground, 0.8 * ground, 0.5 * ground])[None].clone()
    for _ in range(12):
        top, left = (
            int(torch.randint(0, height - 8, (), generator=generator)),
            int(torch.randint(0, width - 8, (), generator=generator)),
        )
        tall, wide = (int(n) for n in torch.randint(4, 16, (2,), generator=generator))
        street[..., top : top + tall, left : left + wide] = 0.6 * torch.rand(1, 3, 1, 1, generator=generator)
    for k in range(6 if lamps else 0):
        top, left = 8 + (height - 20) * (k % 3) // 2, 8 + (width - 20) * (k // 3)
        street[..., top : top + 3, left : left + 3] = lamps
    return street


def photograph(street: Tensor, psf: Psf, sigma: float = 0.0, seed: int = 0) -> Tensor:
    noise = torch.randn(street.shape, generator=torch.Generator().manual_seed(seed))
    return (Blur(psf, boundary="reflect")(street) + sigma * noise).clamp(0, 1)


@pytest.mark.parametrize("variant", VARIANTS)
class TestEveryVariant:
    @pytest.mark.parametrize("psf", PSFS, ids=str)
    def test_a_blurred_street_comes_out_sharper(self, variant, psf):
        street = scene()
        blurred = photograph(street, psf)
        restored = richardson_lucy(blurred, kernel(psf), variant=variant, sigma=0.002)
        assert restored.shape == street.shape
        assert gain(restored, blurred, street) > 2

    def test_light_stays_non_negative_and_finite_even_in_noise(self, variant):
        blurred = photograph(scene(lamps=20.0), PSFS[0], sigma=0.05)
        restored = richardson_lucy(blurred, kernel(PSFS[0]), variant=variant, iterations=60, tolerance=0.0)
        assert bool(restored.isfinite().all())
        assert float(restored.min()) >= 0

    def test_without_blur_nothing_is_left_to_do(self, variant):
        street = scene()
        restored = richardson_lucy(street, torch.ones(1, 1, 1, 1), variant=variant, sigma=0.0)
        assert float((restored - street).abs().max()) < (1e-5 if variant == "plain" else 0.02)

    @pytest.mark.parametrize("value", [0.0, 0.3, 1.0])
    def test_an_even_wall_stays_even(self, variant, value):
        wall = torch.full((1, 3, 40, 44), value)
        restored = richardson_lucy(wall, kernel(PSFS[0]), variant=variant)
        assert float((restored - wall).abs().max()) < (1e-2 if value == 0 else 1e-4)

    def test_a_batch_gives_what_each_image_gives_alone(self, variant):
        streets = torch.cat([scene(seed=1, lamps=8.0), scene(seed=2), torch.full((1, 3, 64, 72), 0.4)])
        psfs = torch.cat([kernel(line(8, angle=angle).pad(9, 9)) for angle in (0, 45, 90)])
        blurred = Blur(psfs, boundary="reflect")(streets).clamp(0, 1)
        together = richardson_lucy(blurred, psfs, variant=variant, tolerance=5e-3)
        for n in range(3):
            alone = richardson_lucy(blurred[n : n + 1], psfs[n : n + 1], variant=variant, tolerance=5e-3)
            assert float((together[n] - alone[0]).abs().max()) < 1e-3 * float(alone.max())

    @pytest.mark.parametrize("shape", [(1, 1), (1, 7), (5, 2), (3, 3)])
    def test_a_tiny_image_is_restored_too(self, variant, shape):
        image = torch.rand(1, 1, *shape, generator=torch.Generator().manual_seed(0))
        psf = torch.ones(1, 1, min(2, shape[0]), min(2, shape[1]))
        restored = richardson_lucy(image, psf / psf.sum(), variant=variant)
        assert restored.shape == image.shape
        assert bool(restored.isfinite().all())

    def test_the_border_is_restored_nearly_as_well_as_the_middle(self, variant):
        psf = line(15, angle=20)
        wide = scene(128, 144, seed=3)
        cut = (slice(None), slice(None), slice(24, -24), slice(24, -24))
        blurred = Blur(psf, boundary="reflect")(wide)[cut].contiguous()
        error = (richardson_lucy(blurred, kernel(psf), variant=variant, sigma=0.002) - wide[cut]).square().mean(dim=1)
        middle = error[..., 12:-12, 12:-12]
        rim = (error.sum() - middle.sum()) / (error.numel() - middle.numel())
        before = (blurred - wide[cut]).square().mean()
        assert float(rim) < 3 * float(middle.mean())
        assert float(rim) < float(before)

    def test_progress_counts_and_stops_when_nothing_changes(self, variant):
        steps: list[tuple[int, int]] = []
        blurred = photograph(scene(), PSFS[1])
        richardson_lucy(
            blurred, kernel(PSFS[1]), variant=variant, iterations=200, tolerance=1e-2,
            progress=lambda done, total: steps.append((done, total)),
        )  # fmt: skip
        assert [done for done, _ in steps] == list(range(1, len(steps) + 1))
        assert len(steps) < 100
        assert {total for _, total in steps} == {200}

    def test_the_caller_can_stop_it(self, variant):
        steps: list[int] = []
        with pytest.raises(Cancelled, match="step 3"):
            richardson_lucy(
                photograph(scene(), PSFS[0]), kernel(PSFS[0]), variant=variant, tolerance=0.0,
                progress=lambda done, total: steps.append(done), cancel=lambda: len(steps) == 3,
            )  # fmt: skip

    def test_a_psf_larger_than_the_image_is_refused(self, variant):
        with pytest.raises(PsfError, match="larger than the image"):
            richardson_lucy(torch.rand(1, 1, 8, 8), torch.ones(1, 1, 9, 3) / 27, variant=variant)


class TestPlain:
    def test_flux_is_kept(self):
        star = torch.zeros(1, 1, 48, 48)
        star[..., 20:23, 25] = 0.9
        blurred = Blur(disk(4), boundary="replicate")(star)
        restored = richardson_lucy(blurred, kernel(disk(4)), variant="plain")
        assert float(restored.sum()) == pytest.approx(float(star.sum()), rel=2e-2)

    def test_agrees_with_scikit_image_away_from_the_border(self):
        restoration = pytest.importorskip("skimage.restoration")
        psf = line(7, angle=40)
        street = scene(80, 80)[:, :1] + 0.05
        blurred = Blur(psf, boundary="replicate")(street)
        ours = richardson_lucy(blurred, kernel(psf), variant="plain", iterations=200, tolerance=0.0)
        theirs = restoration.richardson_lucy(blurred[0, 0].numpy(), psf.kernel.numpy(), num_iter=200, clip=False)
        inside = (slice(24, -24), slice(24, -24))
        difference = (ours[0, 0][inside] - torch.from_numpy(theirs)[inside]).square().mean().sqrt()
        assert float(difference) < 0.02


class TestDamping:
    def test_noise_is_held_back(self):
        street = scene()
        blurred = photograph(street, PSFS[1], sigma=0.03)
        plain = richardson_lucy(blurred, kernel(PSFS[1]), variant="plain", tolerance=0.0)
        damped = richardson_lucy(blurred, kernel(PSFS[1]), variant="tv", sigma=0.03, tolerance=0.0)
        assert gain(damped, blurred, street) > gain(plain, blurred, street) + 1

    def test_strength_makes_it_sharper(self):
        blurred = photograph(scene(), PSFS[1], sigma=0.01)
        roughness = [
            float(richardson_lucy(blurred, kernel(PSFS[1]), sigma=0.01, strength=s).diff(dim=-1).abs().mean())
            for s in (0.25, 1.0, 4.0)
        ]
        assert roughness == sorted(roughness)

    def test_sigma_may_be_given_for_each_image(self):
        blurred = torch.cat([photograph(scene(), PSFS[1], sigma=0.03, seed=n) for n in (0, 0)])
        restored = richardson_lucy(blurred, kernel(PSFS[1]), variant="tv", sigma=torch.tensor([0.003, 0.05]))
        assert float(restored[0].diff(dim=-1).abs().mean()) > float(restored[1].diff(dim=-1).abs().mean())

    def test_a_peak_is_divided_by_more_than_its_valley(self):
        peak = torch.zeros(1, 1, 9, 9)
        peak[..., 4, 4] = 1
        divisor = total_variation_damping(peak, torch.full((1, 1, 1, 1), 0.05), torch.full((1, 1, 1, 1), 1e-3))
        assert float(divisor[..., 4, 4]) > 1 > float(divisor[..., 4, 5])


class TestSaturation:
    PSF = shake(15, generator=torch.Generator().manual_seed(1))

    def test_lamps_beyond_the_range_do_not_ruin_the_street(self):
        street = scene(96, 104, lamps=10.0)
        blurred = photograph(street, self.PSF, sigma=0.002)
        aware = richardson_lucy(blurred, kernel(self.PSF), sigma=0.002)
        unaware = richardson_lucy(blurred, kernel(self.PSF), sigma=0.002, clip=None)
        assert gain(aware, blurred, street) > gain(unaware, blurred, street) + 3
        assert gain(aware, blurred, street) > 8

    def test_a_lamp_is_found_to_be_brighter_than_white(self):
        street = torch.full((1, 1, 64, 64), 0.05)
        street[..., 30:34, 30:34] = 4.0
        restored = richardson_lucy(photograph(street, self.PSF), kernel(self.PSF), sigma=0.002)
        assert float(restored.max()) > 1.5

    def test_an_inexact_psf_rings_less_around_lamps_than_without_the_split(self, monkeypatch):
        street = scene(96, 104, lamps=20.0)
        blurred = photograph(street, self.PSF)
        wrong = kernel(self.PSF.rotate(8))
        split = richardson_lucy(blurred, wrong, sigma=0.005)
        monkeypatch.setattr("nightsharp.methods.richardson_lucy.split._DISTRUST", 0.0)
        whole = richardson_lucy(blurred, wrong, sigma=0.005)
        assert gain(split, blurred, street) > gain(whole, blurred, street) + 1.5

    def test_without_lamps_the_clip_level_does_not_matter(self):
        blurred = photograph(scene(), self.PSF).clamp(max=0.6)
        aware, unaware = (richardson_lucy(blurred, kernel(self.PSF), clip=clip, sigma=0.05) for clip in (2.0, None))
        assert torch.allclose(aware, unaware, atol=1e-5)


@pytest.mark.parametrize(
    ("wish", "message"),
    [({"iterations": 0}, "at least 1"), ({"strength": 0.0}, "strength"), ({"sigma": -1.0}, "sigma")],
    ids=str,
)
def test_an_impossible_wish_is_refused_in_words(wish, message):
    with pytest.raises(UsageError, match=message):
        richardson_lucy(torch.rand(1, 1, 16, 16), kernel(PSFS[1]), **wish)

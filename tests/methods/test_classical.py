"""The laws that every classical non-blind method keeps."""

import pytest
import skimage.data
import torch

from nightsharp.errors import Cancelled, PsfError, UsageError
from nightsharp.methods import get_method, list_methods
from nightsharp.optics import Blur, Psf, disk, gaussian, line, shake

METHODS = [spec.name for spec in list_methods() if spec.needs_psf and not spec.learned]
SEEDED = torch.Generator().manual_seed(3)
PSFS = [line(11, 30), disk(3), gaussian(1.5), shake(15, generator=SEEDED)]


def sharp_image(size: int = 128) -> torch.Tensor:
    image = torch.from_numpy(skimage.data.astronaut()).float() / 255
    return image[40 : 40 + size, 160 : 160 + size].permute(2, 0, 1)[None]


def blurred_photo(psf: Psf, sigma: float, size: int = 128) -> tuple[torch.Tensor, torch.Tensor]:
    """A photo whose surroundings were real: blurred with what lay outside the frame, then cut."""
    reach_y, reach_x = psf.size[0] // 2, psf.size[1] // 2
    wide = torch.from_numpy(skimage.data.astronaut()).float().permute(2, 0, 1)[None] / 255
    wide = wide[..., 40 - reach_y : 40 + size + reach_y, 160 - reach_x : 160 + size + reach_x]
    noise = torch.randn(1, 3, size, size, generator=torch.Generator().manual_seed(0))
    return (Blur(psf, "valid")(wide) + sigma * noise).clamp(0, 1), sharp_image(size)


def psnr(image: torch.Tensor, truth: torch.Tensor, border: int = 0) -> float:
    inner = (image - truth)[..., border : image.shape[-2] - border, border : image.shape[-1] - border]
    return float(-10 * inner.square().mean().log10())


@pytest.fixture(params=METHODS)
def method(request):
    return get_method(request.param).load()


class TestEveryClassicalMethod:
    @pytest.mark.parametrize("psf", PSFS, ids=str)
    def test_restores_most_of_what_blur_took(self, method, psf):
        blurred, sharp = blurred_photo(psf, sigma=0.004)
        restored = method(blurred, psf.kernel[None, None], sigma=0.004)
        assert psnr(restored, sharp) > psnr(blurred, sharp) + 2.0

    def test_the_border_is_not_much_worse_than_the_middle(self, method):
        psf = PSFS[3]
        blurred, sharp = blurred_photo(psf, sigma=0.004)
        restored = method(blurred, psf.kernel[None, None], sigma=0.004)
        # compared with the blurred photo, the rim gains too: a wrapped or padded border loses several dB here
        rim = torch.ones_like(sharp, dtype=torch.bool)
        rim[..., 16:-16, 16:-16] = False
        error = (restored - sharp)[rim].square().mean()
        assert float(10 * torch.log10((blurred - sharp)[rim].square().mean() / error)) > 2.0

    def test_an_identity_psf_changes_next_to_nothing(self, method):
        sharp = sharp_image(64)
        identity = Psf.from_tensor(torch.ones(1, 1)).kernel[None, None]
        assert psnr(method(sharp, identity, sigma=0.001), sharp) > 38

    def test_a_flat_image_stays_flat(self, method):
        flat = torch.full((1, 1, 40, 56), 0.3)
        restored = method(flat, disk(3).kernel[None, None])
        torch.testing.assert_close(restored, flat, atol=2e-3, rtol=0)

    def test_a_batch_gives_what_each_image_gives_alone(self, method):
        pairs = [blurred_photo(psf.pad(25, 25), sigma=0.01, size=64)[0] for psf in PSFS[:2]]
        psfs = torch.stack([psf.pad(25, 25).kernel[None] for psf in PSFS[:2]])
        together = method(torch.cat(pairs), psfs, sigma=0.01, tolerance=0.0)
        for index, blurred in enumerate(pairs):
            alone = method(blurred, psfs[index : index + 1], sigma=0.01, tolerance=0.0)
            torch.testing.assert_close(together[index : index + 1], alone, atol=5e-4, rtol=0)

    def test_each_image_of_a_batch_stops_by_itself(self, method):
        # a quiet one is done long before the other
        busy, _ = blurred_photo(PSFS[0], sigma=0.01, size=64)
        quiet = 0.7 + 0.01 * (busy - 0.5)
        psf = PSFS[0].kernel[None, None]
        together = method(
            torch.cat([quiet, busy]), psf, sigma=torch.tensor([1e-4, 0.01]), tolerance=5e-3, iterations=60
        )
        alone = method(quiet, psf, sigma=1e-4, tolerance=5e-3, iterations=60)
        torch.testing.assert_close(together[:1], alone, atol=2e-5, rtol=0)

    @pytest.mark.parametrize(("contrast", "light"), [(0.1, 0.8), (0.05, 0.7)])
    def test_bright_and_even_photographs_are_restored_as_well(self, method, contrast, light):
        # fog, snow, paper: damping and stop go by the contrast, not by the light
        psf = PSFS[3]
        blurred, sharp = blurred_photo(psf, sigma=0.0)
        noise = 0.05 * contrast * torch.randn(blurred.shape, generator=torch.Generator().manual_seed(2))
        photo, truth = light + contrast * (blurred - 0.5) + noise, light + contrast * (sharp - 0.5)
        restored = method(photo, psf.kernel[None, None], sigma=0.05 * contrast)
        assert psnr(restored, truth) > psnr(photo, truth) + 2
        assert (
            psnr(restored, truth)
            > psnr(method(photo, psf.kernel[None, None], sigma=0.05 * contrast, tolerance=0.0), truth) - 0.4
        )

    def test_no_steps_are_refused_and_no_gradient_is_recorded(self, method):
        image = torch.rand(1, 1, 24, 24, generator=torch.Generator().manual_seed(1)).requires_grad_()
        psf = disk(2).kernel[None, None]
        assert not method(image, psf).requires_grad
        for iterations in (0, -1):
            with pytest.raises(UsageError, match=f"iterations is {iterations}"):
                method(image, psf, iterations=iterations)

    def test_saturated_lamps_do_not_ring_through_the_picture(self, method):
        psf = PSFS[3]
        generator = torch.Generator().manual_seed(5)
        light = 0.3 * sharp_image(128)
        for row, column in torch.randint(10, 112, (6, 2), generator=generator).tolist():
            light[..., row : row + 4, column : column + 4] = 6.0
        clipped = (Blur(psf, "replicate")(light) + 0.004 * torch.randn(light.shape, generator=generator)).clamp(0, 1)
        aware = method(clipped, psf.kernel[None, None], sigma=0.004).clamp(0, 1)
        naive = method(clipped, psf.kernel[None, None], sigma=0.004, clip=None).clamp(0, 1)
        truth = light.clamp(0, 1)
        assert psnr(aware, truth) > psnr(naive, truth) + 2

    def test_strength_trades_noise_for_sharpness(self, method):
        blurred, _ = blurred_photo(disk(3), sigma=0.02)
        energy = [
            float(method(blurred, disk(3).kernel[None, None], sigma=0.02, strength=s).diff(dim=-1).square().mean())
            for s in (0.5, 1.0, 2.0)
        ]
        assert energy == sorted(energy)

    def test_progress_counts_up_and_a_cancel_stops(self, method):
        blurred, _ = blurred_photo(disk(2), sigma=0.01, size=48)
        seen: list[tuple[int, int]] = []
        method(blurred, disk(2).kernel[None, None], progress=lambda done, total: seen.append((done, total)))
        assert [done for done, _ in seen] == list(range(1, len(seen) + 1))
        assert seen[-1][0] <= seen[-1][1]
        with pytest.raises(Cancelled):
            method(blurred, disk(2).kernel[None, None], cancel=lambda: True)

    def test_it_stops_when_nothing_changes_any_more(self, method):
        blurred, _ = blurred_photo(disk(2), sigma=0.01, size=48)
        steps: list[int] = []
        method(
            blurred,
            disk(2).kernel[None, None],
            iterations=500,
            tolerance=1e-3,
            progress=lambda done, _total: steps.append(done),
        )
        assert steps[-1] < 400

    @pytest.mark.parametrize("shape", [(1, 1, 1, 1), (1, 3, 2, 7), (2, 1, 5, 5)], ids=str)
    def test_tiny_images_are_taken(self, method, shape):
        image = torch.rand(shape, generator=torch.Generator().manual_seed(1))
        restored = method(image, torch.ones(1, 1, 1, 1))
        assert restored.shape == image.shape
        assert bool(restored.isfinite().all())

    def test_a_psf_larger_than_the_image_is_refused(self, method):
        with pytest.raises(PsfError, match=r"the PSF is 31 x 31, larger than the image \(8 x 40\)"):
            method(torch.rand(1, 1, 8, 40), torch.full((1, 1, 31, 31), 1 / 961))

    def test_a_nonsense_strength_or_noise_is_refused(self, method):
        with pytest.raises(UsageError, match="strength"):
            method(torch.rand(1, 1, 8, 8), torch.ones(1, 1, 1, 1), strength=0.0)
        with pytest.raises(UsageError, match="sigma"):
            method(torch.rand(1, 1, 8, 8), torch.ones(1, 1, 1, 1), sigma=-1.0)

    def test_the_input_is_left_as_it_was(self, method):
        blurred, _ = blurred_photo(disk(2), sigma=0.01, size=48)
        before = blurred.clone()
        method(blurred, disk(2).kernel[None, None])
        assert torch.equal(blurred, before)


class TestTheRegularisedMethods:
    @pytest.mark.parametrize("name", ["wiener", "total_variation", "hyper_laplacian"])
    def test_a_darker_exposure_gives_the_same_picture_darker(self, name):
        """Half the light and half the noise is the same photograph: no constant is tied to one exposure."""
        method = get_method(name).load()
        blurred, _ = blurred_photo(disk(3), sigma=0.01)
        psf = disk(3).kernel[None, None]
        full = method(blurred, psf, sigma=0.01, clip=None)
        dim = method(0.25 * blurred, psf, sigma=0.0025, clip=None)
        torch.testing.assert_close(4 * dim, full, atol=4e-3, rtol=0)

    def test_sparse_priors_beat_the_linear_filter(self):
        psf = PSFS[3]
        blurred, sharp = blurred_photo(psf, sigma=0.01)
        quality = {
            name: psnr(get_method(name).load()(blurred, psf.kernel[None, None], sigma=0.01), sharp)
            for name in ("wiener", "total_variation", "hyper_laplacian")
        }
        assert quality["hyper_laplacian"] > quality["wiener"] + 0.5
        assert quality["total_variation"] > quality["wiener"] + 0.3

    def test_a_classical_nsr_is_the_textbook_filter_in_the_middle(self):
        """With one ratio for all frequencies and the border far away, wiener is one division."""
        from nightsharp.methods.wiener import wiener, wiener_filter

        sharp = torch.nn.functional.pad(sharp_image(96), (32, 32, 32, 32))
        psf = disk(3).kernel[None, None]
        blurred = Blur(psf, "circular")(sharp)
        ours = wiener(blurred, psf, nsr=0.01, clip=None, iterations=200, tolerance=0.0)
        textbook = wiener_filter(blurred, psf, 0.01)
        torch.testing.assert_close(ours[..., 32:-32, 32:-32], textbook[..., 32:-32, 32:-32], atol=2e-3, rtol=0)


@pytest.mark.parametrize("name", METHODS)
def test_a_burnt_out_pixel_of_little_weight_stays_a_number(name):
    """In linear light bright pixels count little, and the brightest are the saturated ones."""
    light = 0.3 * sharp_image(96)
    light[..., 30:60, 20:70] = 3.0
    recorded = Blur(PSFS[0], "replicate")(light).clamp(0, 1)
    weight = torch.where(recorded > 0.5, 0.05, 1.0)
    restored = get_method(name).load()(recorded, PSFS[0].kernel[None, None], sigma=0.004, weight=weight, tolerance=0.0)
    assert bool(restored.isfinite().all())
    assert float(restored.max()) < 100
    assert psnr(restored.clamp(0, 1), light.clamp(0, 1)) > psnr(recorded, light.clamp(0, 1))


def test_a_textbook_wiener_filter_asks_for_a_strength_too():
    wiener = get_method("wiener").load()
    image, psf = torch.rand(1, 1, 24, 24, generator=torch.Generator().manual_seed(1)), disk(2).kernel[None, None]
    for strength in (0, -1, float("nan")):
        with pytest.raises(UsageError, match="strength is"):
            wiener(image, psf, nsr=0.01, strength=strength)
    with pytest.raises(Cancelled):
        wiener(image, psf, nsr=0.01, iterations=1, cancel=lambda: True)

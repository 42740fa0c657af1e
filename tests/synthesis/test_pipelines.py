"""Every recipe gives pairs that hold what they promise."""

import dataclasses

import pytest
import torch
from torch.utils.data import DataLoader

from nightsharp.errors import RecipeError, UsageError
from nightsharp.optics import Blur
from nightsharp.photo import linear_to_srgb, srgb_to_linear
from nightsharp.synthesis import RECIPES, PairBatches, Pipeline, SharpFolder, generator_for, pipeline
from nightsharp.synthesis.every_lens import EveryLens

SIDE = 64


@pytest.fixture(params=list(RECIPES))
def recipe(request) -> Pipeline:
    return pipeline(request.param)


def sharp_images(scene: torch.Tensor, recipe: Pipeline, count: int = 6) -> torch.Tensor:
    side = recipe.source_side(SIDE)
    return torch.cat([scene[..., 9 * i : 9 * i + side, 7 * i : 7 * i + side] for i in range(count)])


class TestEveryRecipe:
    def test_shapes_and_ranges_are_as_promised(self, recipe, scene):
        pairs = recipe.pairs(sharp_images(scene, recipe), generator=generator_for(0))
        for image in (pairs.sharp, pairs.clean, pairs.blurred):
            assert image.shape == (6, 3, SIDE, SIDE)
            assert image.dtype == torch.float32
            assert 0 <= float(image.min()) <= float(image.max()) <= 1
        for psf in (pairs.psf, pairs.assumed_psf):
            assert psf.shape[0] == 6
            assert psf.shape[-1] % 2 == 1
            assert float(psf.min()) >= 0
            torch.testing.assert_close(psf.sum((-3, -2, -1)), torch.ones(6))
        assert pairs.sigma.shape == (6, 1, 1, 1)
        assert bool((pairs.sigma >= 0).all())

    def test_the_same_generator_state_gives_the_same_pairs(self, recipe, scene):
        images = sharp_images(scene, recipe)
        one, same, other = (recipe.pairs(images, generator=generator_for(seed)) for seed in (1, 1, 2))
        for field in dataclasses.fields(one):
            assert torch.equal(getattr(one, field.name), getattr(same, field.name))
        assert not torch.equal(one.blurred, other.blurred)
        assert not torch.equal(one.psf, other.psf)

    def test_the_global_seed_plays_no_part(self, recipe, scene):
        images = sharp_images(scene, recipe)
        torch.manual_seed(5)
        one = recipe.pairs(images, generator=generator_for(1))
        torch.manual_seed(6)
        assert torch.equal(one.blurred, recipe.pairs(images, generator=generator_for(1)).blurred)

    @pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU here")
    def test_a_gpu_makes_pairs_of_the_same_parameters(self, recipe, scene):
        images = sharp_images(scene, recipe)
        here, there = (recipe.pairs(images.to(place), generator=generator_for(1)) for place in ("cpu", "cuda"))
        assert there.blurred.is_cuda
        torch.testing.assert_close(there.psf.cpu(), here.psf)
        torch.testing.assert_close(there.clean.cpu(), here.clean, atol=1e-4, rtol=0)

    def test_the_images_given_are_left_alone(self, recipe, scene):
        images = sharp_images(scene, recipe)
        before = images.clone()
        recipe.pairs(images, generator=generator_for(1))
        assert torch.equal(images, before)

    def test_black_stays_dark_and_no_value_is_lost(self, recipe):
        side = recipe.source_side(SIDE)
        pairs = recipe.pairs(torch.zeros(4, 3, side, side), generator=generator_for(0))
        assert bool(pairs.blurred.isfinite().all())
        assert float(pairs.blurred.median()) < 0.15

    def test_images_too_small_for_the_psfs_are_refused(self, recipe):
        with pytest.raises(RecipeError, match=r"needs .* at least. Take larger crops"):
            recipe.pairs(torch.rand(1, 3, 30, 30), generator=generator_for(0))

    def test_any_number_of_workers_gives_the_same_stream(self, recipe, folder):
        crops = SharpFolder(folder, crop=min(recipe.source_side(24), 90) if recipe.margin else 40, seed=1)
        batches = PairBatches(crops, recipe, size=2, count=4, seed=9)
        plain = [batches[number].blurred for number in range(4)]
        loaded = [pairs.blurred for pairs in DataLoader(batches, batch_size=None, num_workers=2)]
        assert all(torch.equal(a, b) for a, b in zip(plain, loaded, strict=True))


@pytest.mark.parametrize("name", ["dwdn", "infwide"])
def test_where_the_paper_blurs_in_a_circle_the_clean_image_is_the_circular_convolution(name, scene):
    recipe = pipeline(name)
    pairs = recipe.pairs(sharp_images(scene, recipe), generator=generator_for(0))
    expected = Blur(pairs.psf, "circular")(pairs.sharp).clamp(0, 1)
    torch.testing.assert_close(pairs.clean, expected, atol=1e-6, rtol=0)


def test_without_lamps_a_pair_is_the_middle_of_a_larger_blurred_image(scene):
    recipe = dataclasses.replace(pipeline("night"), look=pipeline("dwdn").look, monochrome=0.0)
    images = sharp_images(scene, recipe)
    pairs = recipe.pairs(images, generator=generator_for(0))
    wide = Blur(pairs.psf, "replicate")(images)[..., recipe.margin : -recipe.margin, recipe.margin : -recipe.margin]
    torch.testing.assert_close(pairs.clean, wide.clamp(0, 1), atol=1e-5, rtol=0)
    assert torch.equal(pairs.sharp, images[..., recipe.margin : -recipe.margin, recipe.margin : -recipe.margin])


def test_exdark_blurs_linear_light_and_shows_it(scene):
    recipe = pipeline("exdark")
    images = sharp_images(scene, recipe)
    pairs = recipe.pairs(images, generator=generator_for(0))
    expected = linear_to_srgb(Blur(pairs.psf, "valid")(srgb_to_linear(images)).clamp_min(0))
    torch.testing.assert_close(pairs.clean, expected, atol=1e-4, rtol=0)
    middle = images[..., recipe.margin : -recipe.margin, recipe.margin : -recipe.margin]
    torch.testing.assert_close(pairs.sharp, middle, atol=1e-5, rtol=0)


def test_sigma_is_the_noise_that_was_added(scene):
    recipe = pipeline("dwdn", noise=0.05)
    pairs = recipe.pairs(0.3 + 0.4 * sharp_images(scene, recipe), generator=generator_for(0))
    difference = (pairs.blurred - pairs.clean).square().mean((1, 2, 3)).sqrt()
    torch.testing.assert_close(pairs.sigma.flatten(), difference, atol=1e-4, rtol=1e-3)
    assert float(pairs.sigma.max()) < 0.06


def test_infwide_saturates_at_one_over_its_stretch_and_leaves_the_clean_image_whole(scene):
    bright = (sharp_images(scene, pipeline("infwide")) * 3).clamp_max(1)
    pairs = pipeline("infwide", gain=4).pairs(bright, generator=generator_for(0))
    assert float(pairs.blurred.max()) == pytest.approx(1 / 1.2)
    assert float(pairs.clean.max()) > 0.99


def test_a_share_of_infwide_s_pairs_is_as_quiet_as_its_camera_never_is(scene):
    images = sharp_images(scene, pipeline("infwide")).repeat(8, 1, 1, 1)
    published, quieter = (pipeline("infwide", gaussian=share) for share in (0, 0.5))
    quiet = [int((r.pairs(images, generator=generator_for(0)).sigma < 0.05).sum()) for r in (published, quieter)]
    assert quiet[0] == 0
    assert 12 <= quiet[1] <= 36
    whole = pipeline("infwide", gaussian=1).pairs((images[:4] * 3).clamp_max(1), generator=generator_for(0))
    assert float(whole.blurred.max()) == pytest.approx(1 / 1.2)


def test_a_share_of_infwide_s_pairs_has_one_channel(scene):
    images = sharp_images(scene, pipeline("infwide")).repeat(8, 1, 1, 1)
    pairs = pipeline("infwide", monochrome=0.5).pairs(images, generator=generator_for(0))
    grey = (pairs.blurred == pairs.blurred[:, :1]).flatten(1).all(1)
    assert 12 <= int(grey.sum()) <= 36


class TestNight:
    def pairs(self, scene, count=200):
        recipe = pipeline("night", largest_psf=31)
        side = recipe.source_side(48)
        places = [(7 * i % 150, 11 * i % 150) for i in range(count)]
        images = torch.cat([scene[..., y : y + side, x : x + side] for y, x in places])
        return recipe.pairs(images, generator=generator_for(3))

    def test_noise_goes_from_none_to_very_strong(self, scene):
        sigma = self.pairs(scene).sigma.flatten()
        assert float(sigma.min()) < 1e-3
        assert float(sigma.max()) > 0.06

    def test_streaks_are_brighter_than_the_psf_makes_them_of_the_clipped_image(self, scene):
        pairs = self.pairs(scene)
        wide = Blur(pairs.psf, "replicate")(pairs.sharp)
        inner = (..., slice(16, -16), slice(16, -16))
        surplus = (pairs.clean - wide)[inner].amax((1, 2, 3))
        assert float(surplus.max()) > 0.3
        assert 0.2 < float((surplus > 0.02).float().mean()) < 0.9

    def test_some_psfs_are_known_and_some_are_wrong_but_near(self, scene):
        pairs = self.pairs(scene)
        wrong = (pairs.psf != pairs.assumed_psf).flatten(1).any(1)
        assert 0.25 < float(wrong.float().mean()) < 0.55
        overlap = torch.minimum(pairs.psf, pairs.assumed_psf).sum((1, 2, 3))
        assert float(overlap[wrong].quantile(0.1)) > 0.4
        assert 0.6 < float(overlap[wrong].median()) < 0.99

    def test_both_display_values_and_linear_light_occur(self, scene):
        recipe = pipeline("night", largest_psf=31)
        gamma = recipe.look(scene.expand(64, -1, -1, -1)[..., :40, :40], generator_for(0)).gamma
        assert 0.2 < float((gamma == 1).float().mean()) < 0.6
        assert 0.2 < float((gamma == 2.2).float().mean()) < 0.6
        assert 1 <= float(gamma.min()) <= float(gamma.max()) <= float(torch.tensor(2.2))


class TestEveryLens:
    psfs = EveryLens(61)(600, generator_for(0))

    def test_the_centroid_lies_at_the_centre(self):
        place = torch.arange(61.0) - 30
        for axis in (-1, -2):
            profile = self.psfs.sum(axis)[:, 0]
            assert float((profile * place).sum(1).abs().median()) < 0.02
            assert float((profile * place).sum(1).abs().max()) < 1.5

    def test_sizes_go_from_three_pixels_to_the_largest(self):
        lit = self.psfs[:, 0] > 0.01 * self.psfs.amax((1, 2, 3))[:, None, None]
        place = torch.arange(61)
        extents = []
        for axis in (1, 2):
            on = lit.any(axis)
            extents.append(torch.where(on, place, -1).amax(1) - torch.where(on, place, 99).amin(1) + 1)
        size = torch.maximum(*extents).float()
        low, middle, high = size.quantile(torch.tensor([0.1, 0.5, 0.95])).tolist()
        assert low <= 5
        assert 9 <= middle <= 25
        assert high >= 41

    def test_no_two_are_equal(self):
        assert len(self.psfs.flatten(1).unique(dim=0)) > 590

    @pytest.mark.parametrize("largest", [4, 60, 999])
    def test_an_impossible_size_is_refused(self, largest):
        with pytest.raises(RecipeError, match=r"largest_psf is"):
            EveryLens(largest)


def test_unknown_recipes_and_settings_are_named():
    with pytest.raises(RecipeError, match=r"recipe 'dawn' is unknown. Choose one of dwdn, infwide, exdark, night"):
        pipeline("dawn")
    with pytest.raises(RecipeError, match=r"recipe 'exdark' has no setting 'gain'. It has noise"):
        pipeline("exdark", gain=3)
    with pytest.raises(RecipeError, match=r"gain is 2.5"):
        pipeline("infwide", gain=2.5)
    for share in ("gaussian", "monochrome"):
        with pytest.raises(RecipeError, match=rf"{share} is 2"):
            pipeline("infwide", **{share: 2})
    with pytest.raises(RecipeError, match=r"noise is 5"):
        pipeline("dwdn", noise=5)
    with pytest.raises(RecipeError, match=r"largest_psf is 30.5"):
        pipeline("night", largest_psf=30.5)


def test_a_stream_has_batches(folder):
    with pytest.raises(UsageError, match=r"size 0"):
        PairBatches(SharpFolder(folder, crop=40), pipeline("dwdn"), size=0, count=1)


def test_most_of_the_night_scenes_are_as_soft_as_a_camera_draws_them():
    from nightsharp.synthesis.night_look import night_look

    checks = torch.zeros(64, 3, 32, 32)
    checks[..., ::2] = 1
    light = night_look(checks, torch.Generator().manual_seed(0)).light
    # stripes of one pixel: softness takes their contrast, darkness and gamma do not take it to zero
    contrast = torch.stack([image.quantile(0.9) - image.quantile(0.1) for image in light]) / light.amax((1, 2, 3))
    assert 0.4 < float((contrast < 0.35).float().mean()) < 0.8


def test_half_of_the_night_scenes_have_no_light_beyond_white():
    from nightsharp.synthesis.night_look import night_look

    grey = torch.full((64, 3, 48, 48), 0.7)
    brightest = night_look(grey, torch.Generator().manual_seed(0)).light.amax((1, 2, 3))
    assert 0.35 < float((brightest <= 0.7 + 1e-6).float().mean()) < 0.85
    assert 0.15 < float((brightest > 1).float().mean()) < 0.65


def test_some_night_pairs_have_one_channel_three_times():
    recipe = pipeline("night", largest_psf=15)
    side = recipe.source_side(24)
    sharp = torch.rand(40, 3, side, side, generator=torch.Generator().manual_seed(1))
    pairs = recipe.pairs(sharp, generator=torch.Generator().manual_seed(2))

    def single(images: torch.Tensor) -> torch.Tensor:
        return (images == images[:, 1:2]).all(dim=(1, 2, 3))

    # a record that is white all over has one channel as well
    assert bool((single(pairs.blurred) | ~single(pairs.sharp)).all())
    assert 0.1 < float(single(pairs.sharp).float().mean()) < 0.6

"""Nothing worse than what was given is handed back."""

import json
import math
from dataclasses import replace
from pathlib import Path

import pytest
import skimage.data
import torch

import nightsharp as ns
from nightsharp.evaluation.downstream.rendered import sign
from nightsharp.methods.hyper_laplacian import hyper_laplacian
from nightsharp.methods.total_variation import total_variation
from nightsharp.optics import Blur, Psf, disk, gaussian, line, shake
from nightsharp.restore.guard import Checked, Verdict, check_tile, judge_psf, summarise
from nightsharp.restore.guard.decide import RULE, part_of_tile, parts_of_cells
from nightsharp.restore.guard.mark import find_mark
from nightsharp.restore.guard.rims import without_dark_rims
from nightsharp.restore.guard.scores import Input, Scores, follow

SIGMA = torch.full((1, 1, 1, 1), 0.006)
SHAKE = shake(15, generator=torch.Generator().manual_seed(3))
PICTURES = ("camera", "astronaut", "chelsea", "coffee")


def picture(name: str = "camera", side: int = 224) -> torch.Tensor:
    """The middle of a photograph that scikit-image ships, grey."""
    values = torch.from_numpy(getattr(skimage.data, name)()).float() / 255
    values = values.mean(-1) if values.ndim == 3 else values
    top, left = (values.shape[0] - side) // 2, (values.shape[1] - side) // 2
    return values[None, None, top : top + side, left : left + side].contiguous()


def photograph(psf: Psf, noise: float = 0.01, name: str = "camera") -> tuple[torch.Tensor, torch.Tensor]:
    """A blurred, noisy photograph and its truth."""
    sharp = picture(name)
    blurred = Blur(psf, boundary="reflect")(sharp)
    grain = torch.randn(blurred.shape, generator=torch.Generator().manual_seed(1))
    return (blurred + noise * grain).clamp(0, 1).mul(255).round().div(255), sharp


def checked(blurred: torch.Tensor, psf: Psf) -> tuple[Checked, torch.Tensor]:
    """What the guard says of the restoration with a PSF, and that restoration."""
    sharp = hyper_laplacian(blurred, psf.kernel[None, None])
    return check_tile(blurred, sharp, psf, sigma=SIGMA, clip=0.98), sharp


def gain(image: torch.Tensor, blurred: torch.Tensor, sharp: torch.Tensor) -> float:
    """In decibels."""
    errors = [(each.clamp(0, 1) - sharp).square().mean().clamp_min(1e-9) for each in (blurred, image)]
    return float(10 * (errors[0] / errors[1]).log10())


class TestThePsf:
    @pytest.mark.parametrize("psf", [Psf.from_tensor(torch.ones(1, 1)), gaussian(0.15)], ids=str)
    @pytest.mark.parametrize("confidence", [None, 0.9])
    def test_a_point_changes_nothing(self, psf: Psf, confidence: float | None):
        verdict = judge_psf(psf, confidence)
        assert verdict is not None
        assert verdict.kept == "input"
        assert "kept as it is" in verdict.words

    def test_an_estimate_that_nobody_trusts_is_not_used(self):
        verdict = judge_psf(SHAKE, 0.01)
        assert verdict is not None
        assert "confidence 0.01" in verdict.words

    @pytest.mark.parametrize(
        ("psf", "confidence", "used"),
        [
            (gaussian(1), 0.6, False),
            (gaussian(1), 0.7, True),
            (SHAKE, 0.6, True),
            (gaussian(1), None, True),
        ],
    )
    def test_a_slight_blur_has_to_be_surer(self, psf: Psf, confidence: float | None, used: bool):
        assert (judge_psf(psf, confidence) is None) == used

    def test_a_given_one_needs_no_confidence(self):
        assert judge_psf(SHAKE, None) is None


@pytest.mark.parametrize("name", PICTURES)
class TestPhotographs:
    def test_the_true_psf_passes_untouched(self, name):
        blurred, sharp = photograph(SHAKE, name=name)
        found, result = checked(blurred, SHAKE)
        assert found.sharp is result
        assert gain(result, blurred, sharp) > 1

    def test_behind_strong_noise_the_cleaner_picture_is_kept(self, name):
        """There nothing explains the input much better than the input itself."""
        blurred, sharp = photograph(SHAKE, 0.15, name)
        sigma = torch.full((1, 1, 1, 1), 0.15)
        result = hyper_laplacian(blurred, SHAKE.kernel[None, None], sigma=sigma)
        found = check_tile(blurred, result, SHAKE, sigma=sigma, clip=0.98)
        assert gain(found.sharp, blurred, sharp) > 0.95 * gain(result, blurred, sharp) > 3

    @pytest.mark.parametrize(
        "wrong",
        [line(25, 90), disk(6), SHAKE.rotate(180), SHAKE.rotate(90), SHAKE.resize(1.6).centred()],
        ids=["line", "disk", "upside down", "turned", "too large"],
    )
    def test_a_wrong_psf_does_no_harm(self, name, wrong):
        blurred, sharp = photograph(SHAKE, name=name)
        found, _ = checked(blurred, wrong)
        assert gain(found.sharp, blurred, sharp) > -0.1

    def test_without_blur_nothing_changes(self, name):
        blurred, _ = photograph(Psf.from_tensor(torch.ones(1, 1)), 0.005, name)
        for psf in (SHAKE, disk(3), line(11, 30)):
            found, _ = checked(blurred, psf)
            assert torch.equal(found.sharp, blurred)


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -float("inf")])
def test_values_that_are_no_numbers_never_pass(bad: float):
    blurred, sharp = photograph(SHAKE)
    sharp[0, 0, 5, 5] = bad
    found = check_tile(blurred, sharp, SHAKE, sigma=SIGMA, clip=0.98)
    assert torch.equal(found.sharp, blurred)
    assert found.reasons == ("values that are no numbers",)


@pytest.mark.parametrize(("height", "width"), [(1, 1), (1, 60), (3, 2), (20, 31), (47, 400)])
@pytest.mark.parametrize("channels", [1, 3])
def test_what_is_too_small_to_check_is_kept(height, width, channels):
    tiny = torch.rand(1, channels, height, width, generator=torch.Generator().manual_seed(1))
    sigma = SIGMA.expand(1, channels, 1, 1)
    found = check_tile(tiny, 1 - tiny, Psf.from_tensor(torch.ones(1, 1)), sigma=sigma, clip=0.98)
    assert torch.equal(found.sharp, tiny)
    assert found.reasons == ("too small to check",)


class TestLettersUnderALongBlur:
    """They overshoot the even grey that is left of them; edges and spectrum say that the PSF is right."""

    SHAKE = shake(27, generator=torch.Generator().manual_seed(5))
    WORDS = ("the tram stops here and waits", "harbour and market street open", "museum is closed on mondays") * 2
    SHARP = 0.95 * (sign(list(WORDS), 14, bright_on_dark=False) - 30 / 255).mul(255 / 185).clamp(0, 1)

    def looked_at(self, psf: Psf) -> tuple[float, float]:
        sharp = self.SHARP[None]
        blurred = (Blur(self.SHAKE, "replicate")(sharp) * 255).round() / 255
        sigma = torch.full((1, 1, 1, 1), 0.002)
        result = total_variation(blurred, psf.kernel[None, None], sigma=sigma)
        found = check_tile(blurred, result, psf, sigma=sigma, clip=None)
        return gain(result, blurred, sharp), gain(found.sharp, blurred, sharp)

    def test_they_are_kept(self):
        bare, guarded = self.looked_at(self.SHAKE)
        assert guarded > 0.98 * bare > 8

    @pytest.mark.parametrize(
        "wrong", [SHAKE.rotate(15).centred(), SHAKE.rotate(180).centred(), SHAKE.resize(1.4).centred()]
    )
    def test_with_a_wrong_psf_they_do_no_harm(self, wrong):
        assert self.looked_at(wrong)[1] > -0.1


def test_pixels_that_led_to_an_estimate_can_hardly_check_it_too():
    blurred, sharp = (image[..., :56, :90] for image in photograph(SHAKE))
    given, estimated = (
        check_tile(blurred, sharp, SHAKE, sigma=SIGMA, clip=0.98, confidence=confidence) for confidence in (None, 0.95)
    )
    assert not torch.equal(given.sharp, blurred)
    assert torch.equal(estimated.sharp, blurred)
    assert estimated.reasons == ("too small to check",)


def test_a_psf_with_no_room_in_the_tile_is_not_believed():
    blurred, sharp = photograph(SHAKE)
    found = check_tile(blurred[..., :50], sharp[..., :50], line(44), sigma=SIGMA, clip=None)
    assert torch.equal(found.sharp, blurred[..., :50])


def test_only_the_cells_that_broke_are_blended_back():
    sharp = picture(side=448)
    blurred = Blur(SHAKE, boundary="reflect")(sharp)
    result = sharp.clone()
    result[..., :90, :90] *= 0.1
    found = check_tile(blurred, result, SHAKE, sigma=SIGMA, clip=0.98)
    assert "colour drift" in found.reasons
    assert float(found.cells[0, 0]) == 0
    assert float(found.cells[2:, 2:].min()) > 0.95
    # its neighbours are passages, and count for what they hold of the result
    assert 0 < float(found.cells[1, 1]) < 0.5
    assert torch.equal(found.sharp[..., :40, :40], blurred[..., :40, :40])
    assert gain(found.sharp[..., 200:, 200:], blurred[..., 200:, 200:], sharp[..., 200:, 200:]) > 6


def test_what_broke_in_one_place_does_not_speak_for_the_rest():
    """The passage from input to result explains nothing; what lies beyond it is judged alone."""
    blurred = Blur(SHAKE, boundary="reflect")(picture(side=448))
    result = picture(side=448)
    whole = check_tile(blurred, result, SHAKE, sigma=SIGMA, clip=0.98).scores["unexplained"]
    result[..., :90, :90] *= 0.1
    assert check_tile(blurred, result, SHAKE, sigma=SIGMA, clip=0.98).scores["unexplained"] < whole + 0.1


def test_a_channel_that_changes_colour_is_seen():
    blurred, sharp = (each.expand(1, 3, -1, -1) for each in photograph(SHAKE))
    tinted = sharp * torch.tensor([1.8, 1.0, 0.3])[:, None, None]
    found = check_tile(blurred, tinted, SHAKE, sigma=SIGMA.expand(1, 3, 1, 1), clip=0.98)
    assert float(found.cells.mean()) < 0.3


def test_lamps_may_outshine_their_record():
    sharp = picture() * 0.6
    sharp[..., 100:104, 100:104] = 30.0
    blurred = Blur(SHAKE, boundary="reflect")(sharp).clamp_max(1)
    assert check_tile(blurred, sharp, SHAKE, sigma=SIGMA, clip=0.98).reasons == ()


def test_a_psf_off_its_centre_moves_the_picture_and_passes():
    blurred, _ = photograph(SHAKE)
    shifted = Psf(torch.nn.functional.pad(SHAKE.kernel, (6, 0, 0, 4)))
    found, result = checked(blurred, shifted)
    assert found.sharp is result


def test_what_is_kept_of_the_input_lies_where_the_result_would():
    blurred, _ = photograph(SHAKE)
    shifted = Psf(torch.nn.functional.pad(SHAKE.kernel, (0, 12, 8, 0)))
    there, _ = follow(blurred, shifted)
    sharp = hyper_laplacian(blurred, shifted.kernel[None, None])
    broken = sharp.clone()
    broken[0, 0, 5, 5] = torch.nan
    for bad in (broken, -sharp):
        found = check_tile(blurred, bad, shifted, sigma=SIGMA, clip=0.98)
        assert torch.equal(found.sharp, there)
        assert not torch.equal(found.sharp, blurred)


def test_the_trust_in_a_pixel_moves_with_it():
    blurred, _ = photograph(SHAKE)
    shifted = Psf(torch.nn.functional.pad(SHAKE.kernel, (0, 40, 0, 0)))
    there, centred = follow(blurred, shifted)
    trust = torch.rand(blurred.shape, generator=torch.Generator().manual_seed(2))
    sharp = hyper_laplacian(blurred, shifted.kernel[None, None])
    found = check_tile(blurred, sharp, shifted, sigma=SIGMA, clip=0.98, weight=trust)
    expected = check_tile(there, sharp, centred, sigma=SIGMA, clip=0.98, weight=follow(trust, shifted)[0])
    assert found.scores == expected.scores


def test_what_follows_a_shifted_psf_is_blurred_alike():
    image, shifted = picture(), Psf(torch.nn.functional.pad(SHAKE.kernel, (6, 0, 0, 4)))
    moved, centred = follow(image, shifted)
    there = Blur(shifted, boundary="replicate")(image)
    back, _ = follow(there, shifted)
    assert torch.allclose(
        back[..., 30:-30, 30:-30], Blur(centred, boundary="replicate")(image)[..., 30:-30, 30:-30], atol=1e-5
    )
    assert moved.shape == image.shape


class TestTheMark:
    def test_it_is_there_after_the_blur_and_not_before(self):
        for psf in (SHAKE, disk(4), line(13, 20)):
            blurred, sharp = photograph(psf)
            there, not_there = (find_mark(image, image < 2, psf, 0.01) for image in (blurred, sharp))
            assert there is not None
            assert not_there is not None
            assert there.ripple > 0.6 > not_there.ripple

    @pytest.mark.parametrize("side", [1401, 2001])
    def test_a_psf_of_any_size_and_shape_has_one(self, side):
        ring = torch.zeros(side, side)
        ring[0], ring[-1] = 1.0, 1.0
        image = torch.rand(1, 1, 300, 300, generator=torch.Generator().manual_seed(0))
        mark = find_mark(image, image < 2, Psf.from_tensor(ring), 0.01)
        assert mark is not None
        assert math.isfinite(mark.ripple)

    def test_a_tiny_image_has_none(self):
        assert find_mark(picture()[..., :15, :40], picture()[..., :15, :40] < 2, disk(2), 0.01) is None


def test_exposure_does_not_matter():
    blurred, _ = photograph(SHAKE, noise=0.0)
    for psf in (SHAKE, line(25, 90)):
        bright, _ = checked(blurred, psf)
        sharp = hyper_laplacian(blurred / 2, psf.kernel[None, None])
        dark = check_tile(blurred / 2, sharp, psf, sigma=SIGMA / 2, clip=0.98)
        assert float(bright.cells.mean()) == pytest.approx(float(dark.cells.mean()), abs=0.2)


class TestTheSummary:
    good = Checked(torch.zeros(1, 1, 8, 8), torch.ones(1, 1), (), {"kept": 1.0, "misfit": 0.01, "allowed": 0.02})
    half = Checked(torch.zeros(1, 1, 8, 8), torch.full((1, 1), 0.5), ("ringing",))
    bad = Checked(torch.zeros(1, 1, 8, 8), torch.zeros(1, 1), ("overshoot",))

    def test_nothing_wrong_is_nothing_to_report(self):
        assert summarise([self.good] * 3) == Verdict("result", "nothing to report", 0.01, 0.02, self.good.scores, 1.0)

    def test_tiles_are_counted_with_their_reasons(self):
        verdict = summarise([self.good] * 6 + [self.bad] * 2 + [self.half])
        assert verdict.kept == "partly"
        assert verdict.words == (
            "2 of 9 tiles kept from the input, 1 of 9 tiles blended with the input (overshoot; ringing)"
        )

    def test_where_most_failed_the_photo_is_kept(self):
        verdict = summarise([self.good] + [self.bad] * 4)
        assert verdict.kept == "input"
        assert verdict.words == "overshoot; the photo is kept as it is"

    def test_the_scores_are_json(self):
        blurred, _ = photograph(SHAKE)
        scores = summarise([checked(blurred, SHAKE)[0]]).scores
        assert json.loads(json.dumps(scores, allow_nan=False)) == scores


def test_the_shipped_night_photo_takes_its_own_psf_and_no_other():
    example = Path(__file__).parents[2] / "examples" / "night.jpg"
    kept = {
        psf: ns.deblur(example, method="wiener", psf=psf).report["guard"]["kept"]
        for psf in ("line:25,90", "disk:6", "line:15,45", str(example.with_name("night-psf.npy")))
    }
    assert list(kept.values()) == ["input", "input", "input", "result"]


def test_a_lamp_does_not_speak_for_the_whole_spectrum():
    """One corner is a thousand times as bright and was not blurred; the rest carries the mark of its PSF."""
    blurred, _ = photograph(SHAKE)
    lit = 0.001 * blurred
    lit[..., :48, :48] = picture()[..., :48, :48]
    there = find_mark(lit, lit < 2, SHAKE, 1e-5)
    assert there is not None
    assert there.ripple > 0.5


def test_flat_parts_leave_no_score_without_a_number():
    blurred, _ = photograph(SHAKE)
    blurred[..., :192] = 0.0
    found = find_mark(blurred, blurred < 2, SHAKE, 0.0)
    assert found is not None
    assert all(math.isfinite(score) for score in (found.ripple, found.power, found.scaled))


def test_the_confidence_of_an_estimate_counts():
    """What the tile alone leaves open is decided by how sure the search for the PSF was."""
    blurred, _ = photograph(SHAKE)
    near = SHAKE.rotate(10).centred()
    sharp = hyper_laplacian(blurred, near.kernel[None, None])
    seen = Input.of(blurred, near, SIGMA, 0.98)
    assert seen is not None
    scores = seen.scores(sharp)
    parts = [part_of_tile(scores, confidence)[0] for confidence in (0.05, None, 0.95)]
    assert parts == sorted(parts)
    assert parts[0] < parts[2]


class TestRimsBesideLamps:
    RIM = (..., slice(100, 120), slice(121, 123))

    @pytest.fixture
    def street(self) -> tuple[torch.Tensor, torch.Tensor]:
        """A dark street with a lamp, blurred, and its restoration with a black rim of two pixels beside the lamp."""
        sharp = 0.2 * picture() + 0.005
        sharp[..., 100:120, 100:120] = 1.0
        blurred = Blur(SHAKE, boundary="reflect")(sharp)
        found = hyper_laplacian(blurred, SHAKE.kernel[None, None])
        found[self.RIM] = 0.0
        return blurred, found

    def test_an_estimated_psf_leaves_none(self, street):
        blurred, sharp = street
        found = check_tile(blurred, sharp, SHAKE, sigma=SIGMA / 10, clip=0.98, confidence=0.9)
        assert float(found.cells.mean()) == 1
        assert float(found.sharp[self.RIM].min()) > 0.005

    def test_a_given_psf_is_taken_at_its_word(self, street):
        blurred, sharp = street
        found = check_tile(blurred, sharp, SHAKE, sigma=SIGMA / 10, clip=0.98)
        assert float(found.sharp[self.RIM].max()) == 0

    def test_dark_letters_on_a_page_stay_dark(self):
        page = torch.full((1, 3, 64, 64), 0.9)
        page[..., 20:24, 10:50] = 0.02
        blurred = Blur(disk(4), boundary="reflect")(page)
        assert torch.equal(without_dark_rims(blurred, page, 5), page)


@pytest.fixture(scope="module")
def measured() -> Scores:
    blurred, _ = photograph(SHAKE)
    seen = Input.of(blurred, SHAKE, SIGMA, 0.98)
    assert seen is not None
    return seen.scores(hyper_laplacian(blurred, SHAKE.kernel[None, None]))


def part_with(measured: Scores, numbers: dict[str, float]) -> float:
    """The part that is kept when these scores are the measured ones."""
    mark = {name: value for name, value in numbers.items() if hasattr(measured.mark, name)}
    rest = {name: value for name, value in numbers.items() if name not in mark}
    return part_of_tile(replace(measured, mark=replace(measured.mark, **mark), **rest))[0]


def test_a_result_that_explains_little_passes_where_all_is_noise(measured):
    """The scores of a colour photograph at the gain of INFWIDE's camera that is strongest, with its true PSF."""
    scores = {"ripple": 0.85, "power": 1.25, "scaled": 0.0, "mirror": -0.001, "overshoot": -5.8, "sparsity": -0.26}
    scores |= {"unexplained": 0.05, "smoothness": 0.13}
    assert part_with(replace(measured, noise=-5.0), scores) < 1
    assert part_with(replace(measured, noise=0.0), scores) == 1


@pytest.mark.parametrize("name", RULE)
@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_a_score_that_is_no_number_counts_like_the_worst_one(measured, name, bad):
    ends = {each: (low, high) if weight > 0 else (high, low) for each, (low, high, weight, *_) in RULE.items()}
    for share in (0.0, 0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.9, 1.0):
        others = {each: worst + share * (best - worst) for each, (worst, best) in ends.items()}
        assert part_with(measured, {**others, name: bad}) <= part_with(measured, {**others, name: ends[name][0]})


def test_a_result_without_any_score_is_not_kept(measured):
    assert part_with(measured, dict.fromkeys(RULE, math.nan)) == 0


def test_what_nothing_is_left_of_counts_for_nothing():
    """One cell in the middle of three by three: the passages to it reach every corner."""
    sharp = picture(side=288)
    blurred = Blur(SHAKE, boundary="reflect")(sharp)
    result = sharp.clone()
    result[..., 100:190, 100:190] *= 0.1
    found = check_tile(blurred, result, SHAKE, sigma=SIGMA, clip=0.98)
    assert torch.equal(found.sharp, blurred)
    assert float(found.cells.max()) == 0
    assert summarise([found]).kept == "input"


@pytest.mark.parametrize(
    ("overshoot", "sure", "passes"), [(1.0, False, 1), (1.5, False, 0), (1.5, True, 1), (2.5, True, 0)]
)
def test_what_is_witnessed_may_overshoot_twice_as_far(measured, overshoot, sure, passes):
    blurred, sharp = photograph(SHAKE)
    scores = replace(measured, overshoot_map=torch.full_like(measured.overshoot_map, overshoot**2))
    cells, reasons = parts_of_cells(blurred, sharp, scores, 0.98, None, sure=sure)
    assert float(cells.min()) == passes
    assert ("overshoot" in reasons) is not bool(passes)

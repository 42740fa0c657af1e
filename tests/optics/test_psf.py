"""A PSF at the door, under the magnifying glass, and moved about."""

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from nightsharp.errors import PsfError
from nightsharp.optics import Psf, defocus, disk, gaussian, line, shake

PSFS = {
    "identity": line(0),
    "line": line(9, angle=30),
    "disk": disk(4.2),
    "gaussian": gaussian(1.7),
    "defocus": defocus(6, blades=5, rotation=10),
    "shake": shake(15, generator=torch.Generator().manual_seed(3)),
    "even sides": Psf.from_tensor(torch.rand(6, 10, generator=torch.Generator().manual_seed(1))),
    "one row": Psf.from_tensor(torch.tensor([[0.0, 1, 2, 3, 5, 8, 0]])),
    "one column": Psf.from_tensor(torch.tensor([[5.0], [3], [0], [1]])),
    "off its centre": Psf.from_tensor(torch.nn.functional.pad(torch.arange(1.0, 13).reshape(3, 4), (7, 0, 0, 2))),
}


@pytest.fixture(params=PSFS.values(), ids=list(PSFS))
def psf(request: pytest.FixtureRequest) -> Psf:
    return request.param


def centroid(psf: Psf) -> tuple[float, float]:
    """From the centre, in pixels."""
    return psf.quality().offset


def similarity(one: Psf, other: Psf) -> float:
    """The cosine between two PSFs, centre upon centre."""
    sides = [max(a, b) + 2 for a, b in zip(one.size, other.size, strict=True)]
    a, b = (p.pad(*sides).kernel.flatten() for p in (one, other))
    return float(torch.dot(a, b) / (a.norm() * b.norm()))


def direction(psf: Psf) -> float:
    """Degrees, anticlockwise from the horizontal, of the axis along which the light is spread most."""
    y, x = torch.meshgrid(*(torch.arange(n) - n // 2 for n in psf.size), indexing="ij")
    row, column = centroid(psf)
    up, right = -(y - row), x - column
    yy, xx, xy = (float((psf.kernel * m).sum()) for m in (up**2, right**2, up * right))
    return math.degrees(0.5 * math.atan2(2 * xy, xx - yy)) % 180


class TestTheDoor:
    @pytest.mark.parametrize(
        ("values", "message"),
        [
            (torch.ones(3, 3, 3), "has the shape 3 x 3 x 3. A PSF is one two-dimensional array"),
            (torch.ones(2, 1, 3, 3), "has the shape 2 x 1 x 3 x 3"),
            (torch.ones(5), "has the shape 5"),
            (torch.tensor(1.0), "has the shape of a scalar"),
            (torch.ones(0, 3), "has the shape 0 x 3"),
            (torch.zeros(3, 3), "has no positive value"),
            (-torch.ones(3, 3), "has no positive value"),
            (torch.tensor([[1.0, math.nan]]), "NaN or infinite"),
            (torch.tensor([[1.0, math.inf]]), "NaN or infinite"),
            (torch.tensor([[1.0, -0.06]]), "negative where light cannot be"),
            (torch.ones(1, 2002), "1 x 2002; a side over 2001"),
            (torch.empty(10**6, 10**7, device="meta"), "a side over 2001"),
            (torch.ones(3, 3, dtype=torch.complex64), "complex"),
            (np.ones((3, 3), dtype=np.complex128), "complex128"),
            (np.array([["a", "b"]]), "not real numbers"),
            (np.array([[1, None]], dtype=object), "not real numbers"),
        ],
    )
    def test_what_is_no_psf_is_refused_with_the_reason(self, values, message):
        with pytest.raises(PsfError, match=message):
            Psf.from_tensor(values)

    def test_a_refusal_names_the_source(self):
        with pytest.raises(PsfError, match=r"the PSF in street\.npy has no positive value"):
            Psf.from_tensor(torch.zeros(3, 3), source="the PSF in street.npy")

    @pytest.mark.parametrize(
        "values",
        [
            torch.ones(3, 5),
            torch.ones(1, 1, 3, 5),
            torch.ones(3, 5, requires_grad=True),
            torch.ones(3, 5, dtype=torch.bfloat16),
            torch.ones(3, 5, dtype=torch.uint8),
            torch.ones(3, 5) * 1e38,
            torch.ones(3, 5, dtype=torch.float64) * 1e308,
            torch.ones(3, 5, dtype=torch.float64) * 1e-300,
            np.ones((3, 5)),
            np.ones((3, 5), dtype=">f4"),
            np.ones((3, 5), dtype=np.uint16),
            np.ones((3, 5), dtype=bool),
            np.ones((3, 5))[::-1, ::-1],
            np.ones((5, 3)).T,
            np.broadcast_to(np.float32(1), (3, 5)),
        ],
        ids=lambda values: f"{type(values).__name__} {values.dtype} {tuple(values.shape)}",
    )
    def test_any_scale_and_kind_of_number_becomes_one_sum_of_float32(self, values):
        psf = Psf.from_tensor(values)
        torch.testing.assert_close(psf.kernel, torch.full((3, 5), 1 / 15))
        assert psf.notes
        assert not psf.kernel.requires_grad

    def test_a_later_change_of_the_values_does_not_reach_the_psf(self):
        for values in (torch.eye(3, dtype=torch.float32), np.eye(3)):
            psf = Psf.from_tensor(values)
            values[0, 0] = 9
            assert float(psf.kernel[0, 0]) == pytest.approx(1 / 3)

    def test_a_proper_psf_passes_without_a_word(self, psf):
        again = Psf.from_tensor(psf.kernel)
        assert again.notes == ()
        torch.testing.assert_close(again.kernel, psf.kernel)

    def test_small_negative_values_and_another_sum_are_mended_with_a_note(self):
        psf = Psf.from_tensor(torch.tensor([[2.0, -0.04, 2.0]]))
        assert psf.kernel.tolist() == [[0.5, 0, 0.5]]
        assert psf.notes == (
            "small negative values (down to -2.0% of the peak) set to 0",
            "normalised (the sum was 4)",
        )


class TestQuality:
    def test_support_offset_and_spread_of_a_known_psf(self):
        kernel = torch.zeros(9, 11)
        kernel[4, 5] = kernel[4, 9] = 1
        quality = Psf.from_tensor(kernel).quality()
        assert quality.support == (1, 5)
        assert quality.offset == pytest.approx((0, 2))
        assert quality.spread == pytest.approx(2)
        assert quality.pieces == 2
        assert not quality.touches_border
        assert quality.warnings == ("the centroid is +0.0, +2.0 px off the centre (the result shifts)",)

    def test_scattered_light_is_warned_of(self):
        kernel = torch.zeros(9, 9)
        kernel[::4, ::4] = 1
        quality = Psf.from_tensor(kernel).quality()
        assert quality.pieces == 9
        assert quality.warnings == ("the light lies in 9 separate pieces",)

    @pytest.mark.parametrize("psf", [line(15, 20), line(15, 0), line(15, 90), gaussian(2), disk(5)], ids=str)
    def test_black_on_white_looks_like_a_negative(self, psf):
        shown = psf.pad(psf.size[0] + 4, psf.size[1] + 4).kernel
        words = "the rim is bright and the inside dark; is the picture a negative?"
        assert words in Psf.from_tensor(shown.max() - shown).quality().warnings
        assert words not in psf.quality().warnings + Psf.from_tensor(shown).quality().warnings

    def test_no_blur_has_no_spread(self):
        quality = line(0).quality()
        assert (quality.spread, quality.support, quality.touches_border) == (0, (1, 1), False)

    def test_a_few_words_for_print(self):
        assert str(Psf.from_tensor(torch.ones(3, 5))) == "3 x 5, spread 1.6 px"


GEOMETRY = {
    "centred": lambda psf: psf.centred(),
    "trim": lambda psf: psf.trim(),
    "trim to the light alone": lambda psf: psf.trim(0, keep_centre=False),
    "pad": lambda psf: psf.pad(40, 41),
    "crop": lambda psf: psf.pad(40, 41).crop(27, 28),
    "halve": lambda psf: psf.resize(0.5),
    "shrink a little": lambda psf: psf.resize(0.83),
    "enlarge": lambda psf: psf.resize(1.7),
    "turn a little": lambda psf: psf.rotate(17),
    "turn upright": lambda psf: psf.rotate(90),
    "turn backwards": lambda psf: psf.rotate(-200),
}


@pytest.mark.parametrize("change", GEOMETRY.values(), ids=list(GEOMETRY))
class TestEveryChange:
    def test_leaves_a_psf(self, psf, change):
        kernel = change(psf).kernel
        assert kernel.dtype == torch.float32
        assert float(kernel.min()) >= 0
        assert float(kernel.sum()) == pytest.approx(1, abs=1e-5)

    def test_keeps_the_notes_and_the_original(self, psf, change):
        noted = Psf(psf.kernel.clone(), ("a note",))
        assert change(noted).notes == ("a note",)
        assert torch.equal(noted.kernel, psf.kernel)

    def test_leaves_no_blur_where_it_was(self, change):
        point = change(line(0)).centred().trim(0.2)
        assert max(point.size) <= 3


class TestCentre:
    def test_the_centroid_is_at_most_half_a_pixel_from_the_centre(self, psf):
        centred = psf.centred()
        assert max(abs(o) for o in centroid(centred)) <= 0.5 + 1e-5
        assert all(side % 2 == 1 for side in centred.size)

    def test_the_light_itself_is_not_changed(self, psf):
        tight, centred = psf.trim(0, keep_centre=False), psf.centred().trim(0, keep_centre=False)
        torch.testing.assert_close(tight.kernel, centred.kernel)

    def test_twice_is_once(self, psf):
        once = psf.centred()
        torch.testing.assert_close(once.centred().kernel, once.kernel)


class TestTrimPadCrop:
    @pytest.mark.parametrize("change", [lambda p: p.trim(0), lambda p: p.pad(40, 41), lambda p: p.pad(41, 40).trim(0)])
    def test_the_centroid_stays(self, psf, change):
        assert centroid(change(psf)) == pytest.approx(centroid(psf), abs=1e-4)

    @pytest.mark.parametrize("sides", [(30, 30), (31, 31), (30, 31), (45, 30)])
    def test_cropping_undoes_padding(self, psf, sides):
        torch.testing.assert_close(psf.pad(*sides).crop(*psf.size).kernel, psf.kernel)

    def test_trimming_drops_what_is_faint_and_nothing_else(self):
        psf = Psf.from_tensor(torch.tensor([[0.5, 5, 100, 50, 0.9, 0]]))
        # the centre is the fourth tap: two taps before it count, so two after it stay
        torch.testing.assert_close(psf.trim(0.01).kernel, torch.tensor([[5, 100, 50, 0, 0]]) / 155)
        torch.testing.assert_close(psf.trim(0.01, keep_centre=False).kernel, torch.tensor([[5, 100, 50]]) / 155)

    @pytest.mark.parametrize("threshold", [-0.1, 1.0, math.nan])
    def test_a_threshold_that_is_no_part_of_the_peak_is_refused(self, threshold):
        with pytest.raises(PsfError, match="part of the peak"):
            disk(3).trim(threshold)

    @pytest.mark.parametrize("sides", [(4, 9), (9, 4), (0, 0), (-3, 9)])
    def test_padding_to_less_is_refused(self, sides):
        with pytest.raises(PsfError, match="5 x 5 and cannot be padded"):
            disk(2).pad(*sides)

    @pytest.mark.parametrize("sides", [(6, 5), (5, 6), (0, 5), (-1, -1)])
    def test_cropping_to_more_or_to_nothing_is_refused(self, sides):
        with pytest.raises(PsfError, match="5 x 5 and cannot be cropped"):
            disk(2).crop(*sides)

    def test_cropping_all_light_away_is_refused(self):
        ring = torch.ones(5, 5)
        ring[1:4, 1:4] = 0
        with pytest.raises(PsfError, match="no light is left in the central 3 x 3"):
            Psf.from_tensor(ring).crop(3, 3)


class TestResize:
    def test_the_same_size_is_the_same_psf(self, psf):
        torch.testing.assert_close(psf.resize(1.0).trim(0).kernel, psf.trim(0).kernel)

    @pytest.mark.parametrize("scale", [0.25, 0.5, math.sqrt(0.5), 0.9, 1.1, math.sqrt(2), 2.0, 3.3])
    def test_centroid_and_spread_scale(self, psf, scale):
        resized = psf.resize(scale)
        assert centroid(resized) == pytest.approx([o * scale for o in centroid(psf)], abs=0.15)
        # taps become squares and land on pixels: variances add, each at most twice a pixel's own
        added = resized.quality().spread ** 2 - (psf.quality().spread * scale) ** 2
        assert abs(added) <= 2 * (scale**2 + 1) / 6

    @pytest.mark.parametrize("scale", [0.3, 0.77, 1.4, 2.5])
    def test_even_light_stays_even(self, scale):
        flat = Psf.from_tensor(torch.ones(41, 41)).resize(scale).kernel
        inside = flat[flat.shape[0] // 4 : -(flat.shape[0] // 4), flat.shape[1] // 4 : -(flat.shape[1] // 4)]
        torch.testing.assert_close(inside, inside.mean().expand_as(inside), rtol=1e-4, atol=0)

    @pytest.mark.parametrize("scale", [math.sqrt(2), 2.0, 3.0])
    def test_there_and_back_is_nearly_the_same(self, psf, scale):
        # a point has no inside that could stay as it was
        assert similarity(psf.resize(scale).resize(1 / scale), psf) > (0.9 if psf.quality().spread > 1 else 0.75)

    @pytest.mark.parametrize("scale", [0.9, 0.5, 0.2])
    def test_no_blur_stays_no_blur_in_a_smaller_photograph(self, scale):
        assert line(0).resize(scale).kernel.tolist() == [[1]]

    @pytest.mark.parametrize("scale", [0, -1, math.nan, math.inf, 500])
    def test_an_impossible_scale_is_refused(self, scale):
        with pytest.raises(PsfError, match="does not fit a PSF of 5 x 5"):
            disk(2).resize(float(scale))


class TestRotate:
    def test_right_goes_up(self):
        kernel = torch.zeros(5, 5)
        kernel[2, 4] = 1
        assert Psf.from_tensor(kernel).rotate(90).kernel.argmax() == 0 * 5 + 2

    def test_four_quarter_turns_of_odd_sides_are_none(self, psf):
        odd = psf.centred()
        turned = odd
        for _ in range(4):
            turned = turned.rotate(90)
        torch.testing.assert_close(turned.kernel, odd.kernel)

    def test_a_quarter_turn_moves_every_tap_and_changes_none(self, psf):
        odd = psf.centred()
        torch.testing.assert_close(odd.rotate(90).kernel, torch.rot90(odd.kernel))

    @pytest.mark.parametrize("angle", [0, 20, 45, 77, 90, 130, 179])
    def test_a_line_drawn_at_an_angle_is_a_level_line_turned_by_it(self, angle):
        drawn, turned = line(21, angle), line(21).rotate(angle)
        # 179 and -1 degrees are the same direction
        assert (direction(drawn) - angle + 90) % 180 - 90 == pytest.approx(0, abs=0.5)
        assert (direction(turned) - angle + 90) % 180 - 90 == pytest.approx(0, abs=0.5)
        assert similarity(drawn, turned) > 0.97

    @pytest.mark.parametrize("angle", [0, 18, 36])
    def test_an_aperture_drawn_at_an_angle_is_an_aperture_turned_by_it(self, angle):
        assert similarity(defocus(9, 5, angle), defocus(9, 5).rotate(angle)) > 0.98

    @pytest.mark.parametrize("angle", [10, 33, 45, 200])
    def test_the_centroid_turns_and_the_spread_stays(self, psf, angle):
        turned = psf.rotate(angle)
        row, column = centroid(psf)
        cos, sin = math.cos(math.radians(angle)), math.sin(math.radians(angle))
        assert centroid(turned) == pytest.approx((cos * row - sin * column, cos * column + sin * row), abs=0.1)
        assert abs(turned.quality().spread - psf.quality().spread) <= 0.6

    def test_the_last_tap_keeps_all_its_light(self):
        reach = torch.zeros(1, 11)
        reach[0, 10] = 1
        turned = Psf.from_tensor(reach).rotate(math.degrees(math.asin(0.6))).kernel
        # five to the right become four to the right and three up, on a pixel
        row, column = turned.shape[0] // 2 - 3, turned.shape[1] // 2 + 4
        around = torch.stack([turned[row - 1, column], turned[row + 1, column], turned[row, column + 1]])
        torch.testing.assert_close(around, turned[row, column - 1].expand(3))

    @pytest.mark.parametrize("angle", [math.nan, math.inf])
    def test_an_angle_must_be_finite(self, angle):
        with pytest.raises(PsfError, match="the angle is"):
            disk(2).rotate(angle)


def test_the_gradient_does_not_pass_the_door():
    values: Tensor = torch.ones(3, 3, requires_grad=True)
    assert not Psf.from_tensor(values).kernel.requires_grad

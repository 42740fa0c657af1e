"""PSFs by formula: areas, symmetries, limits, and a shake that can be repeated."""

import math

import pytest
import torch

from nightsharp.errors import PsfError
from nightsharp.optics import Psf, defocus, disk, gaussian, line, shake
from nightsharp.optics.shapes import path

SHAPES = {
    "line": line(13, angle=25),
    "path": path(torch.tensor([[0.2, -3.0], [1.7, 4.1]])),
    "disk": disk(4.4),
    "defocus": defocus(7, blades=5, rotation=3),
    "gaussian": gaussian(2.2),
    "shake": shake(21, generator=torch.Generator().manual_seed(5)),
}


@pytest.mark.parametrize("psf", SHAPES.values(), ids=list(SHAPES))
def test_a_formula_gives_a_proper_psf(psf: Psf):
    assert psf.kernel.dtype == torch.float32
    assert float(psf.kernel.min()) >= 0
    assert float(psf.kernel.sum()) == pytest.approx(1, abs=1e-6)
    assert all(side % 2 == 1 for side in psf.size)
    # no row or column of nothing around it
    assert psf.trim(0).size == psf.size


def full_pixels(psf: Psf) -> float:
    """The area of an even shape, in units of a pixel that lies wholly inside."""
    return 1 / float(psf.kernel.max())


class TestLine:
    def test_each_pixel_gets_the_time_spent_there(self):
        torch.testing.assert_close(line(4).kernel, torch.tensor([[1, 2, 2, 2, 1]]) / 8)

    @pytest.mark.parametrize("length", [0.0, 1.0, 7.3, 30.0])
    def test_the_spread_is_that_of_even_motion(self, length):
        # pixels share light between neighbours, which adds a variance of at most a quarter
        variance = line(length).quality().spread ** 2
        assert length**2 / 12 <= variance + 1e-6 <= length**2 / 12 + 0.25 + 2e-6

    @pytest.mark.parametrize("angle", [0, 30, 90, 133])
    def test_it_is_the_same_backwards(self, angle):
        psf = line(17, angle)
        torch.testing.assert_close(psf.kernel, psf.kernel.flip(0, 1))
        torch.testing.assert_close(psf.kernel, line(17, angle + 180).kernel, atol=1e-6, rtol=0)

    def test_thirty_degrees_point_up_on_the_right(self):
        kernel = line(20, 30).kernel
        half = kernel.shape[1] // 2
        top, bottom = kernel[: kernel.shape[0] // 2], kernel[kernel.shape[0] // 2 + 1 :]
        assert float(top[:, half + 2 :].sum()) > 0.35
        assert float(bottom[:, half + 2 :].sum()) < 0.01

    def test_a_negative_angle_is_the_mirror_image(self):
        torch.testing.assert_close(line(17, -40).kernel, line(17, 40).kernel.flip(0))


class TestPath:
    def test_the_centroid_is_the_mean_of_the_points(self, generator):
        points = 20 * torch.rand(50, 2, dtype=torch.float64, generator=generator) - 7
        assert path(points).quality().offset == pytest.approx(points.mean(0).tolist(), abs=1e-4)

    def test_a_point_on_a_pixel_is_that_pixel(self):
        kernel = path(torch.tensor([[-1.0, 2.0]])).kernel
        assert kernel.shape == (3, 5)
        assert float(kernel[0, 4]) == 1

    @pytest.mark.parametrize(
        ("points", "message"),
        [
            (torch.empty(0, 2), "no points"),
            (torch.tensor([[0.0, math.nan]]), "reaches nan"),
            (torch.tensor([[math.inf, 0.0]]), "reaches inf"),
            (torch.tensor([[0.0, 1001.0]]), "must stay within 1,000"),
        ],
    )
    def test_an_impossible_path_is_refused(self, points, message):
        with pytest.raises(PsfError, match=message):
            path(points)


class TestDisk:
    @pytest.mark.parametrize("radius", [1.5, 2.0, 3.7, 10.0, 55.5])
    def test_its_area_is_that_of_a_disk(self, radius):
        assert full_pixels(disk(radius)) == pytest.approx(math.pi * radius**2, rel=0.01)

    @pytest.mark.parametrize("radius", [0.7, 2.0, 5.3])
    def test_it_looks_the_same_from_eight_sides(self, radius):
        kernel = disk(radius).kernel
        for same in (kernel.T, kernel.flip(0), kernel.flip(1)):
            torch.testing.assert_close(kernel, same)

    @pytest.mark.parametrize("radius", [0.0, 1e-3, 0.3, 0.5])
    def test_a_disk_inside_one_pixel_is_no_blur(self, radius):
        assert disk(radius).kernel.tolist() == [[1]]

    def test_the_largest_one_fits_the_memory_and_the_door(self):
        assert disk(1000).size == (2001, 2001)


class TestDefocus:
    @pytest.mark.parametrize("blades", [3, 5, 6, 9])
    def test_its_area_is_that_of_the_polygon(self, blades):
        expected = 0.5 * blades * 12**2 * math.sin(2 * math.pi / blades)
        assert full_pixels(defocus(12, blades)) == pytest.approx(expected, rel=0.01)

    def test_many_blades_are_a_disk(self):
        many, round_ = defocus(6, blades=200).kernel, disk(6).kernel
        torch.testing.assert_close(many, round_, atol=1e-4, rtol=0)

    def test_a_corner_points_to_the_right_and_turns_anticlockwise(self):
        rightmost, topmost = defocus(9, blades=3), defocus(9, blades=3, rotation=90)
        reach = 9
        assert rightmost.size == (17, 19)
        assert float(rightmost.kernel[8, reach + 7]) > 0
        assert float(rightmost.kernel[8, reach - 7]) == 0
        torch.testing.assert_close(topmost.kernel, torch.rot90(rightmost.kernel))

    @pytest.mark.parametrize("blades", [4, 6])
    def test_turned_by_one_blade_it_is_the_same(self, blades):
        plain, turned = defocus(8, blades), defocus(8, blades, 360 / blades)
        torch.testing.assert_close(plain.kernel, turned.kernel, atol=2e-4, rtol=0)


class TestGaussian:
    @pytest.mark.parametrize("sigma", [0.8, 1.5, 6.0])
    def test_its_spread_is_sigma_along_each_axis(self, sigma):
        assert gaussian(sigma).quality().spread == pytest.approx(sigma * math.sqrt(2), rel=0.01)

    def test_two_in_a_row_are_one_with_the_variances_added(self):
        row = gaussian(3.0).kernel.sum(0)
        twice = torch.nn.functional.conv1d(row[None, None], row[None, None], padding=12)[0, 0]
        torch.testing.assert_close(twice[4:-4], gaussian(math.sqrt(18)).kernel.sum(0)[9:-9], atol=2e-4, rtol=0)

    def test_a_tiny_sigma_is_no_blur(self):
        assert gaussian(0.001).trim(0).kernel.tolist() == [[1]]


class TestShake:
    @pytest.mark.parametrize("extent", [1, 7, 15, 40, 120])
    @pytest.mark.parametrize("seed", range(4))
    def test_it_is_as_long_as_asked_and_centred(self, extent, seed):
        psf = shake(extent, generator=torch.Generator().manual_seed(seed))
        longest = max(psf.trim(0, keep_centre=False).size)
        assert extent <= longest <= extent + 2
        assert max(abs(o) for o in psf.quality().offset) <= 0.5 + 1e-4
        assert psf.quality().pieces == 1

    def test_the_same_generator_state_gives_the_same_shake(self):
        one, same, other = (shake(15, generator=torch.Generator().manual_seed(seed)).kernel for seed in (1, 1, 2))
        assert torch.equal(one, same)
        assert one.shape != other.shape or not torch.equal(one, other)

    def test_a_given_generator_leaves_the_global_one_alone(self):
        before = torch.get_rng_state()
        shake(15, generator=torch.Generator().manual_seed(1))
        assert torch.equal(torch.get_rng_state(), before)

    def test_the_global_generator_serves_when_none_is_given(self):
        with torch.random.fork_rng():
            one = shake(15).kernel
            other = shake(15).kernel
        assert one.shape != other.shape or not torch.equal(one, other)


@pytest.mark.parametrize(
    ("make", "least", "most"),
    [(line, 0, 1000), (disk, 0, 1000), (defocus, 0, 1000), (gaussian, 0.001, 250), (shake, 1, 1000)],
)
class TestLimits:
    @pytest.mark.parametrize("beyond", ["below", "above", "nan", "inf"])
    def test_a_value_out_of_range_is_refused_with_the_range(self, make, least, most, beyond):
        value = {"below": least - 0.0005, "above": most + 0.5, "nan": math.nan, "inf": math.inf}[beyond]
        with pytest.raises(PsfError, match=f"it must lie between {least:g} and {most:,g}"):
            make(value)

    def test_both_ends_of_the_range_work(self, make, least, most):
        assert float(make(least).kernel.sum()) == pytest.approx(1, abs=1e-5)
        assert float(make(most).kernel.sum()) == pytest.approx(1, abs=1e-4)


@pytest.mark.parametrize("angle", [math.nan, math.inf])
def test_angles_must_be_finite(angle):
    with pytest.raises(PsfError, match="angle is"):
        line(5, angle)
    with pytest.raises(PsfError, match="rotation is"):
        defocus(5, rotation=angle)


@pytest.mark.parametrize("blades", [2, 0, 1001])
def test_an_aperture_has_between_three_and_a_thousand_blades(blades):
    with pytest.raises(PsfError, match=f"blades is {blades}; it must lie between 3 and 1,000"):
        defocus(5, blades)

"""The laws of the camera paths, and the figures measured of the published generators."""

import math

import pytest
import torch

from nightsharp.synthesis import generator_for
from nightsharp.synthesis.trajectories import (
    HeldCamera,
    densified,
    hand_paths,
    markovian_paths,
    markovian_psfs,
    rotating_paths,
    rotating_psfs,
    scaled_to,
)


def support(psfs: torch.Tensor) -> torch.Tensor:
    """The longer side of the box that holds all taps above 1 % of the peak."""
    lit = psfs[:, 0] > 0.01 * psfs.amax((1, 2, 3))[:, None, None]
    place = torch.arange(psfs.shape[-1])
    sides = []
    for axis in (1, 2):
        on = lit.any(axis)
        sides.append(torch.where(on, place, -1).amax(1) - torch.where(on, place, 999).amin(1) + 1)
    return torch.maximum(*sides).double()


def centroid(psfs: torch.Tensor) -> torch.Tensor:
    place = torch.arange(psfs.shape[-1], dtype=psfs.dtype) - psfs.shape[-1] // 2
    return torch.stack([(psfs[:, 0].sum(axis) * place).sum(1) for axis in (2, 1)], dim=1)


class TestRotating:
    def test_the_recursion_in_one_step_is_the_recursion_step_by_step(self):
        paths = rotating_paths(3, generator=generator_for(1))
        source = generator_for(1)
        start = torch.randn(3, 1, 3, generator=source, dtype=torch.float64)[:, 0]
        kicks = torch.randn(2, 3, 249, 3, generator=source, dtype=torch.float64)
        for one in range(3):
            angles, velocity, place = torch.zeros(3).double(), start[one], torch.zeros(3).double()
            for t in range(1, 250):
                angles = angles + 2 * math.pi / 250 * (kicks[0, one, t - 1] / (t + 1) + angles)
                velocity = velocity + kicks[1, one, t - 1] / (t + 1)
                (a, b, c), zero, unit = angles, torch.tensor(0.0).double(), torch.tensor(1.0).double()
                x = torch.stack([unit, zero, zero, zero, a.cos(), -a.sin(), zero, a.sin(), a.cos()]).reshape(3, 3)
                y = torch.stack([b.cos(), zero, b.sin(), zero, unit, zero, -b.sin(), zero, b.cos()]).reshape(3, 3)
                z = torch.stack([c.cos(), -c.sin(), zero, c.sin(), c.cos(), zero, zero, zero, unit]).reshape(3, 3)
                place = place + z @ y @ x @ velocity
                torch.testing.assert_close(paths[one, t], place[:2])

    def test_support_is_that_of_the_published_generator(self):
        # measured there: 7, 9, 14, 25, 37 pixels at 10, 25, 50, 75, 90 % of 300 draws
        found = support(rotating_psfs(3000, generator=generator_for(0)))
        quantiles = found.quantile(torch.tensor([0.1, 0.25, 0.5, 0.75, 0.9], dtype=torch.float64)).tolist()
        for measured, expected in zip(quantiles, (7, 9, 14, 25, 37), strict=True):
            assert abs(measured - expected) <= 2

    def test_they_are_as_far_from_their_centre_as_the_published_ones(self):
        # measured there: mean offset (-0.35, -0.18), standard deviation about 3 pixels, 300 draws
        off = centroid(rotating_psfs(3000, generator=generator_for(0)))
        assert float(off.mean(0).abs().max()) < 0.6
        assert all(2 < float(deviation) < 3.6 for deviation in off.std(0))

    def test_a_psf_is_one(self):
        psfs = rotating_psfs(500, generator=generator_for(2))
        assert psfs.shape == (500, 1, 37, 37)
        assert float(psfs.min()) >= 0
        torch.testing.assert_close(psfs.sum((1, 2, 3)), torch.ones(500))


class TestMarkovian:
    paths = markovian_paths(40, generator=generator_for(0))

    def test_the_speed_never_changes_and_the_path_is_60_pixels_long(self):
        steps = self.paths.diff(dim=1).norm(dim=-1)
        torch.testing.assert_close(steps, torch.full_like(steps, 60 / 1999))

    def test_paths_bend_from_straight_to_curled(self):
        extent = (self.paths.amax(1) - self.paths.amin(1)).norm(dim=-1)
        assert float(extent.min()) < 20
        assert float(extent.max()) > 30

    def test_psfs_are_centred_and_whole_and_of_three_exposures(self):
        psfs = markovian_psfs(300, generator=generator_for(1))
        torch.testing.assert_close(psfs.sum((1, 2, 3)), torch.ones(300))
        assert float(centroid(psfs).abs().max()) < 0.01
        short = support(psfs) <= 9
        assert 0.2 < float(short.double().mean()) < 0.5


class TestHand:
    def camera(self, count: int, exposure: float, place: tuple[float, float] = (0.0, 0.0)) -> HeldCamera:
        one = torch.ones(count)
        return HeldCamera(exposure * one, 3000 * one, torch.tensor([place]).expand(count, 2), 1e6 * one, one)

    def test_in_the_time_of_one_over_the_focal_length_the_blur_is_a_circle_of_confusion(self):
        # 50 mm on 36 mm of film that is 2160 pixels wide: 3000 pixels of focal length, 0.03 mm are 1.8 pixels
        paths = hand_paths(self.camera(4000, 1 / 50), generator=generator_for(0))
        ends = (paths[:, -1] - paths[:, 0]).norm(dim=-1)
        assert float(ends.square().mean().sqrt()) == pytest.approx(1.8 * math.sqrt(2), rel=0.1)

    def test_a_longer_exposure_moves_farther_but_not_in_proportion(self):
        short, long = (hand_paths(self.camera(2000, time), generator=generator_for(1)) for time in (1 / 30, 1.0))
        ratio = float(long[:, -1].norm(dim=-1).median() / short[:, -1].norm(dim=-1).median())
        assert 4 < ratio < 30

    def test_off_the_axis_a_roll_adds_motion_across(self):
        middle, corner = (
            hand_paths(self.camera(500, 0.25, place), generator=generator_for(2))
            for place in ((0.0, 0.0), (0.0, 2000.0))
        )
        torch.testing.assert_close(middle[..., 1], corner[..., 1], atol=0.02, rtol=0)
        assert float((corner[..., 0] - middle[..., 0]).abs().amax()) > 3


def test_a_scaled_path_has_its_mean_at_the_centre_and_reaches_as_far_as_asked():
    paths = scaled_to(rotating_paths(5, generator=generator_for(0)), torch.tensor([1.0, 2.0, 5.0, 9.0, 30.0]))
    torch.testing.assert_close(paths.mean(1), torch.zeros(5, 2).double())
    torch.testing.assert_close(paths.abs().amax((1, 2)), torch.tensor([1.0, 2.0, 5.0, 9.0, 30.0]).double())


def test_a_point_stays_a_point():
    assert torch.equal(scaled_to(torch.ones(1, 4, 2), torch.tensor([7.0])), torch.zeros(1, 4, 2))


def test_denser_points_lie_on_the_same_path():
    path = rotating_paths(2, generator=generator_for(0))
    assert torch.equal(densified(path, 5)[:, ::5], path[:, :-1])

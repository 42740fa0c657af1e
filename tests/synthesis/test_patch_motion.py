"""The event paper's motion: arcs with zoom and roll, and frames that move patch by patch."""

import pytest
import torch
from scipy import ndimage

from nightsharp.errors import PhotoError
from nightsharp.synthesis import generator_for
from nightsharp.synthesis.patch_motion import moving_patches
from nightsharp.synthesis.trajectories import arc_paths, patch_paths


class TestArcs:
    paths = arc_paths(2000, generator=generator_for(0))

    def test_they_are_as_long_as_the_paper_says(self):
        length = self.paths.diff(dim=1).abs().sum(1)
        # 25 chords are a little shorter than their arc
        assert 48 * 0.65 * 0.998 < float(length.min()) <= float(length.max()) < 48 * 0.75
        assert float(length.mean()) == pytest.approx(48 * 0.7, rel=0.01)

    def test_they_start_on_a_whole_pixel_and_stay_on_the_canvas(self):
        for part in (self.paths.real, self.paths.imag):
            assert torch.equal(part[:, 0], part[:, 0].round())
            assert 0 < float(part.min()) <= float(part.max()) < 45

    def test_the_speed_is_even(self):
        steps = self.paths.diff(dim=1).abs()
        torch.testing.assert_close(steps, steps[:, :1].expand_as(steps))


class TestPatches:
    paths = patch_paths(60, generator=generator_for(1))

    def test_neighbours_move_nearly_alike_and_far_patches_do_not(self):
        assert self.paths.shape == (60, 16, 20, 25, 2)
        ends = self.paths[..., -1, :]
        beside = (ends[:, :, 1:] - ends[:, :, :-1]).norm(dim=-1)
        across = (ends[:, 0, 0] - ends[:, -1, -1]).norm(dim=-1)
        assert float(beside.max()) < 3
        assert float(across.mean()) > 4 * float(beside.mean())

    def test_lengths_are_those_measured_of_the_released_data(self):
        # there, over 300 items: 7.8 to 13.0 pixels of the event camera, mean 10.7, no step's halves beyond 7.7; three
        # pixels of the picture to one of them
        length = self.paths.diff(dim=3).norm(dim=-1).sum(-1).mean((1, 2)) / 3
        assert 7 < float(length.min()) < float(length.max()) < 13.8
        assert float(length.mean()) == pytest.approx(10.7, abs=0.4)
        halves = torch.stack([self.paths[..., 12, :], self.paths[..., 24, :] - self.paths[..., 12, :]]) / 3
        assert 6 < float(halves.abs().max()) < 8.5


def test_frames_are_those_of_moving_the_whole_picture_for_every_patch(scene):
    image = scene[0, :, :96, :120].double()
    paths = patch_paths(1, grid=(4, 5), generator=generator_for(2))[0]
    frames = moving_patches(image, paths)
    assert torch.equal(frames[0], image)
    for row, column, index in [(0, 0, 3), (3, 4, 24), (2, 1, 11)]:
        down, right = paths[row, column, index].tolist()
        moved = ndimage.shift(image.numpy(), (0, down, right), order=1, mode="grid-mirror")
        rows, columns = slice(24 * row, 24 * row + 24), slice(24 * column, 24 * column + 24)
        expected = torch.from_numpy(moved)[:, rows, columns]
        torch.testing.assert_close(frames[index, :, rows, columns], expected, atol=1e-9, rtol=0)


def test_a_picture_that_does_not_divide_is_refused():
    with pytest.raises(PhotoError, match=r"Crop it to 8 x 10"):
        moving_patches(torch.rand(3, 9, 11), torch.zeros(4, 5, 2, 2))

"""Many paths into PSFs at once, and one path as the formula has it."""

import torch

from nightsharp.optics.shapes import path
from nightsharp.optics.splat import splat


def test_it_agrees_with_the_psf_of_a_single_path(generator):
    points = 4 * torch.rand(6, 50, 2, generator=generator, dtype=torch.float64) - 2
    for kernel, one in zip(splat(points, 11)[:, 0], points, strict=True):
        torch.testing.assert_close(kernel.float(), path(one).pad(11, 11).kernel, atol=1e-6, rtol=0)


def test_what_lies_outside_is_left_out():
    points = torch.tensor([[[0.0, 0.0], [0.0, 9.0], [-50.0, 1.0]]])
    expected = torch.zeros(5, 5)
    expected[2, 2] = 1
    assert torch.equal(splat(points, 5)[0, 0], expected)


def test_a_light_that_never_comes_in_is_a_point():
    kernel = splat(torch.full((1, 3, 2), 99.0), 3)[0, 0]
    assert float(kernel[1, 1]) == 1

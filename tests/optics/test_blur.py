"""Blur: orientation, the identity, the OTF cache, and what is refused."""

import math
from typing import cast

import jaxtyping
import pytest
import torch

import nightsharp.optics.blur
from nightsharp.errors import PsfError, UsageError
from nightsharp.optics import Blur, Boundary, Psf, gaussian, line, psf_to_otf
from nightsharp.optics.fourier import fast_size


@pytest.fixture
def computed(monkeypatch):
    """The sizes for which an OTF was computed, in order."""
    sizes = []

    def counting(psf, size):
        sizes.append(size)
        return psf_to_otf(psf, size)

    monkeypatch.setattr(nightsharp.optics.blur, "psf_to_otf", counting)
    return sizes


def test_a_point_of_light_becomes_the_psf_and_not_its_mirror_image(boundary):
    psf = Psf.from_tensor(torch.tensor([[0.0, 1, 2], [0, 3, 0], [4, 0, 0], [5, 0, 0]]))
    point = torch.zeros(1, 1, 15, 17)
    point[..., 7, 9] = 1
    blurred = Blur(psf, boundary)(point)
    if boundary == "valid":
        # three rows and two columns are lost, one row and one column of them before the first pixel
        blurred = torch.nn.functional.pad(blurred, (1, 1, 1, 2))
    expected = torch.zeros_like(point)
    # the centre of a 4 x 3 PSF is its tap (2, 1)
    expected[..., 5:9, 8:11] = psf.kernel
    torch.testing.assert_close(blurred, expected, atol=1e-7, rtol=0)


@pytest.mark.parametrize("size", [(1, 1), (1, 4), (3, 3), (6, 5), (24, 31)], ids=str)
def test_the_identity_changes_nothing(size, boundary, image):
    height, width = size
    identity = torch.zeros(1, 1, height, width)
    identity[..., height // 2, width // 2] = 1
    blur = Blur(identity, boundary)
    expected = image
    if boundary == "valid":
        top, left = height - 1 - height // 2, width - 1 - width // 2
        expected = image[..., top : 24 - height // 2, left : 31 - width // 2]
    torch.testing.assert_close(blur(image), expected)


def test_a_psf_and_its_tensor_are_the_same_operator(boundary, image):
    psf = line(7, angle=70)
    assert torch.equal(Blur(psf, boundary)(image), Blur(psf.kernel[None, None], boundary)(image))


@pytest.mark.parametrize("boundary", ["replicate", "reflect"], indirect=True)
def test_a_border_that_is_read_twice_can_lift_the_norm_above_one(boundary):
    blur, vector = Blur(line(9), boundary), torch.ones(1, 1, 9, 31)
    for _ in range(50):
        vector = blur.adjoint(blur(vector / vector.norm()))
    assert 1.001 < math.sqrt(float(vector.norm())) < 1.5


class TestOtfCache:
    def test_an_otf_is_computed_once_per_size(self, computed, image):
        blur = Blur(gaussian(1.0))
        for _ in range(3):
            blur.adjoint(blur(image))
        blur(image[..., :20])
        blur(image)
        assert computed == [(24, 31), (24, 20)]

    def test_another_dtype_needs_another_otf(self, computed, image):
        blur = Blur(gaussian(1.0))
        single = blur(image.float())
        double = blur(image)
        assert len(computed) == 2
        assert (single.dtype, double.dtype) == (torch.float32, torch.float64)

    def test_a_tensor_that_changes_later_does_not_reach_the_operator(self, boundary, image):
        kernel = gaussian(1.0).kernel[None, None].clone()
        blur = Blur(kernel, boundary)
        before = blur(image)
        kernel.copy_(kernel.roll(2, dims=-1))
        assert torch.equal(blur(image), before)
        assert torch.equal(blur(image[..., :30]), Blur(gaussian(1.0), boundary)(image[..., :30]))

    def test_a_psf_under_training_is_never_cached(self, image):
        kernel = gaussian(1.0).kernel[None, None].clone().requires_grad_()
        blur = Blur(kernel)
        before = blur(image)
        with torch.no_grad():
            kernel.mul_(2)
        torch.testing.assert_close(blur(image), 2 * before)
        blur(image).square().sum().backward()
        assert kernel.grad is not None

    def test_an_otf_from_inference_mode_serves_training_later(self, boundary):
        with torch.inference_mode():
            blur = Blur(torch.ones(1, 1, 3, 3) / 9, boundary)
            blur(torch.rand(1, 1, 8, 8))
        image = torch.rand(1, 1, 8, 8, requires_grad=True)
        blur(image).sum().backward()
        assert image.grad is not None


class TestRefusals:
    def test_an_unknown_boundary_is_a_usage_error_that_names_the_known_ones(self, monkeypatch):
        # the type checker of the tests would refuse the word before the code under test can
        monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)
        with pytest.raises(UsageError, match=r"'zero' is unknown. Choose one of circular, replicate, reflect, valid"):
            Blur(gaussian(1.0), cast("Boundary", "zero"))

    @pytest.mark.parametrize("direction", ["forward", "adjoint"])
    def test_a_psf_larger_than_the_image_is_refused_with_both_sizes(self, boundary, direction):
        blur = Blur(torch.ones(1, 1, 9, 3) / 27, boundary)
        small = torch.rand(1, 1, 8, 20)
        if boundary == "valid" and direction == "adjoint":
            # what is small here is the blurred image; the sharp one is larger than the PSF
            assert blur.adjoint(small).shape == (1, 1, 16, 22)
            return
        with pytest.raises(PsfError, match=r"the PSF is 9 x 3, larger than the image \(8 x 20\). Cut away its dark r"):
            getattr(blur, direction)(small)

    @pytest.mark.parametrize("direction", ["forward", "adjoint"])
    @pytest.mark.parametrize(("psfs", "things"), [((2, 1), "2 images, but 1"), ((1, 2), "2 channels, but 3")])
    def test_psfs_for_other_images_or_channels_are_refused(self, boundary, direction, psfs, things):
        blur = Blur(torch.ones(*psfs, 3, 3) / 9, boundary)
        with pytest.raises(PsfError, match=f"there are PSFs for {things} came"):
            getattr(blur, direction)(torch.rand(1, 3, 8, 8))


@pytest.mark.parametrize("length", [1, 7, 97, 509, 1021, 4001])
def test_a_fast_size_is_an_even_product_of_small_primes_and_just_large_enough(length):
    fast, _ = fast_size(length, 1)
    assert fast % 2 == 0
    assert length <= fast <= 1.15 * length + 1
    for prime in (2, 3, 5):
        while fast % prime == 0:
            fast //= prime
    assert fast == 1


def test_the_otf_of_light_is_one_at_frequency_zero(kernel):
    otf = psf_to_otf(kernel, (32, 40))
    torch.testing.assert_close(otf[..., 0, 0].real, torch.ones(kernel.shape[:2]))
    assert float(otf.abs().max()) <= 1 + 1e-5

"""What holds for every PSF under every rule for the border."""

import numpy as np
import pytest
import scipy.ndimage
import scipy.signal
import torch
from torch import Tensor

from nightsharp.optics import Blur, Boundary

DEVICES = ["meta", "cuda"] if torch.cuda.is_available() else ["meta"]
SCIPY_MODES = {"circular": "wrap", "replicate": "nearest", "reflect": "mirror"}


@pytest.fixture
def blur(kernel: Tensor, boundary: Boundary) -> Blur:
    return Blur(kernel, boundary)


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 1e-5), (torch.float64, 1e-12)])
def test_the_adjoint_is_the_transpose(blur, image, generator, dtype, tolerance):
    sharp = image.to(dtype)
    blurred = blur(sharp)
    other = torch.rand(blurred.shape, dtype=dtype, generator=generator)
    spread = blur.adjoint(other)
    assert spread.shape == sharp.shape
    difference = (blurred * other).sum() - (sharp * spread).sum()
    assert abs(float(difference)) <= tolerance * float(blurred.norm() * other.norm())


def test_blur_agrees_with_scipy(blur, kernel, boundary, image):
    psfs = kernel.double().expand(*image.shape[:2], *kernel.shape[-2:]).numpy()
    expected = np.empty(blur(image).shape)
    for place in np.ndindex(*image.shape[:2]):
        if boundary == "valid":
            expected[place] = scipy.signal.convolve2d(image[place].numpy(), psfs[place], mode="valid")
        else:
            expected[place] = scipy.ndimage.convolve(image[place].numpy(), psfs[place], mode=SCIPY_MODES[boundary])
    np.testing.assert_allclose(blur(image).numpy(), expected, atol=1e-12)


def test_blur_is_linear(blur, image, generator):
    other = torch.randn(image.shape, dtype=image.dtype, generator=generator)
    torch.testing.assert_close(blur(2 * image - 3 * other), 2 * blur(image) - 3 * blur(other))


def test_a_shifted_scene_gives_a_shifted_blur(blur, kernel, boundary, generator):
    height, width, down, right = 70, 80, 3, 5
    scene = torch.rand(2, 3, height, width, dtype=torch.float64, generator=generator)
    before, after = blur(scene), blur(scene.roll((down, right), dims=(-2, -1)))
    if boundary == "circular":
        torch.testing.assert_close(after, before.roll((down, right), dims=(-2, -1)))
        return
    # only what never sees the border moves along
    rim_y, rim_x = (0, 0) if boundary == "valid" else kernel.shape[-2:]
    inside_after = after[..., rim_y + down : after.shape[-2] - rim_y, rim_x + right : after.shape[-1] - rim_x]
    inside_before = before[..., rim_y : before.shape[-2] - rim_y - down, rim_x : before.shape[-1] - rim_x - right]
    torch.testing.assert_close(inside_after, inside_before)


def test_an_even_scene_stays_as_it_is(blur):
    even = torch.full((2, 3, 24, 31), 0.7, dtype=torch.float64)
    blurred = blur(even)
    # the PSFs are float32 and sum to 1 as closely as that allows
    torch.testing.assert_close(blurred, torch.full_like(blurred, 0.7), atol=1e-6, rtol=0)


def test_blur_never_exceeds_the_brightest_and_the_darkest_pixel(blur, image):
    blurred = blur(image)
    assert float(blurred.max()) <= float(image.max()) + 1e-6
    assert float(blurred.min()) >= float(image.min()) - 1e-6


@pytest.mark.parametrize("boundary", ["circular", "valid"], indirect=True)
def test_the_largest_singular_value_is_at_most_one(blur, image):
    vector = image
    for _ in range(20):
        vector = blur.adjoint(blur(vector / vector.norm()))
    # the norm is now an eigenvalue of A^T A
    assert float(vector.norm()) <= 1 + 1e-6


def test_gradients_are_right_for_image_and_psf(kernel, boundary, image):
    values = image.clone().requires_grad_()
    weights = kernel.double().clone().requires_grad_()

    def there_and_back(x: Tensor, k: Tensor) -> Tensor:
        blur = Blur(k, boundary)
        return blur.adjoint(blur(x).square())

    assert torch.autograd.gradcheck(there_and_back, (values, weights), fast_mode=True)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_image_decides_the_dtype(blur, image, dtype):
    blurred = blur(image.to(dtype))
    assert blurred.dtype == dtype
    assert blur.adjoint(blurred).dtype == dtype


@pytest.mark.parametrize("device", DEVICES)
def test_the_image_decides_the_device(blur, image, device):
    there, here = blur(image.to(device)), blur(image)
    back = blur.adjoint(there)
    assert there.device.type == back.device.type == device
    assert (there.shape, back.shape) == (here.shape, image.shape)
    if device != "meta":
        torch.testing.assert_close(there.cpu(), here)

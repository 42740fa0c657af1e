"""INFWIDE's losses, beside what scikit-image and scipy compute."""

import numpy as np
import pytest
import scipy.ndimage
import torch
from skimage.metrics import structural_similarity

from nightsharp.methods.infwide import INFWIDEOutput
from nightsharp.methods.infwide.losses import (
    denoise_loss,
    infwide_loss,
    main_loss,
    reblur_loss,
    ssim,
    total_variation,
)


def random(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed))


def test_ssim_is_that_of_scikit_image_where_the_window_fits():
    image = random(1, 3, 40, 52)
    other = image + 0.1 * random(1, 3, 40, 52, seed=1)
    maps = structural_similarity(
        image[0].double().numpy(),
        other[0].double().numpy(),
        data_range=1.0,
        channel_axis=0,
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
        full=True,
    )[1]
    expected = float(np.asarray(maps)[:, 5:-5, 5:-5].mean())
    assert float(ssim(image, other)) == pytest.approx(expected, abs=1e-4)


def test_total_variation_is_its_formula():
    image = random(2, 3, 5, 7)
    down, across = image[:, :, 1:] - image[:, :, :-1], image[..., 1:] - image[..., :-1]
    expected = 2 / 2 * ((down**2).sum() / (3 * 4 * 7) + (across**2).sum() / (3 * 5 * 6))
    torch.testing.assert_close(total_variation(image), expected)


@pytest.mark.parametrize("side", [5, 6])
def test_the_restored_image_is_blurred_again_with_a_circular_border(side):
    image, psf = random(1, 3, 20, 24), random(1, 1, side, side, seed=1)
    psf = psf / psf.sum()
    again = [scipy.ndimage.convolve(channel.numpy(), psf[0, 0].numpy(), mode="wrap") for channel in image[0]]
    assert float(reblur_loss(image, torch.from_numpy(np.stack(again))[None], psf)) < 1e-6
    assert float(reblur_loss(image, image, psf)) > 0.01


def test_the_parts_are_weighed_as_published():
    sharp, clean, psf = random(2, 3, 32, 40), random(2, 3, 32, 40, seed=1), torch.ones(1, 1, 1, 1)
    half, full, denoised = random(2, 3, 16, 20, seed=2), random(2, 3, 32, 40, seed=3), random(2, 3, 32, 40, seed=4)
    small = torch.nn.functional.avg_pool2d(sharp, 2)  # bilinear halving of even sides
    loss = infwide_loss(INFWIDEOutput(half, full, denoised), sharp, clean, psf)
    torch.testing.assert_close(loss.main, main_loss(half, small) + main_loss(full, sharp))
    torch.testing.assert_close(loss.denoise, denoise_loss(denoised, clean))
    torch.testing.assert_close(loss.reblur, (full - clean).abs().mean())
    torch.testing.assert_close(loss.total, loss.main + 0.5 * loss.denoise + 0.5 * loss.reblur)
    o, t = full, sharp
    by_hand = (
        0.4 * (o - t).abs().mean() + 0.2 * (o - t).square().mean() + 0.2 * (1 - ssim(o, t)) + 0.2 * total_variation(o)
    )
    torch.testing.assert_close(main_loss(o, t), by_hand)
    o, t = denoised, clean
    by_hand = 0.5 * (o - t).abs().mean() + 0.3 * (o - t).square().mean() + 0.2 * total_variation(o)
    torch.testing.assert_close(denoise_loss(o, t), by_hand)

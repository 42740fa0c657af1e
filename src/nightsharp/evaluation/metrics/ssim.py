"""Structural similarity, in the variants that papers use without saying which."""

from typing import Literal

import numpy as np
import scipy.ndimage
from jaxtyping import Float
from skimage.metrics import structural_similarity
from torch import Tensor

from nightsharp.errors import PhotoError
from nightsharp.evaluation.metrics._arrays import as_arrays

Window = Literal["gaussian11", "uniform7"]

_SIDE = {"gaussian11": 11, "uniform7": 7}


def ssim(
    result: Float[Tensor, "channel height width"],
    truth: Float[Tensor, "channels rows columns"],
    *,
    window: Window = "gaussian11",
    downsample: bool = False,
    peak: float = 1.0,
) -> float:
    r"""Mean structural similarity over the positions where the window fits, mean over channels.

    .. math:: \frac{(2\mu_x\mu_y + C_1)(2\sigma_{xy} + C_2)}{(\mu_x^2 + \mu_y^2 + C_1)(\sigma_x^2 + \sigma_y^2 + C_2)}

    Args:
        result: the restored image.
        truth: the sharp image, same shape and range.
        window: ``"gaussian11"``: 11 x 11, sigma 1.5, as Wang et al.; ``"uniform7"``: 7 x 7, sample covariance, as
            scikit-image does by default.
        downsample: shrink both first by ``max(1, round(shorter side / 256))``, as Wang's later ``ssim.m`` does.
        peak: the largest possible value.

    Returns:
        The similarity, 1 for identical images.

    Raises:
        PhotoError: the shapes differ, or the images are smaller than the window.

    Example:
        >>> import torch
        >>> image = torch.rand(1, 32, 32)
        >>> ssim(image, image)
        1.0

    Source: Wang, Bovik, Sheikh and Simoncelli, 2004; the computation is scikit-image's.
    """
    one, other = as_arrays(result, truth)
    if downsample:
        one, other = shrunk(one), shrunk(other)
    side = _SIDE[window]
    if min(one.shape[:2]) < side:
        raise PhotoError(f"the images are {one.shape[0]} x {one.shape[1]}; this SSIM needs {side} x {side} at least.")
    options = (
        {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}
        if window == "gaussian11"
        else {"win_size": 7}
    )
    # scikit-image is not typed beyond its arrays
    value = structural_similarity(one, other, data_range=peak, channel_axis=-1, **options)  # pyright: ignore
    return float(value)  # pyright: ignore[reportArgumentType]


def shrunk(values: np.ndarray) -> np.ndarray:
    """Box filter and decimation by Wang's factor; the border is mirrored (MATLAB's ``imfilter(..., 'symmetric')``).

    Example:
        >>> shrunk(np.zeros((600, 800, 1))).shape
        (300, 400, 1)
    """
    factor = max(1, int(np.floor(min(values.shape[:2]) / 256 + 0.5)))
    if factor == 1:
        return values
    # imfilter centres an even box at floor((f + 1) / 2), one to the left of where scipy does
    origin = -1 if factor % 2 == 0 else 0
    for axis in (0, 1):
        values = scipy.ndimage.uniform_filter1d(values, factor, axis=axis, mode="reflect", origin=origin)
    return values[::factor, ::factor]

"""Structural similarity over five scales."""

import numpy as np
import scipy.ndimage
from jaxtyping import Float
from torch import Tensor

from nightsharp.errors import PhotoError
from nightsharp.evaluation.metrics._arrays import as_arrays

WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
_REACH, _SIGMA = 5, 1.5
_SMALLEST = (2 * _REACH + 1) * 2 ** (len(WEIGHTS) - 1)


def ms_ssim(
    result: Float[Tensor, "channel height width"], truth: Float[Tensor, "channels rows columns"], *, peak: float = 1.0
) -> float:
    r"""Multi-scale structural similarity, mean over channels.

    .. math:: l_5^{w_5} \prod_{j=1}^{5} (c_j s_j)^{w_j}

    with the 11 x 11 Gaussian window (sigma 1.5), valid positions, and 2 x 2 means between the scales.

    Args:
        result: the restored image, at least 176 x 176.
        truth: the sharp image, same shape and range.
        peak: the largest possible value.

    Returns:
        The similarity; 1 for identical images, 0 where structure is reversed.

    Raises:
        PhotoError: the shapes differ, or the images are too small for five scales.

    Example:
        >>> import torch
        >>> image = torch.rand(1, 176, 180)
        >>> round(ms_ssim(image, image), 6)
        1.0

    Source: Wang, Simoncelli and Bovik, 2003.
    """
    one, other = as_arrays(result, truth)
    if min(one.shape[:2]) < _SMALLEST:
        raise PhotoError(f"the images are {one.shape[0]} x {one.shape[1]}; MS-SSIM needs {_SMALLEST} x {_SMALLEST}.")
    product = np.ones(one.shape[2])
    for scale, weight in enumerate(WEIGHTS):
        whole, contrast = _maps(one, other, peak)
        last = scale == len(WEIGHTS) - 1
        product *= np.maximum((whole if last else contrast).mean(axis=(0, 1)), 0) ** weight
        one, other = _halved(one), _halved(other)
    return float(product.mean())


def _maps(one: np.ndarray, other: np.ndarray, peak: float) -> tuple[np.ndarray, np.ndarray]:
    """SSIM, and its contrast-structure part, at every valid position."""
    c1, c2 = (0.01 * peak) ** 2, (0.03 * peak) ** 2
    mean_one, mean_other = _windowed(one), _windowed(other)
    # E[x^2] - E[x]^2
    variances = _windowed(one * one) - mean_one**2 + _windowed(other * other) - mean_other**2
    covariance = _windowed(one * other) - mean_one * mean_other
    contrast = (2 * covariance + c2) / (variances + c2)
    luminance = (2 * mean_one * mean_other + c1) / (mean_one**2 + mean_other**2 + c1)
    return luminance * contrast, contrast


def _windowed(values: np.ndarray) -> np.ndarray:
    for axis in (0, 1):
        values = scipy.ndimage.gaussian_filter1d(values, _SIGMA, axis=axis, radius=_REACH)
    return values[_REACH:-_REACH, _REACH:-_REACH]


def _halved(values: np.ndarray) -> np.ndarray:
    # an odd side is mirrored by one, as Wang's msssim.m does
    values = np.pad(values, ((0, values.shape[0] % 2), (0, values.shape[1] % 2), (0, 0)), mode="symmetric")
    return (values[::2, ::2] + values[1::2, ::2] + values[::2, 1::2] + values[1::2, 1::2]) / 4

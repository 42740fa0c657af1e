"""Peak signal-to-noise ratio."""

import math

from jaxtyping import Float
from torch import Tensor

from nightsharp.evaluation.metrics._arrays import as_arrays

CEILING = 120.0
"""What identical images score, in dB; files and tables hold finite numbers."""


def psnr(
    result: Float[Tensor, "channel height width"], truth: Float[Tensor, "channels rows columns"], *, peak: float = 1.0
) -> float:
    r"""Peak signal-to-noise ratio in decibels, all channels together.

    .. math:: 10 \log_{10} \frac{p^2}{\tfrac1N \sum (x - \hat x)^2}

    Args:
        result: the restored image, used as it is (no clipping).
        truth: the sharp image, same shape and range.
        peak: the largest possible value p.

    Returns:
        dB; at most 120, which identical images score.

    Raises:
        PhotoError: the shapes differ.

    Example:
        >>> import torch
        >>> round(psnr(torch.full((1, 8, 8), 0.6), torch.full((1, 8, 8), 0.5)), 4)
        20.0
    """
    one, other = as_arrays(result, truth)
    return decibel(float(((one - other) ** 2).mean()), peak=peak)


def decibel(error: float, *, peak: float = 1.0) -> float:
    """A mean squared error as PSNR.

    Example:
        >>> decibel(0.001)
        30.0
    """
    least = peak**2 * 10 ** (-CEILING / 10)
    return 10 * math.log10(peak**2 / max(error, least))

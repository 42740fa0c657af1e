"""How much of the error is the PSF's fault: two ratios that share a name and must not be mixed."""

import numpy as np
from jaxtyping import Float
from torch import Tensor

from nightsharp.evaluation.metrics._arrays import as_arrays


def ssd_ratio(
    blind: Float[Tensor, "channel height width"],
    known: Float[Tensor, "channel height width"],
    truth: Float[Tensor, "channel height width"],
) -> float:
    r"""Levin's error ratio: squared error with the estimated PSF over that with the true PSF.

    .. math:: \frac{\|x_{\hat k} - x\|^2}{\|x_{k} - x\|^2}

    Args:
        blind: restored with the estimated PSF, aligned with the truth.
        known: restored with the true PSF by the same method, aligned with the truth.
        truth: the sharp image.

    Returns:
        The ratio; at most 3 (some say 2) counts as a success. Infinite when ``known`` is without error.

    Raises:
        PhotoError: the shapes differ.

    Example:
        >>> import torch
        >>> truth = torch.zeros(1, 4, 4)
        >>> round(ssd_ratio(truth + 0.2, truth + 0.1, truth), 5)
        4.0

    Source: Levin, Weiss, Durand and Freeman, CVPR 2009.
    """
    return _ratio(*(float(((a - b) ** 2).sum()) for a, b in (as_arrays(blind, truth), as_arrays(known, truth))))


def spectral_ratio(
    blind: Float[Tensor, "1 height width"],
    known: Float[Tensor, "1 height width"],
    truth: Float[Tensor, "1 height width"],
) -> float:
    r"""SelfDeblur's error ratio: MATLAB's ``norm`` of a matrix, which is the largest singular value, not squared.

    .. math:: \frac{\sigma_{\max}(x_{\hat k} - x)}{\sigma_{\max}(x_{k} - x)}

    Args:
        blind: restored with the estimated PSF, grey, aligned with the truth.
        known: restored with the true PSF, grey, aligned with the truth.
        truth: the sharp image.

    Returns:
        The ratio. Not comparable with success rates of other papers, which use :func:`ssd_ratio`.

    Raises:
        PhotoError: the shapes differ.

    Example:
        >>> import torch
        >>> truth = torch.zeros(1, 4, 4)
        >>> round(spectral_ratio(truth + 0.2, truth + 0.1, truth), 5)
        2.0

    Source: Ren et al., CVPR 2020, released evaluation.
    """
    return _ratio(
        *(float(np.linalg.norm((a - b)[..., 0], 2)) for a, b in (as_arrays(blind, truth), as_arrays(known, truth)))
    )


def _ratio(blind: float, known: float) -> float:
    if known == 0:
        return 1.0 if blind == 0 else float("inf")
    return blind / known

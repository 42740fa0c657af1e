"""Ripples beside edges, without a truth."""

import numpy as np
import scipy.ndimage
from jaxtyping import Float
from torch import Tensor

from nightsharp.evaluation.metrics._arrays import grey

_SMOOTH = 2.0
_NEAREST, _FARTHEST = 4, 12
_STRONG = 0.25
_FEWEST = 64


def ringing(image: Float[Tensor, "channel height width"]) -> float:
    """How much more the image oscillates beside its strong edges than elsewhere.

    What oscillates is the image less its Gaussian mean (sigma 2 px). Its median size 4 to 12 px away from the strong
    edges (Sobel gradient above a quarter of the largest) is compared with that farther away, so noise all over the
    image cancels.

    Args:
        image: grey or colour (its luma is looked at), range [0, 1].

    Returns:
        The excess in the image's range, >= 0; 0 where there is no strong edge or nothing but edges.

    Example:
        >>> import torch
        >>> step = torch.zeros(1, 64, 64); step[..., 32:] = 1
        >>> ringing(step)
        0.0

    Source: ours, after the idea of Marziliano et al., 2004 (oscillation beside an edge, outside its width).
    """
    values = grey(image)
    gradient = np.hypot(scipy.ndimage.sobel(values, 0), scipy.ndimage.sobel(values, 1))
    if gradient.max() == 0:
        return 0.0
    # single hot pixels are no edges
    edges = scipy.ndimage.median_filter(gradient, 3) > _STRONG * gradient.max()
    if not edges.any():
        return 0.0
    distance = np.asarray(scipy.ndimage.distance_transform_edt(~edges))
    swing = np.abs(values - scipy.ndimage.gaussian_filter(values, _SMOOTH))
    beside = swing[(distance >= _NEAREST) & (distance <= _FARTHEST)]
    away = swing[distance > _FARTHEST]
    if min(len(beside), len(away)) < _FEWEST:
        return 0.0
    return float(max(0.0, np.median(beside) - np.median(away)))

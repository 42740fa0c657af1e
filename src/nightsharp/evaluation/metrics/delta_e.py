"""Colour difference as people see it."""

from jaxtyping import Float
from skimage.color import deltaE_ciede2000, rgb2lab
from torch import Tensor

from nightsharp.evaluation.metrics._arrays import as_arrays


def delta_e(result: Float[Tensor, "3 height width"], truth: Float[Tensor, "3 rows columns"]) -> float:
    """Mean CIEDE2000 colour difference; 1 is about what an eye just sees.

    Args:
        result: the restored image, sRGB values in [0, 1].
        truth: the sharp image, same shape and range.

    Returns:
        The mean over pixels, >= 0; D65 white, 2 degree observer.

    Raises:
        PhotoError: the shapes differ.

    Example:
        >>> import torch
        >>> image = torch.rand(3, 8, 8)
        >>> delta_e(image, image)
        0.0

    Source: Sharma, Wu and Dalal, 2005; the computation is scikit-image's.
    """
    one, other = as_arrays(result, truth)
    return float(deltaE_ciede2000(rgb2lab(other), rgb2lab(one)).mean())

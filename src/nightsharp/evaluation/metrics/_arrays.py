"""How an image reaches a metric: float64 arrays, both of one shape."""

import numpy as np
from torch import Tensor

from nightsharp.errors import PhotoError


def as_array(image: Tensor) -> np.ndarray:
    """``(height, width, channel)`` float64 of a ``(channel, height, width)`` tensor."""
    return np.ascontiguousarray(image.detach().cpu().double().permute(1, 2, 0).numpy())


def as_arrays(result: Tensor, truth: Tensor) -> tuple[np.ndarray, np.ndarray]:
    """Both images as arrays.

    Raises:
        PhotoError: they differ in shape.
    """
    if result.shape != truth.shape:
        one, other = (" x ".join(map(str, image.shape)) for image in (result, truth))
        raise PhotoError(f"the result is {one}, the truth {other}. Compare images of one size and channel count.")
    return as_array(result), as_array(truth)


def grey(image: Tensor) -> np.ndarray:
    """``(height, width)`` float64: ITU-R BT.601 luma of a colour image, the values of a grey one."""
    values = as_array(image)
    return values[..., 0] if values.shape[-1] == 1 else values @ np.array([0.299, 0.587, 0.114])

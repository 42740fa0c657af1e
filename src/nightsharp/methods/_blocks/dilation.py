"""Grey dilation: the largest value within reach of each pixel."""

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional


def dilate(image: Float[Tensor, "*batch height width"], reach: int) -> Float[Tensor, "*batch height width"]:
    """The largest value in the square of ``2 * reach + 1`` pixels about each pixel; nothing lies beyond the border.

    Windows grow by doubling, so that the time grows with the logarithm of the reach (``max_pool2d``'s grows with the
    reach: 20 times as long at 12 pixels, 40 times at 51). An erosion is ``-dilate(-image, reach)``.

    Args:
        image: any range.
        reach: pixels, 0 and more.

    Example:
        >>> dilate(torch.tensor([[0.0, 0.0, 1.0, 0.0, 0.0, -1.0]]), 1).tolist()
        [[0.0, 1.0, 1.0, 1.0, 0.0, 0.0]]
    """
    return _dilate_along(_dilate_along(image, reach, -2), reach, -1)


def _dilate_along(image: Tensor, reach: int, axis: int) -> Tensor:
    length, side = image.shape[axis], 2 * reach + 1
    largest = functional.pad(image, (0, 0, reach, reach) if axis == -2 else (reach, reach), value=-torch.inf)
    width = 1
    while 2 * width <= side:
        left = largest.shape[axis] - width
        largest = torch.maximum(largest.narrow(axis, 0, left), largest.narrow(axis, width, left))
        width *= 2
    # the last two overlap
    return torch.maximum(largest.narrow(axis, 0, length), largest.narrow(axis, side - width, length))

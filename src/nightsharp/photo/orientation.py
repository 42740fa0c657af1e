"""Turning stored pixels upright."""

import numpy as np
from jaxtyping import Shaped


def turns(orientation: int) -> bool:
    """Whether width and height change places."""
    return orientation >= 5


def upright(stored: Shaped[np.ndarray, "..."], orientation: int) -> Shaped[np.ndarray, "..."]:
    """View stored pixels upright.

    Args:
        stored: rows first, columns second.
        orientation: the EXIF tag 274, 1 to 8.

    Returns:
        A view; nothing is copied.

    Example:
        >>> upright(np.array([[1, 2], [3, 4]]), 6).tolist()
        [[3, 1], [4, 2]]

    Source: EXIF 2.32 (CIPA DC-008), section 4.6.4, tag Orientation.
    """
    match orientation:
        case 2:
            return stored[:, ::-1]
        case 3:
            return stored[::-1, ::-1]
        case 4:
            return stored[::-1]
        case 5:
            return stored.swapaxes(0, 1)
        case 6:
            return stored[::-1].swapaxes(0, 1)
        case 7:
            return stored[::-1, ::-1].swapaxes(0, 1)
        case 8:
            return stored[:, ::-1].swapaxes(0, 1)
    return stored

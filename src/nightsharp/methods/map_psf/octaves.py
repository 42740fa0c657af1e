"""A large photograph from further away: there its blur spans fewer pixels, and the same window sees more of the scene.

The pixels of a large photograph are softer than its blur is fine: the sensor's colours are interleaved, noise was taken
out, the lens draws no finer. A blur of 100 pixels in 12 megapixels is one of 25 in less than one.
"""

import torch
from jaxtyping import Float
from torch import Tensor

from nightsharp.methods.map_psf.search import WIDEST

FURTHEST = 4
# Shorter side that is left, and of a window that was asked for.
_LEAST_SIDE, _LEAST_WINDOW = 200, 9
# From this shorter side on pixels are taken to be soft, and the half is looked at first.
_SOFT = 1280


def octaves(shorter: int, size: int | None) -> dict[int, int | None]:
    """By how much a photograph is made smaller, in the order of the looks, and the window there.

    Args:
        shorter: the photograph's shorter side, pixels.
        size: of the window asked for; None where it is to be found. One that is too wide is looked for further away.

    Example:
        >>> octaves(399, None), octaves(400, None), octaves(3000, None), octaves(3000, 151)
        ({1: None}, {1: None, 2: None}, {2: None, 4: None, 1: None}, {2: 77, 4: 39})
    """
    order = [octave for octave in (1, 2, FURTHEST) if octave == 1 or shorter >= octave * _LEAST_SIDE]
    if shorter >= _SOFT:
        order = [*order[1:], 1]
    if size is None:
        return dict.fromkeys(order)
    windows = {octave: -(-size // octave) // 2 * 2 + 1 for octave in order}
    return {
        octave: side for octave, side in windows.items() if side <= WIDEST and (octave == 1 or side >= _LEAST_WINDOW)
    }


def widest(shorter: int) -> int:
    """The widest window that may be asked for in a photograph of that shorter side.

    Example:
        >>> widest(399), widest(3000)
        (101, 404)
    """
    return WIDEST * max(octaves(shorter, None))


def seen_from(photo: Float[Tensor, "channel height width"], octave: int) -> Float[Tensor, "channel rows columns"]:
    """The photograph at a part of its size, anti-aliased."""
    if octave == 1:
        return photo
    size = [max(1, round(side / octave)) for side in photo.shape[-2:]]
    return torch.nn.functional.interpolate(photo[None], size=size, mode="bicubic", antialias=True)[0].clamp(0, 1)

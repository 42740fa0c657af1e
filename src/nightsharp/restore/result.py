"""The restored values while they come in, held as finely as the file that they will go into, and no finer."""

import math

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from nightsharp.photo import Codes, Photo
from nightsharp.restore.given import Given, Light

_WORD = np.dtype(np.uint16)


class Result:
    """Collects finished rows: 16-bit integers for a photograph of integers, floats otherwise.

    The middle of a 16-bit code's neighbours is never the middle of two 8-bit codes, so that an 8-bit file comes out as
    it would from floats.

    Args:
        given: what is being restored.
        light: the light the rows come in.

    Example:
        >>> result = Result(Given(None, torch.zeros(1, 4, 5), None), "linear")
        >>> result.put(slice(0, 4), torch.ones(1, 1, 4, 5))
        >>> result.sharp()[1].sum()
        tensor(20.)
    """

    def __init__(self, given: Given, light: Light) -> None:
        self._given = given
        self._light = light
        self._curve = given.curve
        height, width = given.size
        if self._curve is None:
            like = given.tensor if given.tensor is not None else torch.empty(0)
            self._floats = torch.empty(given.channels, height, width, device=like.device)
        else:
            self._codes = np.empty((height, width, given.channels), _WORD)
        self.finite = True

    @staticmethod
    def bytes_per_value(given: Given) -> int:
        """What one value of the result takes."""
        return 4 if given.curve is None else _WORD.itemsize

    @classmethod
    def bytes_in_all(cls, given: Given) -> int:
        """What all of the result takes."""
        return cls.bytes_per_value(given) * given.channels * math.prod(given.size)

    def put(self, rows: slice, band: Float[Tensor, "1 channel rows width"]) -> None:
        """Take finished rows."""
        self.finite = self.finite and bool(band.isfinite().all())
        if self._given.photo is None:
            self._floats[:, rows] = band[0]
            return
        light = band[0].clamp(0, 1)
        if self._light == "display":
            light = self._given.photo.display_curve.decode(light)
        if self._curve is None:
            self._floats[:, rows] = light
        elif self.finite:
            self._codes[rows] = self._curve.encode_codes(light.cpu(), _WORD)

    def sharp(self) -> tuple[Photo | None, Tensor | None]:
        """The photograph, or the tensor in its own type."""
        if self._given.tensor is not None:
            return None, self._floats.to(self._given.tensor)
        assert self._given.photo is not None
        if self._curve is None:
            return self._given.photo.with_pixels(self._floats.expand(3, -1, -1).contiguous()), None
        return self._given.photo.with_pixels(Codes(self._codes, self._curve)), None

"""The pixels of a photo as integers, a tone curve away from light: a quarter or half of the memory of floats."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float32, UInt
from torch import Tensor

from nightsharp.photo.tone import ToneCurve


@dataclass(frozen=True, eq=False)
class Codes:
    """Integers and the curve that turns them into linear light, part by part.

    Args:
        values: ``uint8`` or ``uint16``, upright; 1 channel (grey) or 3.
        curve: from display values to linear light.

    Example:
        >>> codes = Codes(np.full((4, 6, 3), 255, np.uint8), ToneCurve.srgb())
        >>> codes.light(slice(0, 2), slice(0, 6)).shape, codes.shape
        (torch.Size([3, 2, 6]), (3, 4, 6))
    """

    values: UInt[np.ndarray, "height width channels"]
    curve: ToneCurve

    @property
    def shape(self) -> tuple[int, int, int]:
        """(3, height, width) of the photo, grey counted as three equal channels."""
        return 3, self.values.shape[0], self.values.shape[1]

    @property
    def grey(self) -> bool:
        """Whether one channel stands for all three."""
        return self.values.shape[2] == 1

    def light(self, rows: slice, columns: slice) -> Float32[Tensor, "3 height width"]:
        """Linear light of a part; grey as three views of one channel."""
        return self.curve.decode_codes(self.values[rows, columns]).expand(3, -1, -1)

    def whole(self) -> Float32[Tensor, "3 height width"]:
        """Linear light of all, each channel with memory of its own."""
        light = self.curve.decode_codes(self.values)
        return torch.from_numpy(np.repeat(light.numpy(), 3, axis=0)) if self.grey else light

"""What came in to be restored, a photograph or a bare tensor, looked at part by part."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from nightsharp.photo import Photo, ToneCurve

Light = Literal["linear", "display"]

_ALL = slice(None)


@dataclass(frozen=True, eq=False)
class Given:
    """A photograph with its file, or a tensor.

    Attributes:
        photo: the photograph; None for a tensor.
        tensor: the tensor; None for a photograph.
        file: where the photograph was read from.

    Example:
        >>> given = Given(None, torch.rand(3, 8, 9), None)
        >>> tuple(given.size), given.channels, given.part("linear", slice(2, 4), slice(0, 9)).shape
        ((8, 9), 3, torch.Size([1, 3, 2, 9]))
    """

    photo: Photo | None
    tensor: Tensor | None
    file: Path | None

    @property
    def size(self) -> tuple[int, int]:
        """Height and width."""
        return (self.photo.height, self.photo.width) if self.photo is not None else self._bare.shape[-2:]  # pyright: ignore[reportReturnType]

    @property
    def device(self) -> torch.device:
        """Where it lies, and where it is worked on."""
        return torch.device("cpu") if self.tensor is None else self.tensor.device

    @cached_property
    def channels(self) -> int:
        """1 or 3; a photograph with three equal channels has one."""
        if self.photo is None:
            return self._bare.shape[0]
        return 1 if self.photo.is_grey() else 3

    @property
    def curve(self) -> ToneCurve | None:
        """The tone curve through which integers of the photograph's file go; None for floats."""
        if self.photo is None or self.photo.meta.floating:
            return None
        return ToneCurve.linear() if self.photo.meta.light == "linear" else self.photo.meta.curve

    def part(
        self, light: Light, rows: slice, columns: slice = _ALL
    ) -> Float[Tensor, "1 channel part_height part_width"]:
        """Pixels in the wanted light; a tensor is as it came, whatever the light."""
        if self.photo is None:
            return self._bare[:, rows, columns].float()[None]
        return self.photo.part(rows, columns, light)[None, : self.channels]

    def values(self, light: Light) -> Float[Tensor, "1 channel height width"]:
        """All pixels in the wanted light."""
        return self.part(light, _ALL)

    def bands(self) -> list[slice]:
        """Rows from top to bottom, some million pixels at a time."""
        height, width = self.size
        step = max(1, (1 << 20) // width)
        return [slice(top, min(top + step, height)) for top in range(0, height, step)]

    @property
    def _bare(self) -> Tensor:
        if self.tensor is None:
            raise AssertionError("neither a photograph nor a tensor")
        return self.tensor


def measured_over(given: Given, light: Light) -> Float[Tensor, "1 1 1 1"]:
    """The standard deviation over all pixels and channels, added up band by band.

    Example:
        >>> float(measured_over(Given(None, torch.tensor([[[0.0, 1.0]]]), None), "linear"))
        0.5
    """
    count, total, squares = 0, 0.0, 0.0
    for rows in given.bands():
        band = given.part(light, rows).double()
        count += band.numel()
        total += float(band.sum())
        squares += float(band.square().sum())
    variance = max(0.0, squares / count - (total / count) ** 2)
    return torch.full((1, 1, 1, 1), variance**0.5, device=given.device)

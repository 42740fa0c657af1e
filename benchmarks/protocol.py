"""How a result is compared with the truth, for the scripts here: the package's protocols with a batch axis."""

from torch import Tensor

from nightsharp.evaluation import Protocol
from nightsharp.evaluation.metrics import decibel

__all__ = ["aligned_error", "decibel", "psnr"]


def psnr(restored: Tensor, sharp: Tensor, border: int = 0) -> float:
    """Peak signal-to-noise ratio in decibels for a peak of 1, values clipped to [0, 1], a border left out."""
    return decibel(Protocol(border=border).compare(restored[0], sharp[0]).error)


def aligned_error(restored: Tensor, sharp: Tensor, border: int, *, reach: int = 5, quarter: bool = False) -> float:
    """The least mean squared error over shifts of up to ``reach`` pixels, whole ones or in steps of a quarter."""
    protocol = Protocol(border=border, reach=reach, step=0.25 if quarter else 1.0)
    return protocol.compare(restored[0], sharp[0]).error

"""What several methods share: callbacks, the trust in a pixel, the canvas around a photo, and the splitting solver."""

from nightsharp.methods._blocks.callbacks import Cancel, Progress, tick
from nightsharp.methods._blocks.canvas import CLIPPED, Canvas, trust
from nightsharp.methods._blocks.dilation import dilate
from nightsharp.methods._blocks.noise import (
    measured_contrast,
    mildness,
    model_error,
    noise_level,
    root_mean_square,
)
from nightsharp.methods._blocks.splitting import Shrink, minimise, power

__all__ = [
    "CLIPPED",
    "Cancel",
    "Canvas",
    "Progress",
    "Shrink",
    "dilate",
    "measured_contrast",
    "mildness",
    "minimise",
    "model_error",
    "noise_level",
    "power",
    "root_mean_square",
    "tick",
    "trust",
]

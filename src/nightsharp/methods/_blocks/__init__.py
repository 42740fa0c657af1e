"""What several methods share: callbacks, the trust in a pixel, the canvas around a photo, the splitting solver, and
what their networks are made of."""

from nightsharp.methods._blocks.bias_free import residual_blocks
from nightsharp.methods._blocks.callbacks import Cancel, Progress, tick
from nightsharp.methods._blocks.canvas import CLIPPED, Canvas, trust
from nightsharp.methods._blocks.multiple import to_multiple
from nightsharp.methods._blocks.noise import measured_contrast, mildness, model_error, noise_level
from nightsharp.methods._blocks.recorded import recorded
from nightsharp.methods._blocks.splitting import Shrink, minimise, power

__all__ = [
    "CLIPPED",
    "Cancel",
    "Canvas",
    "Progress",
    "Shrink",
    "measured_contrast",
    "mildness",
    "minimise",
    "model_error",
    "noise_level",
    "power",
    "recorded",
    "residual_blocks",
    "tick",
    "to_multiple",
    "trust",
]

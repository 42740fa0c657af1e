"""Total-variation deconvolution."""

from nightsharp.methods.total_variation.deconvolve import total_variation

__all__ = ["total_variation"]

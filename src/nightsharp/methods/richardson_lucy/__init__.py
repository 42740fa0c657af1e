"""Richardson-Lucy deconvolution: plain, damped by total variation, and aware of saturated pixels."""

from nightsharp.methods.richardson_lucy.deconvolve import Variant, richardson_lucy

__all__ = ["Variant", "richardson_lucy"]

"""Wiener deconvolution."""

from nightsharp.methods.wiener.deconvolve import wiener, wiener_filter

__all__ = ["wiener", "wiener_filter"]

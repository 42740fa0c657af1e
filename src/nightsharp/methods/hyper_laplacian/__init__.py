"""Deconvolution with a hyper-Laplacian prior on first and second derivatives."""

from nightsharp.methods.hyper_laplacian.deconvolve import hyper_laplacian

__all__ = ["hyper_laplacian"]

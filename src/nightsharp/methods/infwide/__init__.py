"""INFWIDE: Wiener deconvolution of a denoised image and of learned features, fused at two scales."""

from nightsharp.methods.infwide.network import INFWIDE, INFWIDEOutput, Statistics
from nightsharp.methods.infwide.restore import infwide, measure

__all__ = ["INFWIDE", "INFWIDEOutput", "Statistics", "infwide", "measure"]

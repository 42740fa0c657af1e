"""DWDN: Wiener deconvolution in a space of learned features, and a multi-scale refinement."""

from nightsharp.methods.dwdn.network import DWDN, DWDNOutput
from nightsharp.methods.dwdn.restore import dwdn, measure

__all__ = ["DWDN", "DWDNOutput", "dwdn", "measure"]

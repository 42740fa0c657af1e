"""Measure as the papers do: metrics, protocols, benchmark sets, the runner."""

from nightsharp.evaluation.alignment import Alignment, align
from nightsharp.evaluation.protocol import Protocol

__all__ = ["Alignment", "Protocol", "align"]

"""The weights of the learned methods: shipped files and their cards, loading, checking, converting, exporting."""

from nightsharp.weights.card import Card, Measurement
from nightsharp.weights.conversion import convert_official, convert_to_official
from nightsharp.weights.file import read_card_of, sha256
from nightsharp.weights.loading import load, locate, save
from nightsharp.weights.manifest import Shipped, list_weights, verify
from nightsharp.weights.onnx_export import Exported, export

__all__ = [
    "Card",
    "Exported",
    "Measurement",
    "Shipped",
    "convert_official",
    "convert_to_official",
    "export",
    "list_weights",
    "load",
    "locate",
    "read_card_of",
    "save",
    "sha256",
    "verify",
]

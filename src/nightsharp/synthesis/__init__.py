"""Sharp photographs into training pairs: PSFs, sensor, saturation."""

from nightsharp.synthesis.augmentation import oriented
from nightsharp.synthesis.batches import PairBatches
from nightsharp.synthesis.pairs import Pairs
from nightsharp.synthesis.pipeline import Pipeline, Scene
from nightsharp.synthesis.recipes import RECIPES, pipeline
from nightsharp.synthesis.seeds import generator_for
from nightsharp.synthesis.sharp_folder import SharpFolder

__all__ = [
    "RECIPES",
    "PairBatches",
    "Pairs",
    "Pipeline",
    "Scene",
    "SharpFolder",
    "generator_for",
    "oriented",
    "pipeline",
]

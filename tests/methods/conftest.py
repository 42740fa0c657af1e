"""What the tests of NightWiener share: ``night_scene`` and a prior."""

import sys
from pathlib import Path

import pytest
import torch

from nightsharp.methods.nightwiener import NightPrior

sys.path.append(str(Path(__file__).parent))


@pytest.fixture(scope="module")
def prior() -> NightPrior:
    """Weights as training might leave them: none is zero."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        made = NightPrior(widths=(8, 16))
        torch.nn.init.normal_(made.tail.weight, std=0.02)
    return made.requires_grad_(False)

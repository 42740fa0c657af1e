"""NightPrior: white noise of a known size, drawn for each image, taken out again."""

import torch
from torch import Tensor

from nightsharp.methods.nightwiener.prior import seen
from nightsharp.synthesis import Pairs
from nightsharp.training.objectives._decibels import below_60_db

# Standard deviations, evenly drawn in the logarithm: from what 8 bits hide to what the first turn assumes.
_LEAST, _MOST = 0.002, 0.2

terms = below_60_db


@torch.no_grad()
def inputs(pairs: Pairs) -> tuple[Tensor]:
    """The true images with noise, as the prior sees them.

    How much noise is drawn from the pairs' own numbers, so that the same batch gets the same noise every time.

    Args:
        pairs: the batch.
    """
    sharp = pairs.sharp
    own = torch.Generator().manual_seed(int(sharp.double().sum().mul(1e6).item()) % 2**31)
    spread = torch.empty(len(sharp), 1, 1, 1).uniform_(0, 1, generator=own)
    spread = (_LEAST * (_MOST / _LEAST) ** spread).to(sharp)
    noise = torch.randn(sharp.shape, generator=own).to(sharp)
    return (seen(sharp + spread * noise, spread),)

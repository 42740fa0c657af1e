"""NightWiener: the corrected estimate, every channel an image of its own."""

import torch
from torch import Tensor

from nightsharp.methods.nightwiener.bank import views
from nightsharp.restore.rim import RIM
from nightsharp.synthesis import Pairs
from nightsharp.training.objectives._decibels import below_60_db
from nightsharp.training.objectives._photographed import Photographed

terms = below_60_db


@torch.no_grad()
def inputs(pairs: Pairs) -> tuple[Tensor]:
    """The classical estimate and what it left unexplained, made as ``restore`` makes them of a photograph.

    Args:
        pairs: the batch.
    """
    seen = Photographed.of(pairs, RIM)
    stack = views(seen.blurred, seen.psf, seen.start, seen.level, contrast=seen.contrast, weight=seen.weight)
    return (stack[..., RIM:-RIM, RIM:-RIM].contiguous(),)

"""NightWiener: the mean absolute error of the corrected estimate, every channel an image of its own."""

import torch
from torch import Tensor
from torch.nn.functional import l1_loss

from nightsharp.methods._blocks import noise_level
from nightsharp.methods.hyper_laplacian import hyper_laplacian
from nightsharp.methods.nightwiener.bank import views
from nightsharp.synthesis import Pairs


@torch.no_grad()
def inputs(pairs: Pairs) -> tuple[Tensor]:
    """The classical estimate and what it left unexplained.

    Args:
        pairs: the batch.
    """
    blurred, psf = pairs.blurred, pairs.assumed_psf
    start = hyper_laplacian(blurred, psf, sigma=pairs.sigma)
    return (views(blurred, psf, start, noise_level(blurred, pairs.sigma, 1.0)),)


def terms(output: Tensor, pairs: Pairs) -> dict[str, Tensor]:
    """The one term.

    Args:
        output: the corrected estimate, channels laid along the batch.
        pairs: the batch.
    """
    return {"l1": l1_loss(output, pairs.sharp.flatten(0, 1)[:, None])}

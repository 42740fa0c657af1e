"""INFWIDE: the restored image at both scales, the denoised one, and the restored one blurred again."""

from torch import Tensor

from nightsharp.methods.infwide import INFWIDEOutput
from nightsharp.methods.infwide.losses import infwide_loss
from nightsharp.synthesis import Pairs

_BESIDES = 0.5


def inputs(pairs: Pairs) -> tuple[Tensor, Tensor]:
    """The recorded image and the PSF.

    Args:
        pairs: the batch.
    """
    return pairs.blurred, pairs.assumed_psf


def terms(output: INFWIDEOutput, pairs: Pairs) -> dict[str, Tensor]:
    """The three terms, weighted as published.

    Args:
        output: both scales and the denoised image.
        pairs: the batch.
    """
    loss = infwide_loss(output, pairs.sharp, pairs.clean, pairs.psf)
    return {"main": loss.main, "denoise": _BESIDES * loss.denoise, "reblur": _BESIDES * loss.reblur}

"""DWDN: the mean absolute error at both scales."""

from torch import Tensor

from nightsharp.methods.dwdn import DWDNOutput
from nightsharp.methods.dwdn.losses import multi_scale_l1
from nightsharp.synthesis import Pairs


def inputs(pairs: Pairs) -> tuple[Tensor, Tensor]:
    """The recorded image and the PSF.

    Args:
        pairs: the batch.
    """
    return pairs.blurred, pairs.assumed_psf


def terms(output: DWDNOutput, pairs: Pairs) -> dict[str, Tensor]:
    """The one term.

    Args:
        output: both scales.
        pairs: the batch.
    """
    return {"l1": multi_scale_l1(output, pairs.sharp)}

"""The loss of the networks that correct an estimate: a logarithm of the squared error."""

import torch
from torch import Tensor

from nightsharp.synthesis import Pairs

# Below this squared error (60 dB) nothing is gained by being better.
_LEAST_ERROR = 1e-6


def below_60_db(output: Tensor, pairs: Pairs) -> dict[str, Tensor]:
    r"""The one term, by how many decibels the PSNR stays below 60, in the mean.

    .. math:: \mathrm{mean}_i\; 10 \log_{10} \left( 1 + \mathrm{mean}\,(\hat x_i - x_i)^2 / 10^{-6} \right)

    An image that is nearly right and one that is hardly to be saved count alike, and every channel is an image of its
    own. Light beyond white is not punished where the truth is white: how bright a lamp was, nobody knows.

    Args:
        output: the restored channels, laid along the batch or not.
        pairs: the batch.
    """
    sharp = pairs.sharp.flatten(0, 1)
    error = (output.reshape(sharp.shape).clamp_max(1) - sharp).square().mean(dim=(1, 2))
    return {"below_60_db": 10 * torch.log10(1 + error / _LEAST_ERROR).mean()}

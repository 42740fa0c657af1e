"""The loss that DWDN is trained with.

Source: Dong, Roth, Schiele, NeurIPS 2020.
"""

from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import interpolate, l1_loss

from nightsharp.methods.dwdn.network import DWDNOutput


def multi_scale_l1(output: DWDNOutput, sharp: Float[Tensor, "batch colour height width"]) -> Float[Tensor, ""]:
    r"""The mean absolute error at both scales.

    .. math:: L = \operatorname{mean}\left|\hat x_{1/2} - x\!\downarrow_2\right|
        + \operatorname{mean}\left|\hat x - x\right|

    Args:
        output: of :meth:`~nightsharp.methods.dwdn.DWDN.forward_all`.
        sharp: the true image x; halved by bilinear interpolation without antialiasing.

    Example:
        >>> import torch
        >>> x = torch.rand(1, 3, 8, 8)
        >>> float(multi_scale_l1(DWDNOutput(torch.nn.functional.avg_pool2d(x, 2), x + 0.5), x))
        0.5
    """
    size = (output.half.shape[-2], output.half.shape[-1])
    small = interpolate(sharp, size=size, mode="bilinear", align_corners=False)
    return l1_loss(output.half.float(), small) + l1_loss(output.full.float(), sharp)

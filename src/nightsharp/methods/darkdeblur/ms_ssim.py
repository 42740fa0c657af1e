"""Structural similarity over five scales as a loss sees it: Wang's, and what the release computes under that name."""

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import avg_pool2d, conv2d

Image = Float[Tensor, "batch channel height width"]

WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
_WINDOW, _SIGMA = 11, 1.5
_C1, _C2 = 0.01**2, 0.03**2
# The slope of a small power of 0 is not finite.
_LEAST = 1e-3


def ms_ssim(image: Image, other: Image) -> Float[Tensor, ""]:
    r"""Multi-scale structural similarity, data range 1, mean over images and channels.

    .. math:: l_5^{w_5} \prod_{j=1}^{5} (c_j s_j)^{w_j}

    Windows are 11 x 11 Gaussians (sigma 1.5) that fit inside; where a scale is smaller than that, the largest odd
    window that fits. A factor below 0.001 counts as 0.001 and has no gradient.

    Args:
        image: at least 16 x 16, range [0, 1].
        other: same shape.

    Example:
        >>> x = torch.rand(1, 3, 64, 64)
        >>> round(float(ms_ssim(x, x)), 5)
        1.0

    Source: Wang, Simoncelli and Bovik, 2003.
    """
    product = image.new_ones(())
    for scale, weight in enumerate(WEIGHTS):
        side = min(_WINDOW, *image.shape[-2:])
        whole, contrast = _maps(image, other, side - (side + 1) % 2, 1.0)
        factor = (whole if scale == len(WEIGHTS) - 1 else contrast).mean(dim=(2, 3))
        product = product * factor.clamp_min(_LEAST) ** weight
        image, other = _halved(image), _halved(other)
    return product.mean()


def released_ms_ssim(image: Image, other: Image) -> Float[Tensor, ""]:
    r"""What the release computes as MS-SSIM.

    .. math:: \Big(\prod_{j=1}^{4} \bar c_j^{\,w_j}\Big)\, \bar s_5^{\,4 w_5}, \qquad \bar v = (v + 1) / 2

    The coarsest similarity counts four times; the data range is guessed anew at each scale, 2 where ``image`` goes
    below -0.5 and else 1; the window shrinks to what it is laid on, off its centre where that is even.

    Args:
        image: at least 16 x 16, range [-1, 1].
        other: same shape.

    Example:
        >>> x = torch.rand(1, 3, 64, 64)
        >>> round(float(released_ms_ssim(x, x)), 5)
        1.0
    """
    product = image.new_ones(())
    for scale, weight in enumerate(WEIGHTS):
        span = 2.0 if float(image.detach().min()) < -0.5 else 1.0
        whole, contrast = _maps(image, other, min(_WINDOW, *image.shape[-2:]), span)
        if scale == len(WEIGHTS) - 1:
            return product * ((whole.mean() + 1) / 2) ** (4 * weight)
        product = product * ((contrast.mean() + 1) / 2) ** weight
        image, other = avg_pool2d(image, 2), avg_pool2d(other, 2)
    raise AssertionError


def _maps(image: Tensor, other: Tensor, side: int, span: float) -> tuple[Tensor, Tensor]:
    """SSIM, and its contrast-structure part, where a window of that side fits inside."""
    along = torch.arange(side, dtype=image.dtype, device=image.device) - side // 2
    window = torch.exp(-along.square() / (2 * _SIGMA**2))
    window = window / window.sum()
    shape = image.shape[:2]
    # all five moments in one separable convolution
    moments = torch.stack([image, other, image * image, other * other, image * other]).flatten(0, 2)[:, None]
    blurred = conv2d(conv2d(moments, window[None, None, :, None]), window[None, None, None, :])
    mx, my, xx, yy, xy = blurred.unflatten(0, (5, *shape)).squeeze(3)
    c1, c2 = _C1 * span**2, _C2 * span**2
    contrast = (2 * (xy - mx * my) + c2) / (xx - mx.square() + yy - my.square() + c2)
    return (2 * mx * my + c1) / (mx.square() + my.square() + c1) * contrast, contrast


def _halved(image: Tensor) -> Tensor:
    # an odd side is mirrored by one, as Wang's msssim.m does
    rows, columns = image.shape[-2] % 2, image.shape[-1] % 2
    image = torch.cat([image, image[..., image.shape[-2] - rows :, :]], dim=-2)
    return avg_pool2d(torch.cat([image, image[..., image.shape[-1] - columns :]], dim=-1), 2)

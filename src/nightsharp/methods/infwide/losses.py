"""The losses that INFWIDE is trained with, one function a term.

Source: Zhang et al., IEEE TIP 32, 2023; SSIM: Wang et al. 2004.
"""

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import conv2d, interpolate, l1_loss, mse_loss

from nightsharp.methods.infwide.network import INFWIDEOutput
from nightsharp.optics import psf_to_otf

Image = Float[Tensor, "batch colour height width"]
_WINDOW, _SIGMA = 11, 1.5
_C1, _C2 = 0.01**2, 0.03**2


class INFWIDELoss(NamedTuple):
    """The loss and its terms.

    Attributes:
        total: main + 0.5 denoise + 0.5 reblur.
        main: the restored image at both scales.
        denoise: the denoised, still blurred image.
        reblur: the restored image, blurred again.
    """

    total: Float[Tensor, ""]
    main: Float[Tensor, ""]
    denoise: Float[Tensor, ""]
    reblur: Float[Tensor, ""]


def infwide_loss(
    output: INFWIDEOutput, sharp: Image, clean: Image, psf: Float[Tensor, "#batch 1 kh kw"]
) -> INFWIDELoss:
    r"""All terms together.

    .. math:: L = \sum_{s \in \{1/2, 1\}} L_\mathrm{main}(\hat x_s, x\!\downarrow_s)
        + \tfrac12 L_\mathrm{denoise}(\hat b, b) + \tfrac12 \operatorname{mean}\left|k * \hat x_1 - b\right|

    Args:
        output: of :meth:`~nightsharp.methods.infwide.INFWIDE.forward_all`.
        sharp: the true image x.
        clean: the blurred image b before noise; not clipped, so that the denoiser learns what lies beyond saturation.
        psf: the true kernels k, sum 1.

    Example:
        >>> x = torch.full((1, 3, 32, 32), 0.5)
        >>> perfect = INFWIDEOutput(x[..., ::2, ::2], x, x)
        >>> round(float(infwide_loss(perfect, x, x, torch.ones(1, 1, 1, 1)).total), 6)
        0.0
    """
    size = (output.half.shape[-2], output.half.shape[-1])
    small = interpolate(sharp, size=size, mode="bilinear", align_corners=False)
    main = main_loss(output.half.float(), small) + main_loss(output.full.float(), sharp)
    denoise = denoise_loss(output.denoised.float(), clean)
    reblur = reblur_loss(output.full.float(), clean, psf)
    return INFWIDELoss(main + 0.5 * denoise + 0.5 * reblur, main, denoise, reblur)


def main_loss(restored: Image, sharp: Image) -> Float[Tensor, ""]:
    r"""The error of a restored image.

    .. math:: 0.4 \operatorname{mean}|o - t| + 0.2 \operatorname{mean}(o - t)^2 + 0.2\,(1 - \mathrm{SSIM}(o, t))
        + 0.2\,\mathrm{TV}(o)

    Example:
        >>> x = torch.full((1, 3, 16, 16), 0.5)
        >>> round(float(main_loss(x, x)), 6)
        0.0
    """
    return (
        0.4 * l1_loss(restored, sharp)
        + 0.2 * mse_loss(restored, sharp)
        + 0.2 * (1 - ssim(restored, sharp))
        + 0.2 * total_variation(restored)
    )


def denoise_loss(denoised: Image, clean: Image) -> Float[Tensor, ""]:
    r"""The error of the denoised image.

    .. math:: 0.5 \operatorname{mean}|o - t| + 0.3 \operatorname{mean}(o - t)^2 + 0.2\,\mathrm{TV}(o)

    Example:
        >>> x = torch.full((1, 3, 16, 16), 0.5)
        >>> float(denoise_loss(x + 1, x))
        0.8...
    """
    return 0.5 * l1_loss(denoised, clean) + 0.3 * mse_loss(denoised, clean) + 0.2 * total_variation(denoised)


def reblur_loss(restored: Image, clean: Image, psf: Float[Tensor, "#batch 1 kh kw"]) -> Float[Tensor, ""]:
    r"""What the restored image, blurred again with a circular border, differs from the blurred one.

    .. math:: \operatorname{mean}|k * o - b|

    Example:
        >>> x = torch.rand(1, 3, 16, 16)
        >>> bool(reblur_loss(x, x, torch.ones(1, 1, 1, 1)) < 1e-6)
        True
    """
    size = (restored.shape[-2], restored.shape[-1])
    again = torch.fft.irfft2(torch.fft.rfft2(restored) * psf_to_otf(psf.to(restored), size), s=size)
    return l1_loss(again, clean)


def total_variation(image: Image) -> Float[Tensor, ""]:
    r"""Squared differences of neighbours, each direction by the number of its pairs.

    .. math:: \frac{2}{B} \left( \frac{\sum (\nabla_y o)^2}{C\,(H - 1)\,W}
        + \frac{\sum (\nabla_x o)^2}{C\,H\,(W - 1)} \right)

    Example:
        >>> ramp = torch.arange(4.0).expand(1, 1, 4, 4)
        >>> float(total_variation(ramp))
        2.0
    """
    return 2 * (image.diff(dim=-2).square().mean() + image.diff(dim=-1).square().mean())


def ssim(image: Image, other: Image) -> Float[Tensor, ""]:
    r"""Structural similarity: 11 x 11 Gaussian windows that fit inside, sigma 1.5, data range 1, mean over all.

    .. math:: \frac{(2\mu_x\mu_y + C_1)(2\sigma_{xy} + C_2)}{(\mu_x^2 + \mu_y^2 + C_1)(\sigma_x^2 + \sigma_y^2 + C_2)}

    Args:
        image: at least 11 x 11.
        other: same shape.

    Example:
        >>> x = torch.rand(1, 3, 16, 16)
        >>> round(float(ssim(x, x)), 5)
        1.0
    """
    along = torch.arange(_WINDOW, dtype=image.dtype, device=image.device) - _WINDOW // 2
    window = torch.exp(-along.square() / (2 * _SIGMA**2))
    window = window / window.sum()
    # all five moments in one separable convolution
    moments = torch.stack([image, other, image * image, other * other, image * other]).flatten(0, 2)[:, None]
    blurred = conv2d(conv2d(moments, window[None, None, :, None]), window[None, None, None, :])
    mx, my, xx, yy, xy = blurred.unflatten(0, (5, -1))
    vx, vy, cov = xx - mx.square(), yy - my.square(), xy - mx * my
    similar = (2 * mx * my + _C1) * (2 * cov + _C2) / ((mx.square() + my.square() + _C1) * (vx + vy + _C2))
    return similar.mean()

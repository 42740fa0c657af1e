"""The data step: how an estimate has to change so that, blurred, it gives what was recorded."""

import torch
from jaxtyping import Float
from torch import Tensor

from nightsharp.methods._blocks import Canvas


def data_step(
    canvas: Canvas,
    estimate: Float[Tensor, "batch channel height width"],
    ratio: Float[Tensor, "#batch #channel 1 1"],
) -> Float[Tensor, "batch channel height width"]:
    r"""Draw an estimate towards the record, frequency by frequency as far as the PSF let light through.

    .. math:: x = z + \mathcal F^{-1}\!\left[ \frac{\overline{H}\, \mathcal F[e]}{|H|^2 + \rho} \right], \qquad
        e = w\,(y - k * z)

    It is the division that solves :math:`\min_x \|k * x - y\|^2 + \rho\, \|x - z\|^2` where everything was recorded.
    Where something was not, the missing light is taken as z has it, and the next turn knows better: an
    expectation-maximisation of the same problem.

    Args:
        canvas: the record y with its PSF k and trust w.
        estimate: z.
        ratio: rho, the variance of the noise over that of the estimate's error.

    Example:
        >>> from nightsharp.optics import Blur, line
        >>> sharp = torch.rand(1, 1, 32, 40, generator=torch.Generator().manual_seed(0))
        >>> blurred = Blur(line(5), "replicate")(sharp)
        >>> canvas = Canvas.around(blurred, line(5).kernel[None, None], clip=None)
        >>> nearer = data_step(canvas, blurred, torch.full((1, 1, 1, 1), 0.01))
        >>> bool((nearer - sharp).square().mean() < (blurred - sharp).square().mean())
        True

    Source: Zhang et al., "Plug-and-play image restoration with deep denoiser prior", TPAMI 2021, equation 18 (the
    division); Almeida and Figueiredo, IEEE TIP 2013 (the border as missing light).
    """
    lacking = canvas.lacking(estimate)
    spectrum = torch.fft.rfft2(lacking) * canvas.otf.conj() / (canvas.otf.abs().square() + ratio)
    return estimate + canvas.cut(torch.fft.irfft2(spectrum, s=(lacking.shape[-2], lacking.shape[-1])))

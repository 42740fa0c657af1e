"""How far an estimated PSF can be trusted, from what the estimate itself shows."""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from nightsharp.methods.map_psf.latent import latent_step, noise_weight
from nightsharp.methods.map_psf.observation import Canvas, gradients
from nightsharp.methods.map_psf.pyramid import Fit
from nightsharp.optics import psf_to_otf

# The weight of the prior under which PSFs are compared; strong, so that ringing costs gradients.
_JUDGED_AT = 2e-3
# Logistic regression of "error ratio at most 3" on log gain and agreement: 64 images of Levin's, both of Pan's and
# Lai's sets (benchmarks/confidence.py draws it). Of what is found now too few are wrong to fit it again (README).
_BIAS, _BY_GAIN, _BY_AGREEMENT = -10.1, 8.6, 11.0
# Gains below the first sharpen nothing, and what two ways agree on is then that there is nothing to be seen.
_NOTHING, _SOMETHING = 1.02, 1.10


@dataclass(frozen=True)
class Evidence:
    """What the confidence is weighed from.

    Attributes:
        sparsity: of the sharp image's gradients, mean over root mean square; lower is sharper.
        gain: sparsity with a point as PSF over sparsity with this PSF; above 1, the PSF sharpens.
        residual: root mean square of what re-blurring leaves unexplained, over the contrast.
        rim: part of the PSF's light on the edge of its window; much of it means the window was too small.
        agreement: the largest similarity to a PSF that another start or prior led to; two ways seldom agree on a wrong
            one.
    """

    sparsity: float
    gain: float
    residual: float
    rim: float
    agreement: float


def gather(fit: Fit, agreement: float) -> Evidence:
    """Look at a fit from all sides; how far another way led to it is known already."""
    canvas, kernel = fit.canvas, fit.kernel
    found = sparsity(canvas, kernel, fit.noise)
    inner = canvas.inner
    known = canvas.known[: inner[0], : inner[1]]
    otf = psf_to_otf(kernel, canvas.size)
    reblurred = torch.fft.irfft2(torch.fft.rfft2(fit.latent) * otf, s=canvas.size)
    misfit = (reblurred - canvas.light)[: inner[0], : inner[1]][known]
    light = canvas.light[: inner[0], : inner[1]][known]
    core = kernel[1:-1, 1:-1].sum() if kernel.shape[0] > 2 else kernel.sum()
    return Evidence(
        sparsity=found,
        gain=sparsity(canvas, torch.ones(1, 1), fit.noise) / max(found, 1e-6),
        residual=float(misfit.square().mean().sqrt() / light.std(correction=0).clamp_min(1e-6)) if len(light) else 0.0,
        rim=max(0.0, float(1 - core)),
        agreement=agreement,
    )


def judged_image(canvas: Canvas, kernel: Float[Tensor, "k k"], noise: float) -> Float[Tensor, "rows columns"]:
    """The sharp image by which a PSF is judged: under the same prior, whatever led to it."""
    return latent_step(canvas, kernel, max(_JUDGED_AT, noise_weight(noise)))[0]


def sparsity(canvas: Canvas, kernel: Float[Tensor, "k k"], noise: float) -> float:
    r"""How few gradients the sharp image under a PSF needs: :math:`\|\nabla x\|_1 / (\sqrt{n}\, \|\nabla x\|_2)`.

    Source: Krishnan et al., CVPR 2011: unlike most priors, it prefers the sharp image to the blurred one.
    """
    height, width = canvas.inner
    across, down = gradients(judged_image(canvas, kernel, noise))
    # clipped lamps and the wrapped border have gradients that nobody recorded
    length = torch.hypot(across, down)[: height - 1, : width - 1][canvas.known[: height - 1, : width - 1]]
    if not len(length):
        return 1.0
    return float(length.mean() / length.square().mean().sqrt().clamp_min(1e-6))


def similarity(one: Float[Tensor, "h1 w1"], other: Float[Tensor, "h2 w2"]) -> float:
    """The largest normalised cross-correlation of two PSFs over all shifts, in [0, 1].

    Example:
        >>> similarity(torch.eye(3), torch.eye(5)) > 0.77
        True

    Source: Hu and Yang, "Good regions to deblur", ECCV 2012, eq. (9).
    """
    size = (one.shape[0] + other.shape[0], one.shape[1] + other.shape[1])
    product = torch.fft.rfft2(one, s=size) * torch.fft.rfft2(other, s=size).conj()
    return float((torch.fft.irfft2(product, s=size).max() / (one.norm() * other.norm())).clamp(0, 1))


def weigh(evidence: Evidence) -> float:
    r"""The evidence in one number: how likely the squared error is within 3 times that with the true PSF.

    .. math:: c = \mathrm{clip}_{[0,1]}\frac{g - 1.02}{0.08} \cdot
        \frac{1}{1 + \exp(10.1 - 8.6 \ln g - 11\, a)}

    with the gain g and the agreement a. The re-blur residual and the PSFs asked for by halves of the picture do not
    tell right from wrong (a wrong PSF explains its own sharp image just as well), nor does the gain alone.
    """
    z = _BIAS + _BY_GAIN * math.log(max(evidence.gain, 1e-6)) + _BY_AGREEMENT * evidence.agreement
    visible = min(1.0, max(0.0, (evidence.gain - _NOTHING) / (_SOMETHING - _NOTHING)))
    return visible / (1 + math.exp(-z))

"""How far an estimated PSF can be trusted, from what the estimate itself shows."""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from nightsharp.methods.map_psf.kernel import cleaned, kernel_step
from nightsharp.methods.map_psf.latent import latent_step
from nightsharp.methods.map_psf.observation import Canvas, gradients
from nightsharp.methods.map_psf.pyramid import FINAL_RIDGE, Fit
from nightsharp.optics import psf_to_otf

# The weight of the prior under which PSFs are compared; strong, so that ringing costs gradients.
_JUDGED_AT = 2e-3
_STEEPNESS, _EVEN = 25.0, 1.17


@dataclass(frozen=True)
class Evidence:
    """What the confidence is weighed from.

    Attributes:
        sparsity: of the sharp image's gradients, mean over root mean square; lower is sharper.
        gain: sparsity with a point as PSF over sparsity with this PSF; above 1, the PSF sharpens.
        agreement: similarity of the PSFs that the left and the right half of the picture ask for, in [0, 1].
        residual: root mean square of what re-blurring leaves unexplained, over the contrast.
        rim: part of the PSF's light on the edge of its window; much of it means the window was too small.
    """

    sparsity: float
    gain: float
    agreement: float
    residual: float
    rim: float


def gather(fit: Fit) -> Evidence:
    """Look at a fit from all sides."""
    canvas, kernel = fit.canvas, fit.kernel
    found = sparsity(canvas, kernel)
    inner = canvas.inner
    known = canvas.known[: inner[0], : inner[1]]
    reblurred = _blur(fit.latent, kernel)
    misfit = (reblurred - canvas.light)[: inner[0], : inner[1]][known]
    light = canvas.light[: inner[0], : inner[1]][known]
    core = kernel[1:-1, 1:-1].sum() if kernel.shape[0] > 2 else kernel.sum()
    return Evidence(
        sparsity=found,
        gain=sparsity(canvas, torch.ones(1, 1)) / max(found, 1e-6),
        agreement=_agreement(fit),
        residual=float(misfit.square().mean().sqrt() / light.std().clamp_min(1e-6)),
        rim=float(1 - core),
    )


def sparsity(canvas: Canvas, kernel: Float[Tensor, "k k"]) -> float:
    r"""How few gradients the sharp image under a PSF needs: :math:`\|\nabla x\|_1 / (\sqrt{n}\, \|\nabla x\|_2)`.

    Source: Krishnan et al., CVPR 2011: unlike most priors, it prefers the sharp image to the blurred one.
    """
    height, width = canvas.inner
    latent, _ = latent_step(canvas, kernel, _JUDGED_AT)
    across, down = gradients(latent)
    # clipped lamps and the wrapped border have gradients that nobody recorded
    length = torch.hypot(across, down)[: height - 1, : width - 1][canvas.known[: height - 1, : width - 1]]
    if not len(length):
        return 1.0
    return float(length.mean() / length.square().mean().sqrt().clamp_min(1e-6))


def _agreement(fit: Fit) -> float:
    side = fit.kernel.shape[0]
    start = torch.full((side, side), 1 / side**2)
    middle = fit.canvas.inner[1] // 2
    halves = []
    for left in (True, False):
        own = torch.zeros_like(fit.latent)
        own[:, :middle] = left
        own[:, middle : fit.canvas.inner[1]] = not left
        # what the other half adds to the blurred picture is taken as explained
        unexplained = fit.filled - _blur(fit.latent * (1 - own), fit.kernel)
        halves.append(cleaned(kernel_step(fit.latent * own, unexplained, start, least_edge=0, ridge=FINAL_RIDGE)))
    return similarity(halves[0], halves[1])


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
    """The evidence in one number."""
    return 1 / (1 + math.exp(-_STEEPNESS * (evidence.gain - _EVEN)))


def _blur(image: Tensor, kernel: Tensor) -> Tensor:
    size = (image.shape[0], image.shape[1])
    return torch.fft.irfft2(torch.fft.rfft2(image) * psf_to_otf(kernel, size), s=size)

"""The sharp-image step: the picture made of soft steps that best explains the photograph under the present PSF."""

import math

import skimage.filters
import torch
from jaxtyping import Float
from torch import Tensor

from nightsharp.methods.map_psf.observation import Canvas, gradients
from nightsharp.optics import psf_to_otf

# Half-quadratic splitting: the coupling starts at 2 lambda and grows until the split gradients agree.
_COUPLING_GROWTH = 3.0
_COUPLING_END = 1e4
# No lens and no pixel draws a step: a camera's own softness, as the sigma of a Gaussian in pixels.
CAMERA_SOFTNESS = 0.7
# A step of noise explains a few pixels' worth of variance.
_NOISE_COST = 4.0
# Pull towards a tone never outweighs the photograph by more than this.
_MOST_PULL = 8.0
# Every so manyth pixel a side tells the tones.
_TONES_STEP = 3


def latent_step(
    canvas: Canvas,
    kernel: Float[Tensor, "k k"],
    weight: float,
    softness: float = CAMERA_SOFTNESS,
    tones: float = 0.0,
) -> tuple[Float[Tensor, "rows columns"], Float[Tensor, "rows columns"]]:
    r"""Minimise over the latent image u, by half-quadratic splitting with closed-form steps.

    .. math:: \min_u \| k * g * u - y \|_2^2 + \lambda \left( \| \nabla u \|_0
        + \tau \| \min_i | u - t_i | \|_0 \right)

    ``g`` is a narrow Gaussian, the softness of any real camera. Without it u is sharper than the scene was recorded,
    and the PSF step hands that difference to the PSF. The last term is for print: a page is ink and paper and little
    between, so every pixel that is neither costs; its two tones t are told from the present u. Unknown pixels of y take
    the values that the present u predicts.

    Args:
        canvas: the photograph y.
        kernel: the present PSF k, odd sides, sum 1.
        weight: lambda, > 0, for images of contrast about 0.2.
        softness: sigma of g, pixels.
        tones: tau; 0 for a picture of any tones.

    Returns:
        ``g * u``, the sharp image as the camera would see it, and y with its unknown pixels filled.

    Source: Xu et al., "Image smoothing via L0 gradient minimization", 2011, algorithm 1, with a blur in the data
    term as in Pan et al., CVPR 2014, sec. 3.1; their intensity prior pulls to black, this one to ink and to paper.
    """
    size = canvas.size
    soft = _gaussian(size, softness).to(canvas.light)
    otf = psf_to_otf(kernel, size) * soft
    power = otf.abs() ** 2
    curvature = _negative_laplacian(size).to(canvas.light)
    filled = canvas.light
    steps = torch.fft.rfft2(filled)
    latent = filled
    coupling = 2 * weight
    pull = 0.0
    while coupling < _COUPLING_END:
        across, down = gradients(latent)
        flat = across.square() + down.square() < weight / coupling
        across, down = across.masked_fill_(flat, 0), down.masked_fill_(flat, 0)
        back = torch.roll(across, 1, 1) - across + torch.roll(down, 1, 0) - down
        explained = otf.conj() * torch.fft.rfft2(filled) + coupling * torch.fft.rfft2(back)
        if tones > 0:
            pull = min(coupling, _MOST_PULL)
            near = math.sqrt(tones * weight / pull)
            explained += pull * torch.fft.rfft2(_toned(latent, canvas.inner, near))
        steps = explained / (power + coupling * curvature + pull)
        latent = torch.fft.irfft2(steps, s=size)
        filled = canvas.filled(torch.fft.irfft2(otf * steps, s=size))
        coupling *= _COUPLING_GROWTH
    return torch.fft.irfft2(soft * steps, s=size), filled


def two_tones(light: Float[Tensor, " pixels"]) -> tuple[float, float]:
    """The means of the darker and of the brighter pixels, ink and paper of a page.

    Example:
        >>> two_tones(torch.tensor([0.0, 0.25, 0.75, 0.75, 1.0, 1.0]))
        (0.125, 0.875)

    Source: Otsu, "A threshold selection method from gray-level histograms", 1979, for where to part them.
    """
    if float(light.max()) <= float(light.min()):
        return float(light[0]), float(light[0])
    dark = light <= float(skimage.filters.threshold_otsu(light.numpy()))
    return float(light[dark].mean()), float(light[~dark].mean())


def _toned(latent: Tensor, inner: tuple[int, int], reach: float) -> Tensor:
    """The image with every pixel that is near one of its two tones set to it."""
    seen = latent[: inner[0] : _TONES_STEP, : inner[1] : _TONES_STEP].flatten()
    dark, bright = two_tones(seen)
    nearest = torch.where(latent < (dark + bright) / 2, dark, bright)
    return torch.where((latent - nearest).abs() < reach, nearest, latent)


def noise_weight(sigma: float) -> float:
    """The least weight at which a gradient that is only noise costs more than it explains."""
    return _NOISE_COST * sigma**2


def _gaussian(size: tuple[int, int], sigma: float) -> Tensor:
    """The transfer function of a Gaussian."""
    down, across = torch.fft.fftfreq(size[0])[:, None], torch.fft.rfftfreq(size[1])[None]
    return torch.exp(-2 * (math.pi * sigma) ** 2 * (down.square() + across.square()))


def _negative_laplacian(size: tuple[int, int]) -> Tensor:
    """The spectrum of the sum of squared forward differences."""
    down, across = torch.fft.fftfreq(size[0])[:, None], torch.fft.rfftfreq(size[1])[None]
    return 4 - 2 * torch.cos(2 * math.pi * down) - 2 * torch.cos(2 * math.pi * across)

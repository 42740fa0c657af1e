"""Blur and noise for sets that give sharp images only."""

from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from nightsharp.evaluation.benchmarks.pair import Pair
from nightsharp.optics import Blur, Psf


def blurred_pair(
    sharp: Float[Tensor, "channel height width"],
    psf: Psf,
    *,
    noise: float,
    boundary: Literal["valid", "circular"],
    generator: torch.Generator,
) -> Pair:
    """Blur, add Gaussian noise, clip, round to 8 bits.

    Args:
        sharp: the truth, range [0, 1].
        psf: the blur.
        noise: standard deviation, range [0, 1].
        boundary: ``"valid"`` uses nothing beyond the image, so the pair is smaller by the PSF; ``"circular"`` wraps.
        generator: of the noise.

    Example:
        >>> from nightsharp.optics import disk
        >>> from nightsharp.synthesis import generator_for
        >>> made = blurred_pair(
        ...     torch.rand(1, 20, 20), disk(2), noise=0.01, boundary="valid", generator=generator_for(0)
        ... )
        >>> made.blurred.shape, made.sharp.shape
        (torch.Size([1, 16, 16]), torch.Size([1, 16, 16]))
    """
    clean = Blur(psf, boundary)(sharp[None])[0]
    noisy = clean + noise * torch.randn(clean.shape, generator=generator)
    blurred = (noisy.clamp(0, 1) * 255).round() / 255
    if boundary == "valid":
        kh, kw = psf.size
        top, left = kh - 1 - kh // 2, kw - 1 - kw // 2
        sharp = sharp[:, top : top + clean.shape[1], left : left + clean.shape[2]]
    return Pair(blurred, sharp.contiguous(), psf)

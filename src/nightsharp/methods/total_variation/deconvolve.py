"""Total-variation deconvolution by ADMM."""

import torch
from jaxtyping import Float
from torch import Tensor

from nightsharp.methods._blocks import (
    CLIPPED,
    Cancel,
    Canvas,
    Progress,
    measured_contrast,
    mildness,
    minimise,
    noise_level,
)

# Fitted like the hyper-Laplacian's (see there): lambda at a noise of 0.62 %, its fall with the noise, ADMM's penalty.
_WEIGHT, _AT_SIGMA, _FALL = 4.8, 0.0062, 0.45
_PENALTY = 200.0
_CONTRAST = 0.22


@torch.no_grad()
def total_variation(
    blurred: Float[Tensor, "batch channel height width"],
    psf: Float[Tensor, "#batch 1 kh kw"],
    *,
    sigma: float | Tensor | None = None,
    strength: float = 1.0,
    clip: float | None = CLIPPED,
    contrast: Tensor | None = None,
    weight: Tensor | None = None,
    iterations: int = 30,
    tolerance: float = 5e-4,
    progress: Progress | None = None,
    cancel: Cancel | None = None,
) -> Float[Tensor, "batch channel height width"]:
    r"""Deconvolve into a piecewise smooth image.

    .. math:: \min_x\; \frac{1}{2\sigma^2} \| k * x - y \|_w^2 + \lambda \sum_p \| \nabla x(p) \|_2, \quad x \ge 0

    Args:
        blurred: range [0, 1].
        psf: convolution kernel, sum 1, centre at ``k // 2``; one for all or one per image.
        sigma: standard deviation of the noise, in the image's range; estimated when None.
        strength: > 0; the noise is taken as ``sigma / strength``, so above 1 is sharper and noisier.
        clip: the value from which a pixel counts as saturated; None trusts all.
        contrast: standard deviation of the whole image, where ``blurred`` is a tile of it; measured when None.
        weight: how far each pixel can be trusted beside the others, same shape, in [0, 1]; fully when None.
        iterations: ADMM steps at most.
        tolerance: an image is done when a step changes it by less than this part of its contrast.
        progress: told after each step.
        cancel: asked after each step.

    Returns:
        The latent image, same shape, without a gradient; lamps may exceed 1.

    Raises:
        PsfError: the PSF is larger than the image.
        UsageError: ``sigma``, ``strength`` or ``iterations`` is out of its range.
        Cancelled: ``cancel`` answered True.

    Example:
        >>> import torch
        >>> from nightsharp.optics import Blur, disk
        >>> sharp = torch.zeros(1, 1, 48, 48); sharp[..., 16:32, 16:32] = 0.8
        >>> blurred = Blur(disk(3), boundary="replicate")(sharp)
        >>> restored = total_variation(blurred, disk(3).kernel[None, None], sigma=0.002)
        >>> bool((restored - sharp).square().mean() < 0.1 * (blurred - sharp).square().mean())
        True

    Source: Rudin, Osher, Fatemi 1992 (the prior); Almeida and Figueiredo 2013 (ADMM with an unknown border).
    """
    level = noise_level(blurred, sigma, strength)
    canvas = Canvas.around(blurred, psf, clip, weight)
    scale = (measured_contrast(blurred, contrast) / _CONTRAST).clamp_min(1e-3)
    relative = level / scale
    weight = _WEIGHT * mildness(psf) * (relative / _AT_SIGMA) ** -_FALL * scale
    # one for all channels, as the length that it is compared with
    threshold = (weight / _PENALTY).mean(dim=1, keepdim=True)

    def shrink(squared: Tensor) -> Tensor:
        return squared.clamp_min_(1e-16).rsqrt_().mul_(-threshold).add_(1).clamp_min_(0)

    latent = minimise(
        canvas,
        (shrink,),
        _PENALTY * relative.square(),
        iterations=iterations,
        tolerance=tolerance,
        progress=progress,
        cancel=cancel,
    )
    return canvas.cut(latent)

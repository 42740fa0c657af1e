"""Deconvolution with a hyper-Laplacian prior on first and second derivatives."""

import torch
from jaxtyping import Float
from torch import Tensor

from nightsharp.methods._blocks import (
    CLIPPED,
    Cancel,
    Canvas,
    Progress,
    Shrink,
    measured_contrast,
    mildness,
    minimise,
    noise_level,
)

# The exponent of the prior (natural images: 0.5 to 0.8) and the part that the three second derivatives carry.
_EXPONENT = 0.8
_SECOND = 0.25
# Fitted on Berkeley training photographs, 8 motion PSFs, noise 0.25 to 6 %: the best weight falls with the noise.
_WEIGHT, _AT_SIGMA, _FALL = 2.0, 0.0062, 0.5
_PENALTY = 200.0
# The contrast of those photographs; another is handled as if it were exposed like them.
_CONTRAST = 0.22


@torch.no_grad()
def hyper_laplacian(
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
    r"""Deconvolve under the heavy-tailed statistics of natural gradients.

    .. math:: \min_x\; \frac{1}{2\sigma^2} \| k * x - y \|_w^2
        + \lambda \sum_{f} c_f\, \| D_f x \|_{0.8}^{0.8}, \qquad
        D_f \in \{\partial_x, \partial_y, \partial_{xx}, \partial_{yy}, \partial_{xy}\}

    The first derivatives keep edges sharp, the second keep slopes from turning into stairs. The minimisation is ADMM
    (``_blocks.splitting``) with the p-shrinkage of Chartrand as the prior's step; saturated pixels bind one-sidedly,
    and the image beyond the border is unknown.

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
        >>> from nightsharp.optics import Blur, line
        >>> sharp = torch.zeros(1, 1, 48, 48); sharp[..., 16:32, 16:32] = 0.8
        >>> blurred = Blur(line(9), boundary="replicate")(sharp)
        >>> restored = hyper_laplacian(blurred, line(9).kernel[None, None], sigma=0.002)
        >>> bool((restored - sharp).square().mean() < 0.1 * (blurred - sharp).square().mean())
        True

    Source: Levin et al., SIGGRAPH 2007, appendix A (the five derivatives); Krishnan and Fergus, NIPS 2009 (the
    prior); Chartrand, ISBI 2009 (p-shrinkage).
    """
    level = noise_level(blurred, sigma, strength)
    canvas = Canvas.around(blurred, psf, clip, weight)
    scale = (measured_contrast(blurred, contrast) / _CONTRAST).clamp_min(1e-3)
    relative = level / scale
    weight = _WEIGHT * mildness(psf) * (relative / _AT_SIGMA) ** -_FALL * scale ** (2 - _EXPONENT)
    # one for all channels, as the length that it is compared with
    threshold = (weight / _PENALTY).mean(dim=1, keepdim=True)

    def shrink(part: float) -> Shrink:
        return lambda squared: _shrink(squared, part * threshold)

    latent = minimise(
        canvas,
        (shrink(1.0), shrink(_SECOND)),
        _PENALTY * relative.square(),
        iterations=iterations,
        tolerance=tolerance,
        progress=progress,
        cancel=cancel,
    )
    return canvas.cut(latent)


def _shrink(squared: Tensor, threshold: Tensor) -> Tensor:
    r"""p-shrinkage by the length |g|, as a factor: :math:`\max(0,\; 1 - t\,|g|^{p-2})`; soft thresholding at p = 1."""
    return squared.clamp_min_(1e-16).pow_(_EXPONENT / 2 - 1).mul_(-threshold).add_(1).clamp_min_(0)

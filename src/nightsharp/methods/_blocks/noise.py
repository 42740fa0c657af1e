"""The noise level that a method works with."""

import torch
from jaxtyping import Float
from torch import Tensor

from nightsharp.errors import UsageError
from nightsharp.optics import estimate_sigma

# Rounding to 8 bits alone has 0.0011; below that the Fourier division would trust more than any file holds.
_FLOOR = 0.001
# No PSF is exact and no camera linear: on captured images the residual of the true PSF is about 3 % of the contrast.
_MODEL_ERROR = 0.03


def noise_level(
    blurred: Float[Tensor, "batch channel height width"], sigma: float | Tensor | None, strength: float
) -> Float[Tensor, "batch channel 1 1"]:
    """The standard deviation to assume: given or estimated, divided by the wanted strength, not below rounding.

    An estimate joins the measured noise with what an inexact PSF leaves unexplained, a part of the contrast. A given
    ``sigma`` is taken as it is: one number, one for each image of the batch, else one for each channel; where there are
    as many images as channels, a shape of (batch, channel, 1, 1) says which.

    Raises:
        UsageError: ``sigma`` is negative or not finite, or ``strength`` is not positive.

    Example:
        >>> float(noise_level(torch.zeros(1, 1, 8, 8), 0.02, strength=2.0))
        0.009999999776482582
    """
    if not 0 < strength < float("inf"):
        raise UsageError(f"strength is {strength}; it must be above 0 (1 is the measured noise, 2 twice as sharp).")
    if sigma is None:
        level = (estimate_sigma(blurred).square() + model_error(blurred).square()).sqrt()
    else:
        level = torch.as_tensor(sigma, dtype=blurred.dtype, device=blurred.device)
        if not bool(((level >= 0) & level.isfinite()).all()):
            raise UsageError(f"sigma is {sigma}; a standard deviation is a number of 0 or more.")
        if level.ndim < 4:
            level = level.reshape(-1, 1, 1, 1) if level.numel() == blurred.shape[0] else level.reshape(1, -1, 1, 1)
        level = level.expand(blurred.shape[0], blurred.shape[1], 1, 1)
    return (level / strength).clamp_min(_FLOOR)


def model_error(
    blurred: Float[Tensor, "batch channel height width"], contrast: Tensor | None = None
) -> Float[Tensor, "batch 1 1 1"]:
    """The standard deviation of what the best PSF one can have leaves unexplained, by the contrast, measured or given.

    Example:
        >>> round(float(model_error(torch.tensor([[[[0.0, 1.0]]]]))), 3)
        0.015
    """
    return _MODEL_ERROR * measured_contrast(blurred, contrast)


def measured_contrast(
    blurred: Float[Tensor, "batch channel height width"], given: Tensor | None = None
) -> Float[Tensor, "batch 1 1 1"]:
    """The standard deviation of an image over all its pixels and channels: the scale of what is to be restored.

    A ``given`` one is taken: that of the whole image when ``blurred`` is a tile.

    Example:
        >>> float(measured_contrast(torch.tensor([[[[0.0, 1.0]]]])))
        0.5
    """
    if given is not None:
        return given.to(blurred).reshape(-1, 1, 1, 1).expand(blurred.shape[0], 1, 1, 1)
    return blurred.std(dim=(1, 2, 3), keepdim=True, correction=0)


def root_mean_square(image: Float[Tensor, "batch channel height width"]) -> Float[Tensor, "batch 1 1 1"]:
    """Of each image, over all its pixels and channels.

    Example:
        >>> float(root_mean_square(torch.tensor([[[[3.0, 4.0, 0.0, 0.0]]]])))
        2.5
    """
    return image.square().mean(dim=(1, 2, 3), keepdim=True).sqrt()


def mildness(psf: Float[Tensor, "#batch 1 kh kw"]) -> Float[Tensor, "#batch 1 1 1"]:
    r"""How much stronger a prior should be for a mild blur: :math:`1 + 4 \min(1, 3 \sum k^2)`, 1 (wide) to 5 (no blur).

    Where a PSF kills the high frequencies, noise there cannot return and a strong prior only takes detail; where it
    lets them pass, the noise comes along and must be held by the prior. Fitted on Berkeley training photographs with
    7 PSFs and noise of 0.5 to 6 %.

    Example:
        >>> float(mildness(torch.ones(1, 1, 1, 1)))
        5.0
    """
    return 1 + 4 * (3 * psf.square().sum(dim=(-2, -1), keepdim=True)).clamp_max(1)

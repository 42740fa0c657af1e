"""What lies beyond the border of a photograph: index rules and edge tapering."""

from typing import Literal

import torch
from jaxtyping import Float, Int
from torch import Tensor

from nightsharp.optics.fourier import psf_to_otf


def border_index(length: int, before: int, after: int, mode: Literal["replicate", "reflect"]) -> Int[Tensor, " padded"]:
    """Which pixel stands at each place of an axis that is extended by ``before`` and ``after``.

    ``reflect`` mirrors about the edge pixel without repeating it, as often as the margin needs.

    Args:
        length: pixels along the axis, >= 1.
        before: pixels to add in front, >= 0.
        after: pixels to add behind, >= 0.
        mode: the rule.

    Returns:
        ``before + length + after`` places in ``[0, length)``.

    Example:
        >>> border_index(4, 2, 3, "reflect").tolist()
        [2, 1, 0, 1, 2, 3, 2, 1, 0]
    """
    place = torch.arange(-before, length + after)
    if mode == "replicate" or length == 1:
        return place.clamp(0, length - 1)
    period = 2 * (length - 1)
    place = place % period
    return torch.minimum(place, period - place)


def edge_taper(
    image: Float[Tensor, "batch channel height width"], psf: Float[Tensor, "#batch #channel kh kw"]
) -> Float[Tensor, "batch channel height width"]:
    r"""Fade the border into its own circular blur, so that a circular deconvolution rings less there.

    .. math:: \alpha\, y + (1 - \alpha)\, (k \circledast y)

    where :math:`1 - \alpha` is the PSF's normalised autocorrelation at the distance from the border, along each axis:
    1 on the outermost pixels, 0 beyond one PSF's length from them.

    Args:
        image: any range.
        psf: convolution kernel, non-negative, sum 1, not larger than the image.

    Returns:
        The tapered image, same shape.

    Raises:
        PsfError: the PSF is larger than the image.

    Example:
        >>> flat = torch.full((1, 1, 32, 32), 0.5)
        >>> torch.allclose(edge_taper(flat, torch.full((1, 1, 5, 5), 1 / 25)), flat, atol=1e-6)
        True

    Source: Reeves, "Fast image restoration without boundary artifacts", 2005, describes the practice.
    """
    size = (image.shape[-2], image.shape[-1])
    kernel = psf.to(image)
    blurred = torch.fft.irfft2(torch.fft.rfft2(image) * psf_to_otf(kernel, size), s=size)
    alpha = (1 - _fade(kernel.sum(-1), size[0]))[..., :, None] * (1 - _fade(kernel.sum(-2), size[1]))[..., None, :]
    return alpha * image + (1 - alpha) * blurred


def _fade(profile: Tensor, length: int) -> Tensor:
    """The autocorrelation of a PSF's profile at each pixel's distance from the nearer end of an axis."""
    reach = profile.shape[-1]
    spectrum = torch.fft.rfft(profile, n=2 * reach)
    correlation = torch.fft.irfft(spectrum.abs().square(), n=2 * reach)
    place = torch.arange(length, device=profile.device)
    distance = torch.minimum(place, length - 1 - place).clamp_max(reach)
    return correlation[..., distance] / correlation[..., :1]

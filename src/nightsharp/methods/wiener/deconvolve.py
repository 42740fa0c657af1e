"""Wiener deconvolution: the best linear estimate, for a circular image and for a real one."""

import torch
from jaxtyping import Float
from torch import Tensor

from nightsharp.errors import UsageError
from nightsharp.methods._blocks import (
    CLIPPED,
    Cancel,
    Canvas,
    Progress,
    measured_contrast,
    minimise,
    noise_level,
    power,
    tick,
)
from nightsharp.optics import psf_to_otf

# Measured on Berkeley training photographs: real spectra fall more steeply than 1 / f^2, which leaves less at high f.
_STEEPER = 0.55
# var(x) = A * mean(1 / |D|^2) over all frequencies but the mean. It grows with the logarithm of the size; that of
# 512 x 512 is taken for all, else a tile would be restored less firmly than the whole.
_ROUGHNESS = 1.121


def wiener_filter(
    blurred: Float[Tensor, "batch channel height width"],
    psf: Float[Tensor, "#batch 1 kh kw"],
    nsr: Float[Tensor, "#batch #channel #height #half"] | float,
) -> Float[Tensor, "batch channel height width"]:
    r"""Deconvolve by one division, circular boundary.

    .. math:: \hat x = \mathcal F^{-1}\!\left[ \frac{\overline{H}\, \mathcal F[y]}{|H|^2 + n} \right]

    Args:
        blurred: the blurred image y, any range.
        psf: convolution kernel, sum 1, centre at ``k // 2``.
        nsr: noise-to-signal power ratio n, > 0; one number, one per channel, or one per frequency (half spectrum).

    Returns:
        The estimate, same shape and range as ``blurred``.

    Raises:
        PsfError: the PSF is larger than the image.

    Example:
        >>> sharp = torch.rand(1, 3, 32, 32)
        >>> identity = torch.zeros(1, 1, 3, 3); identity[..., 1, 1] = 1
        >>> torch.allclose(wiener_filter(sharp, identity, 1e-9), sharp, atol=1e-5)
        True

    Source: Wiener 1949; as in Dong et al., NeurIPS 2020, eq. (3).
    """
    size = (blurred.shape[-2], blurred.shape[-1])
    otf = psf_to_otf(psf.to(blurred), size)
    return _divide(blurred, otf, nsr)


@torch.no_grad()
def wiener(
    blurred: Float[Tensor, "batch channel height width"],
    psf: Float[Tensor, "#batch 1 kh kw"],
    *,
    nsr: float | None = None,
    sigma: float | Tensor | None = None,
    strength: float = 1.0,
    clip: float | None = CLIPPED,
    contrast: Tensor | None = None,
    weight: Tensor | None = None,
    iterations: int = 12,
    tolerance: float = 1e-3,
    progress: Progress | None = None,
    cancel: Cancel | None = None,
) -> Float[Tensor, "batch channel height width"]:
    r"""Deconvolve a real photograph with the Wiener filter: unknown border, saturated pixels, measured noise.

    .. math:: \min_x\; \tfrac12 \| k * x - y \|_w^2 + \tfrac12 \sum_f n(f)\, |X(f)|^2, \qquad
        n(f) = \sigma^2 / S_{xx}(f), \quad S_{xx}(f) = A / |D(f)|^2

    Natural images have power that falls with the square of the frequency; A follows from the contrast of the image
    itself. With all weights 1 the answer is one division; the iterations are for the border and for lamps.

    Args:
        blurred: range [0, 1].
        psf: convolution kernel, sum 1, centre at ``k // 2``; one for all or one per image.
        nsr: one noise-to-signal power ratio for all frequencies instead of the measured one, > 0.
        sigma: standard deviation of the noise, in the image's range; estimated when None.
        strength: > 0; the noise is taken as ``sigma / strength``, so above 1 is sharper and noisier.
        clip: the value from which a pixel counts as saturated; None trusts all.
        contrast: standard deviation of the whole image, where ``blurred`` is a tile of it; measured when None.
        weight: how far each pixel can be trusted beside the others, same shape, in [0, 1]; fully when None.
        iterations: steps at most; 1 is the plain division, which takes the border and lamps as they were recorded.
        tolerance: an image is done when a step changes it by less than this part of its contrast.
        progress: told after each step.
        cancel: asked after each step.

    Returns:
        The latent image, same shape, without a gradient; lamps may exceed 1.

    Raises:
        PsfError: the PSF is larger than the image.
        UsageError: ``sigma``, ``strength``, ``nsr`` or ``iterations`` is out of its range.
        Cancelled: ``cancel`` answered True.

    Example:
        >>> from nightsharp.optics import Blur, line
        >>> sharp = torch.zeros(1, 1, 48, 48); sharp[..., 16:32, 16:32] = 0.8
        >>> blurred = Blur(line(5), boundary="replicate")(sharp)
        >>> restored = wiener(blurred, line(5).kernel[None, None], sigma=0.002)
        >>> bool((restored - sharp).square().mean() < 0.5 * (blurred - sharp).square().mean())
        True

    Source: Wiener 1949; Hunt 1973 (the smoothness spectrum); Almeida and Figueiredo 2013 (the border).
    """
    canvas = Canvas.around(blurred, psf, clip, weight)
    size = (canvas.observed.shape[-2], canvas.observed.shape[-1])
    level = noise_level(blurred, sigma if nsr is None else 0.0, strength)
    if nsr is None:
        gradient = (power("x", size) + power("y", size)).to(blurred)
        amplitude = _STEEPER * measured_contrast(blurred, contrast).square() / _ROUGHNESS
        ridge = level.square() / amplitude.clamp_min(1e-8) * gradient
    elif nsr > 0:
        ridge = (nsr / strength**2) * blurred.new_ones(*blurred.shape[:2], size[0], size[1] // 2 + 1)
    else:
        raise UsageError(f"nsr is {nsr}; a noise-to-signal power ratio is above 0 (0.01 is common).")
    if iterations == 1:
        divided = canvas.cut(_divide(canvas.observed, canvas.otf, ridge))
        tick(1, 1, progress, cancel)
        return divided
    latent = minimise(
        canvas,
        (),
        blurred.new_zeros(*blurred.shape[:2], 1, 1),
        ridge=ridge,
        nonnegative=False,
        iterations=iterations,
        tolerance=tolerance,
        progress=progress,
        cancel=cancel,
    )
    return canvas.cut(latent)


def _divide(image: Tensor, otf: Tensor, nsr: Tensor | float) -> Tensor:
    gain = otf.conj() / (otf.abs().square() + nsr)
    return torch.fft.irfft2(torch.fft.rfft2(image) * gain, s=(image.shape[-2], image.shape[-1]))

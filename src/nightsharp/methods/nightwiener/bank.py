"""What the classical estimate left unexplained, deconvolved at several strengths: all that the network sees."""

import torch
from jaxtyping import Float
from torch import Tensor

from nightsharp.methods._blocks import CLIPPED, Canvas, measured_contrast, power, trust

STRENGTHS = (0.1, 1.0, 10.0)
"""Regularisation of the divisions, in units of the noise-to-signal ratio that a natural image has."""

VIEWS = 11
"""How many images the network sees for each channel."""

# as in the Wiener filter of this house: A / |D|^2 with A from the contrast
_NATURAL = 0.5


def views(
    blurred: Float[Tensor, "batch channel height width"],
    psf: Float[Tensor, "#batch 1 kh kw"],
    start: Float[Tensor, "batch channel height width"],
    level: Float[Tensor, "batch channel 1 1"],
    *,
    clip: float | None = CLIPPED,
    contrast: Tensor | None = None,
    weight: Float[Tensor, "batch channel height width"] | None = None,
) -> Float[Tensor, "planes 11 height width"]:
    r"""Deconvolve the residual of the classical estimate by divisions of several strengths.

    .. math:: e = w\,(y - k * x_0), \qquad r_i = \mathcal F^{-1}\!\left[
        \frac{\overline{H}\,\mathcal F[e]}{|H|^2 + s_i\,(\sigma^2 / A)\,|D|^2} \right]

    Border and saturation are in the residual, see :meth:`Canvas.lacking`.

    Args:
        blurred: range [0, 1].
        psf: convolution kernel, sum 1, centre at ``k // 2``.
        start: the classical estimate x_0.
        level: standard deviation of the noise, in the image's range.
        clip: the value from which a pixel counts as saturated; None trusts all.
        contrast: standard deviation of the whole image, where ``blurred`` is a tile of it.
        weight: how far each pixel can be trusted beside the others, in [0, 1]; fully when None.

    Returns:
        What the network sees, channels laid along the batch. Every view is in the units of the photograph: half the
        light with half the noise gives half of everything. In order: the estimate; the photograph; the three
        residuals; over all channels the mean of the estimate and of the second residual; the photograph where it is
        saturated; the noise of each pixel; the noise that the first two divisions let through.
    """
    height, width = blurred.shape[-2:]
    canvas = Canvas.around(blurred, psf, clip, weight)
    size = (canvas.observed.shape[-2], canvas.observed.shape[-1])
    lacking = canvas.lacking(start)

    amplitude = _NATURAL * measured_contrast(blurred, contrast).square()
    gradient = (power("x", size) + power("y", size)).to(blurred)
    natural = level.square() / amplitude.clamp_min(1e-8) * gradient + 1e-6
    gain = canvas.otf.abs().square()
    spectrum = torch.fft.rfft2(lacking) * canvas.otf.conj()
    residuals, noises = [], []
    for strength in STRENGTHS:
        inverse = 1 / (gain + strength * natural)
        residuals.append(torch.fft.irfft2(spectrum * inverse, s=size)[..., :height, :width])
        noises.append(level * (gain * inverse.square()).mean(dim=(-2, -1), keepdim=True).sqrt())

    saturated = blurred * (1 - trust(blurred, clip))
    local = level.expand_as(blurred) if weight is None else level / weight.clamp_min(1e-3).sqrt()
    seen = [
        start,
        blurred,
        *residuals,
        start.mean(dim=1, keepdim=True).expand_as(start),
        residuals[1].mean(dim=1, keepdim=True).expand_as(start),
        saturated,
        local,
        noises[0].expand_as(start),
        noises[1].expand_as(start),
    ]
    return torch.stack(seen, dim=2).flatten(0, 1)

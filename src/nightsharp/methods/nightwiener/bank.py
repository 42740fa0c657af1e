"""Two estimates, and what they left unexplained, deconvolved at several strengths: all that the network sees."""

import torch
from jaxtyping import Float
from torch import Tensor

from nightsharp.methods._blocks import Canvas, power

STRENGTHS = (0.1, 1.0, 10.0)
"""Regularisation of the divisions, in units of the noise-to-signal ratio that a natural image has."""

VIEWS = 15
"""How many images the network sees for each channel."""

TURNED = 13
"""Which of them is the estimate of the turns."""

# What is said of the finest and of the softest scenes, in decades; the network has seen none beyond.
_FINEST, _SOFTEST = -1.5, -4.0

# as in the Wiener filter of this house: A / |D|^2 with A from the contrast
_NATURAL = 0.5


def views(
    canvas: Canvas,
    start: Float[Tensor, "batch channel height width"],
    turned: Float[Tensor, "batch channel height width"],
    level: Float[Tensor, "batch channel 1 1"],
    contrast: Float[Tensor, "batch 1 1 1"],
    fineness: Float[Tensor, "batch"],
) -> Float[Tensor, "planes 15 height width"]:
    r"""Deconvolve the residuals of two estimates by divisions of several strengths.

    .. math:: e = w\,(y - k * x), \qquad r_i = \mathcal F^{-1}\!\left[
        \frac{\overline{H}\,\mathcal F[e]}{|H|^2 + s_i\,(\sigma^2 / A)\,|D|^2} \right]

    Border and saturation are in the residual, see :meth:`Canvas.lacking`.

    Args:
        canvas: the record y with its PSF k and trust w.
        start: the classical estimate.
        turned: what data step and prior made of it (:func:`~nightsharp.methods.nightwiener.turns.turns`).
        level: standard deviation of the noise, in the image's range.
        contrast: that of the whole image, of which this may be a tile.
        fineness: of each scene, in decades (:func:`~nightsharp.methods.nightwiener.scene.fineness`): behind a blur a
            soft scene and a fine one whose detail is gone look alike, and are to be restored differently.

    Returns:
        What the network sees, channels laid along the batch. Every view is in the units of the photograph: half the
        light with half the noise gives half of everything. In order: the estimate; the photograph; the estimate's
        three residuals; over all channels the mean of the estimate and of the second residual; the photograph where it
        is saturated; the noise of each pixel; the noise that the first two divisions let through; the contrast of the
        whole image, and how much of it is detail; the other estimate and its second residual.
    """
    blurred = canvas.cut(canvas.observed)
    size = (canvas.observed.shape[-2], canvas.observed.shape[-1])
    gradient = (power("x", size) + power("y", size)).to(blurred)
    natural = level.square() / (_NATURAL * contrast.square()).clamp_min(1e-8) * gradient + 1e-6
    gain = canvas.otf.abs().square()

    def unexplained(estimate: Tensor) -> Tensor:
        return torch.fft.rfft2(canvas.lacking(estimate)) * canvas.otf.conj()

    def divided(spectrum: Tensor, inverse: Tensor) -> Tensor:
        return canvas.cut(torch.fft.irfft2(spectrum * inverse, s=size))

    inverses = [1 / (gain + strength * natural) for strength in STRENGTHS]
    spectrum = unexplained(start)
    residuals = [divided(spectrum, inverse) for inverse in inverses]
    let_through = [level * (gain * inverse.square()).mean(dim=(-2, -1), keepdim=True).sqrt() for inverse in inverses]

    detail = contrast * 10 ** (fineness.clamp(_SOFTEST, _FINEST)[:, None, None, None].to(contrast) / 2)
    seen = [
        start,
        blurred,
        *residuals,
        start.mean(dim=1, keepdim=True),
        residuals[1].mean(dim=1, keepdim=True),
        blurred * canvas.cut(canvas.saturated.to(blurred)),
        level / canvas.cut(canvas.known).clamp_min(1e-3).sqrt(),
        let_through[0],
        let_through[1],
        contrast,
        detail,
        turned,
        divided(unexplained(turned), inverses[1]),
    ]
    return torch.stack([view.expand_as(start) for view in seen], dim=2).flatten(0, 1)

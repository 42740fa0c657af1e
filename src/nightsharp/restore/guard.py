"""Never hand back something worse than was given: the first, simple guard."""

from dataclasses import dataclass
from typing import Literal

from jaxtyping import Float
from torch import Tensor

from nightsharp.methods._blocks import trust
from nightsharp.methods.wiener import wiener
from nightsharp.optics import Blur, Psf

# Below this root mean square radius a PSF moves less light than one pixel's own width.
_POINT = 0.4
_TOO_UNSURE = 0.1
_NOISES_ALLOWED = 4.0
_PART_OF_BLUR_ALLOWED = 0.5
# On night photographs, in linear light: the true PSF leaves 2 to 8 % of the light below black, a wrong one 15 to 35 %.
_BELOW_BLACK_ALLOWED = 0.12
# 8-bit rounding in the darks, as a floor of what can be asked
_FLOOR = 1 / 255
_MIDDLE = 768

NO_BLUR = "no blur found; the photo is kept as it is"


@dataclass(frozen=True)
class Verdict:
    """What the guard decided.

    Attributes:
        kept: ``"result"``, or ``"input"`` where the result is thrown away.
        words: the reason, for people.
        misfit: mean absolute difference between the re-blurred result and the input; None where it was not measured.
        allowed: the largest misfit that would have passed.
    """

    kept: Literal["result", "input"]
    words: str
    misfit: float | None = None
    allowed: float | None = None


def judge_psf(psf: Psf, confidence: float | None) -> Verdict | None:
    """Refuse to work with a PSF that says there is no blur, or that nobody should believe.

    Args:
        psf: the PSF that would be used.
        confidence: of an estimate, in [0, 1]; None for a PSF that was given.

    Returns:
        The verdict to keep the input, or None when the PSF can be used.

    Example:
        >>> import torch
        >>> judge_psf(Psf.from_tensor(torch.ones(1, 1)), 0.9).words
        'no blur found; the photo is kept as it is'
        >>> judge_psf(Psf.from_tensor(torch.ones(1, 9)), 0.9) is None
        True
    """
    if psf.quality().spread < _POINT:
        words = NO_BLUR if confidence is not None else "the PSF is a single point; the photo is kept as it is"
        return Verdict("input", words)
    if confidence is not None and confidence < _TOO_UNSURE:
        return Verdict(
            "input",
            f"no blur found that could be trusted (confidence {confidence:.2f}); the photo is kept as it is",
        )
    return None


def judge_result(
    blurred: Float[Tensor, "batch channel height width"],
    sharp: Float[Tensor, "batch channel height width"],
    psf: Psf,
    sigma: Float[Tensor, "batch channel 1 1"],
    clip: float | None,
) -> Verdict:
    r"""Blur the result again and ask whether it explains the input.

    .. math:: m = \mathrm{mean}_\text{unclipped}\,|\,k * \hat x - y\,| \;\le\;
        \max\!\left(4\sigma,\ \tfrac12\,\mathrm{mean}\,|\,k * y - y\,|,\ \tfrac1{255}\right)

    The second term is what doing nothing would miss by: a result that explains less than half of the blur is no result.
    A wrong PSF can explain the input too, but only with light below black, :math:`\sum \max(-\hat x, 0)`; more than
    12 % of all light does not pass. It is looked for in a linear restoration of the middle, because the methods
    themselves may rule it out.

    Args:
        blurred: the input y.
        sharp: the result.
        psf: the PSF k.
        sigma: the noise of the input.
        clip: from this value on a pixel counts as saturated and has no vote.

    Example:
        >>> import torch
        >>> image = torch.rand(1, 1, 32, 32)
        >>> psf, sigma = Psf.from_tensor(torch.ones(1, 5)), torch.zeros(1, 1, 1, 1)
        >>> judge_result(image, image * torch.nan, psf, sigma, None).kept
        'input'
    """
    if not bool(sharp.isfinite().all()):
        return Verdict("input", "the result held values that are no numbers; the photo is kept as it is")
    below = _light_below_black(blurred, psf, sigma, clip)
    if below > _BELOW_BLACK_ALLOWED:
        words = f"the result needs light below black ({below:.0%} of all); the photo is kept as it is"
        return Verdict("input", words)
    height, width = blurred.shape[-2:]
    kh, kw = psf.size
    if kh >= height or kw >= width:
        return Verdict("result", "nothing to report (too small to re-blur)")
    blur = Blur(psf, boundary="valid")
    top, left = kh - 1 - kh // 2, kw - 1 - kw // 2
    inside = (..., slice(top, top + height - kh + 1), slice(left, left + width - kw + 1))
    seen = blurred.mean(1, keepdim=True)
    weight = trust(blurred, clip).amin(1, keepdim=True)[inside]
    votes = weight.sum().clamp_min(1)

    def misfit(explanation: Tensor) -> float:
        return float(((blur(explanation) - seen[inside]).abs() * weight).sum() / votes)

    missed, idle = misfit(sharp.mean(1, keepdim=True)), misfit(seen)
    allowed = max(_NOISES_ALLOWED * float(sigma.mean()), _PART_OF_BLUR_ALLOWED * idle, _FLOOR)
    if missed > allowed:
        words = (
            f"the result, blurred again, misses the input by {missed:.3f} where {allowed:.3f} is allowed; "
            "the photo is kept as it is"
        )
        return Verdict("input", words, missed, allowed)
    return Verdict("result", "nothing to report", missed, allowed)


def _light_below_black(blurred: Tensor, psf: Psf, sigma: Tensor, clip: float | None) -> float:
    height, width = blurred.shape[-2:]
    top, left = max(0, height - _MIDDLE) // 2, max(0, width - _MIDDLE) // 2
    middle = blurred[..., top : top + _MIDDLE, left : left + _MIDDLE]
    if psf.size[0] > middle.shape[-2] or psf.size[1] > middle.shape[-1]:
        return 0.0
    linear = wiener(middle, psf.kernel[None, None].to(blurred), sigma=sigma, clip=clip)
    return float(linear.clamp_max(0).abs().sum() / linear.abs().sum().clamp_min(1e-12))

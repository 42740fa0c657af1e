"""What the guard says: about a PSF before the work, about a result after it."""

from dataclasses import dataclass, field
from typing import Literal

from nightsharp.optics import Psf

# Below this root mean square radius a PSF moves less light than one pixel's own width.
_POINT = 0.4
_TOO_UNSURE = 0.4
# A slight blur looks like a soft subject. Of the estimates below this radius whose confidence is below that, on sharp
# or slightly blurred photographs, none gained anything and five of seven lost 1 to 5 dB.
_SLIGHT, _SURE_OF_LITTLE = 2.0, 0.65

NO_BLUR = "no blur found; the photo is kept as it is"


@dataclass(frozen=True)
class Verdict:
    """What the guard decided.

    Attributes:
        kept: ``"result"``; ``"input"`` where the result is thrown away; ``"partly"`` where some of it is blended back.
        words: the reason, for people.
        misfit: mean absolute difference between the re-blurred result and the input; None where it was not measured.
        allowed: the misfit above which a cell counts as unexplained.
        scores: means over the tiles, JSON-ready.
        part: how much of the result is left, in the mean of the tiles, before ``kept`` is decided.
    """

    kept: Literal["result", "input", "partly"]
    words: str
    misfit: float | None = None
    allowed: float | None = None
    scores: dict[str, float] = field(default_factory=dict)
    part: float = 0.0


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
    spread = psf.quality().spread
    if spread < _POINT:
        words = NO_BLUR if confidence is not None else "the PSF is a single point; the photo is kept as it is"
        return Verdict("input", words)
    if confidence is not None and confidence < (_SURE_OF_LITTLE if spread < _SLIGHT else _TOO_UNSURE):
        return Verdict(
            "input",
            f"no blur found that could be trusted (confidence {confidence:.2f}); the photo is kept as it is",
        )
    return None

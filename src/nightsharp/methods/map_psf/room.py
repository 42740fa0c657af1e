"""A PSF that its window cut off: it is given room, and wider windows are asked as well."""

from collections.abc import Sequence

from jaxtyping import Float
from torch import Tensor

from nightsharp.methods.map_psf.confidence import similarity
from nightsharp.methods.map_psf.hypotheses import AGREED, CONVINCING, Hypothesis, Race, Start
from nightsharp.methods.map_psf.kernel import window
from nightsharp.methods.map_psf.pyramid import FIRM, GENTLE, alternations, polishes

# Nearer to an edge than this part of the window's side, a PSF is taken as cut off.
_NEAR = 0.06
# Taps below this part of the brightest are not looked at.
_FAINT = 0.02
# What has grown may sharpen less by so much. What a wider window led to must sharpen more: by so much where it is more
# of the same PSF, or both priors led to it, and by so much where it is another.
_GROWN, _MORE_OF_IT, _ANOTHER = -0.004, 0.015, 0.06
_ROOM = ", with more room"


def is_cut_off(kernel: Float[Tensor, "k k"]) -> bool:
    """Whether a PSF comes so near to an edge of its window that it may go on beyond.

    Example:
        >>> import torch
        >>> is_cut_off(torch.eye(31)), is_cut_off(torch.nn.functional.pad(torch.eye(31), (4, 4, 4, 4)))
        (True, False)
    """
    taps = (kernel > _FAINT * kernel.max()).nonzero()
    room = min(int(taps.min()), kernel.shape[0] - 1 - int(taps.max()))
    return room < _NEAR * kernel.shape[0]


def given_room(race: Race, sizes: Sequence[int], best: Hypothesis, agreement: float) -> tuple[Hypothesis, float]:
    """Let a PSF that was cut off grow, window by window, until it ends within one.

    Args:
        race: in which it was found.
        sizes: the windows that there is room for.
        best: what was found.
        agreement: how far another way led to it.

    Returns:
        The PSF, and how far another way led to it.
    """
    for size in sizes:
        if size <= best.size or best.gain < CONVINCING or not is_cut_off(best.fit.kernel):
            continue
        # what sharpens less with more room was misled rather than cut off
        [grown] = race.polish([Start(window(best.fit.kernel, size))], f"{best.origin.removesuffix(_ROOM)}{_ROOM}")
        if grown.gain < (1 + _GROWN) * best.gain:
            break
        agreement *= _likeness(grown, best)
        best = grown
        wider = race.climb((size, GENTLE, False), (size, FIRM, False))
        twice = _likeness(*wider) > AGREED
        for way in sorted(wider, key=lambda way: way.gain):
            alike = _likeness(best, way)
            if way.gain > (1 + (_MORE_OF_IT if twice or alike > AGREED else _ANOTHER)) * best.gain:
                best, agreement = way, agreement * alike
        agreement = max([agreement, *(_likeness(best, way) for way in (grown, *wider) if way is not best)])
    return best, agreement


def _likeness(one: Hypothesis, other: Hypothesis) -> float:
    return similarity(one.fit.kernel, other.fit.kernel)


def room_alternations(sizes: Sequence[int]) -> int:
    """How many alternations :func:`given_room` takes at most."""
    return sum(polishes() + 2 * alternations(size) for size in sizes[1:])

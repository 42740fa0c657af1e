"""Check a tile, and blend it back towards the input where it got worse."""

from dataclasses import dataclass, field

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from nightsharp.methods._blocks import dilate
from nightsharp.optics import Psf
from nightsharp.restore.guard.decide import beyond_doubt, cells_without_drift, part_of_tile, parts_of_cells
from nightsharp.restore.guard.rims import without_dark_rims
from nightsharp.restore.guard.scores import Input, follow

_NO_NUMBERS = "values that are no numbers"
_TOO_SMALL = "too small to check"
# Fewer pixels than this a side hold too little to tell a right PSF from a wrong one; an estimate was told from the same
# pixels before.
_SMALLEST, _SMALLEST_ESTIMATED = 48, 64
_FEW = 0.25


@dataclass(frozen=True)
class Checked:
    """A tile after the check.

    Attributes:
        sharp: the tile, blended back towards the input where it got worse; finite.
        cells: the part of the result kept in each cell, 0 to 1.
        reasons: words for what was wrong, empty when nothing was.
        scores: what was measured, JSON-ready; empty where nothing could be.
    """

    sharp: Float[Tensor, "1 channel height width"]
    cells: Float[Tensor, "rows columns"]
    reasons: tuple[str, ...] = ()
    scores: dict[str, float] = field(default_factory=dict)


def check_tile(
    blurred: Float[Tensor, "1 channel height width"],
    sharp: Float[Tensor, "1 channel height width"],
    psf: Psf | None,
    *,
    sigma: Float[Tensor, "1 channel 1 1"],
    clip: float | None,
    weight: Float[Tensor, "1 channel height width"] | None = None,
    confidence: float | None = None,
    gentle: bool = False,
) -> Checked:
    r"""Find out, without the truth, whether a restored tile got worse, and blend it back where it did.

    .. math:: z = y + \alpha\,(\hat x - y)

    with :math:`\alpha` of the tile from one logistic of eight scores (``decide.part_of_tile``) and 0 in cells that fail
    a limit of their own (``decide.parts_of_cells``), smooth in between. Under an estimated PSF the dark rims beside
    lamps are lifted (``rims.without_dark_rims``). Memory: a few planes of the tile's size.

    Args:
        blurred: the input y with the tile's halo, in the light that the method worked in.
        sharp: the result, same shape.
        psf: the PSF that was used. The result lies where its centroid puts it, and the input is moved there, by whole
            pixels, before they are compared or blended.
            None for a method without one: then only the mean colours of the cells are watched.
        sigma: the noise level that the method was given.
        clip: from this value on a pixel counts as saturated; None trusts all.
        weight: how far each pixel can be trusted beside the others, in (0, 1]; fully when None.
        confidence: of an estimated PSF, in [0, 1]; None for one that was given.
        gentle: whether the result was made so gently that it explains the input only where the PSF is right.

    Returns:
        The tile and the reasons; a tile whose result is thrown away is the input, where the result would lie.

    Example:
        >>> from nightsharp.optics import line
        >>> image = torch.rand(1, 1, 64, 64, generator=torch.Generator().manual_seed(0))
        >>> checked = check_tile(image, image * torch.nan, line(5), sigma=torch.zeros(1, 1, 1, 1), clip=None)
        >>> torch.equal(checked.sharp, image), checked.reasons
        (True, ('values that are no numbers',))
    """
    finite = bool(sharp.isfinite().all())
    if psf is None:
        return _without_psf(blurred, sharp, clip) if finite else _kept_input(blurred, _NO_NUMBERS)
    moved, centred = follow(blurred, psf)
    if not finite:
        return _kept_input(moved, _NO_NUMBERS)
    weight = None if weight is None else follow(weight, psf)[0]
    smallest = _SMALLEST if confidence is None else _SMALLEST_ESTIMATED
    seen = None if min(blurred.shape[-2:]) < smallest else Input.of(moved, centred, sigma, clip, weight)
    if seen is None:
        return _kept_input(moved, _TOO_SMALL)
    scores = seen.scores(sharp)
    sure = beyond_doubt(scores, confidence, gentle=gentle)
    passed, reasons = parts_of_cells(moved, sharp, scores, clip, weight, sure=sure)
    local = _spread(passed, moved)
    if 0 < float((1 - passed).mean()) <= _FEW:
        # what broke in one place shall not speak for the rest of the tile
        scores = seen.scores(torch.lerp(moved, sharp, local), local == 1)
    part, numbers, words = part_of_tile(scores, confidence, gentle=gentle)
    # what the passage to a failed cell leaves of its neighbours, and not what they had
    cells = part * functional.adaptive_avg_pool2d(local, (passed.shape[0], passed.shape[1]))[0, 0]
    numbers |= {"kept": float(cells.mean()), "misfit": scores.misfit, "allowed": scores.allowed}
    if part == 0:
        return _kept_input(moved, words, numbers)
    if part < 1:
        reasons |= {words}
    kept = torch.lerp(moved, sharp, part * local) if reasons else sharp
    if confidence is not None:
        kept = without_dark_rims(moved, kept, max(psf.size) // 2 + 1)
    return Checked(kept, cells, tuple(sorted(reasons)), numbers)


def _without_psf(blurred: Tensor, sharp: Tensor, clip: float | None) -> Checked:
    passed = cells_without_drift(blurred, sharp, clip)
    scores = {"kept": float(passed.mean())}
    if bool(passed.all()):
        return Checked(sharp, passed, (), scores)
    return Checked(torch.lerp(blurred, sharp, _spread(passed, blurred)), passed, ("colour drift",), scores)


def _spread(cells: Tensor, like: Tensor) -> Tensor:
    """A smooth map from a few cells, 0 all over a failed one; the passage lies in its neighbours."""
    size = (like.shape[-2], like.shape[-1])
    grown = -dilate(-cells[None, None], 1)
    return functional.interpolate(grown, size, mode="bilinear", align_corners=False)


def _kept_input(moved: Tensor, words: str, numbers: dict[str, float] | None = None) -> Checked:
    return Checked(moved, torch.zeros(1, 1), (words,), numbers or {})

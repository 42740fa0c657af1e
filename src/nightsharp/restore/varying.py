"""Blur that varies over the photograph: one PSF for each of a grid of windows, checked against its neighbours."""

import itertools
import math
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Tensor

from nightsharp.errors import PsfError
from nightsharp.methods._blocks import CLIPPED, Cancel, Progress, tick
from nightsharp.methods.map_psf import PsfEstimate, estimate_psf, refine_psf, similarity
from nightsharp.methods.map_psf.sharpening import Sharpening
from nightsharp.optics import Psf
from nightsharp.optics.field import PsfField

# A window shows its PSF when its side is this many times the PSF's, and at least this long.
_ROOM, _LEAST_WINDOW = 6, 192
_MOST_WINDOWS = 4
# A window reaches this part of the distance between centres beyond its own cell, on each side.
_OVERLAP = 0.25
# Below this confidence a window has no say; below this similarity to all its neighbours it is an outlier.
_TOO_UNSURE, _OUTLIER = 0.1, 0.45
# Similarity must fall by this much from neighbours to the farthest pair; noise makes all pairs equally unlike.
_LEAST_FALL = 0.08
# The field must sharpen the windows by this much more than one PSF does, mean of logarithms: windows that were each
# looked at once more seem to gain up to 0.05 where the blur is the same all over.
_LEAST_GAINED = 0.08


@dataclass(frozen=True, eq=False)
class FieldEstimate:
    """What was found about how the blur varies.

    Attributes:
        field: the PSFs; None where one PSF explains the photograph as well.
        psf: the PSF of the photograph as a whole.
        confidence: how far to trust it, in [0, 1].
        near: mean similarity of neighbouring windows' PSFs.
        far: the same expected of the windows farthest apart.
        reason: in words, why a field or one PSF.
        replaced: windows, as (row, column), that took their neighbours' PSF.
    """

    field: PsfField | None
    psf: Psf
    confidence: float
    near: float
    far: float
    reason: str
    replaced: tuple[tuple[int, int], ...]


def estimate_field(
    blurred: Float[Tensor, "channel height width"],
    *,
    grid: tuple[int, int] | None = None,
    size: int | None = None,
    saturation: float = CLIPPED,
    progress: Progress | None = None,
    cancel: Cancel | None = None,
) -> FieldEstimate:
    """Estimate how the blur varies over a photograph.

    The PSF of the whole photograph gives the size. Every window is then estimated by itself. Where blur varies,
    neighbours are more alike than windows far apart; where the differences are only noise they are not, and one PSF
    serves better. PSFs have no place of their own, so neighbours are shifted onto each other before they are blended.

    Args:
        blurred: 1 or 3 channels, range [0, 1], in display light.
        grid: rows and columns of windows; None takes as many as have room.
        size: side of the PSFs' window in pixels; None finds it.
        saturation: the value from which a pixel counts as clipped.
        progress: told after each window.
        cancel: asked during the estimates.

    Returns:
        A field, or one PSF with the reason.

    Raises:
        PsfError: the photograph is too small for a PSF, or the grid for it.
        Cancelled: ``cancel`` answered True.

    Example:
        >>> estimate_field(torch.full((1, 64, 64), 0.5), size=9).reason
        'the photograph is too small for several windows; one PSF'
    """
    height, width = blurred.shape[-2:]
    whole = estimate_psf(blurred, size=size, saturation=saturation, cancel=cancel)
    # once more on its own, as each window will be: else the field would win by the second look alone
    again = refine_psf(blurred, whole.psf, saturation=saturation, cancel=cancel)
    if again.evidence.gain > whole.evidence.gain:
        whole = again
    side = whole.size
    rows, columns = window_grid(height, width, side) if grid is None else grid
    if min(rows, columns) < 1 or height // max(rows, 1) < 32 or width // max(columns, 1) < 32:
        raise PsfError(f"a grid of {rows} x {columns} windows does not fit a photograph of {width} x {height}.")
    if rows * columns == 1:
        return _one(whole.psf, whole.confidence, 1.0, 1.0, "the photograph is too small for several windows; one PSF")
    total = rows * columns + 1
    tick(1, total, progress, cancel)
    found: list[list[PsfEstimate]] = []
    for row, down in enumerate(_reaches(rows, height)):
        found.append([])
        for column, across in enumerate(_reaches(columns, width)):
            window = blurred[:, down, across]
            # from scratch, a window is too small to find its way; from the photograph's PSF it finds the difference
            found[-1].append(refine_psf(window, whole.psf, saturation=saturation, cancel=cancel))
            tick(2 + row * columns + column, total, progress, cancel)
    psfs = [[estimate.psf for estimate in row] for row in found]
    trusted = [[estimate.confidence >= _TOO_UNSURE for estimate in row] for row in found]
    judged = judge_field(psfs, trusted, whole.psf, whole.confidence)
    if judged.field is None:
        return judged
    windows = [[blurred[:, d, a] for a in _reaches(columns, width)] for d in _reaches(rows, height)]
    return _weighed(judged, judged.field, windows, saturation)


def _weighed(judged: FieldEstimate, field: PsfField, windows: list[list[Tensor]], saturation: float) -> FieldEstimate:
    """Ask each window whether its PSF of the field sharpens it, and whether the field does better than one PSF."""
    side = max(judged.psf.size)
    one = judged.psf.pad(side, side).kernel
    point = Psf.from_tensor(torch.ones(1, 1))
    gained, mended = 0.0, []
    for i, row in enumerate(windows):
        mended.append([])
        for j, window in enumerate(row):
            score = Sharpening(window, saturation)
            with_field = score(field.kernels[i, j])
            # a window that its neighbours' PSF does not sharpen has no blur, as the middle of a roll has none
            mended[-1].append(Psf(field.kernels[i, j]) if with_field > 1 else point)
            gained += math.log(max(with_field, 1.0) / max(score(one), 1e-6))
    gained /= len(windows) * len(windows[0])
    if gained < _LEAST_GAINED:
        words = f"a field of PSFs sharpens no more than one ({math.expm1(gained):+.1%}); one PSF"
        return _one(judged.psf, judged.confidence, judged.near, judged.far, words)
    return replace(judged, field=PsfField.of(mended))


def judge_field(psfs: list[list[Psf]], trusted: list[list[bool]], whole: Psf, confidence: float) -> FieldEstimate:
    """Decide whether windows' PSFs make a smooth field, and mend it where single ones fail.

    Args:
        psfs: of each window, estimated by itself.
        trusted: which estimates have a say.
        whole: of the photograph as a whole.
        confidence: how far to trust that.

    Example:
        >>> from nightsharp.optics import line
        >>> judge_field([[line(9)] * 3], [[True] * 3], line(9), 0.9).field is None
        True
    """
    places = list(itertools.product(range(len(psfs)), range(len(psfs[0]))))
    sure = [p for p in places if trusted[p[0]][p[1]]]
    if len(sure) <= len(places) // 2:
        return _one(whole, confidence, 0.0, 0.0, f"only {len(sure)} of {len(places)} windows show their blur; one PSF")
    alike = {
        (a, b): similarity(psfs[a[0]][a[1]].kernel, psfs[b[0]][b[1]].kernel) for a, b in itertools.combinations(sure, 2)
    }
    alike |= {(b, a): value for (a, b), value in alike.items()}
    kept = [p for p in sure if max((alike[p, q] for q in sure if q != p and _near(p, q)), default=0.0) > _OUTLIER]
    pairs = [(a, b) for a, b in itertools.combinations(kept, 2)]
    if len(kept) <= len(places) // 2 or not pairs:
        return _one(
            whole, confidence, 0.0, 0.0, f"only {len(kept)} of {len(places)} windows agree with a neighbour; one PSF"
        )
    near, far = _trend([math.dist(a, b) for a, b in pairs], [alike[pair] for pair in pairs])
    if near - far < _LEAST_FALL:
        words = f"windows far apart are as alike as neighbours ({far:.2f}, {near:.2f}): no more than noise; one PSF"
        return _one(whole, confidence, near, far, words)
    field = PsfField.of(_mended(psfs, places, kept, alike))
    replaced = tuple(p for p in places if p not in kept)
    words = f"neighbours are more alike ({near:.2f}) than windows far apart ({far:.2f}): the blur varies"
    return FieldEstimate(field, whole, confidence, near, far, words, replaced)


def _one(whole: Psf, confidence: float, near: float, far: float, reason: str) -> FieldEstimate:
    return FieldEstimate(None, whole, confidence, near, far, reason, ())


def window_grid(height: int, width: int, side: int) -> tuple[int, int]:
    """Rows and columns of windows that a photograph has room for, with PSFs of that side.

    Example:
        >>> window_grid(3000, 4000, 31), window_grid(200, 4000, 31)
        ((4, 4), (1, 4))
    """
    least = max(_LEAST_WINDOW, _ROOM * side)
    rows, columns = (max(1, min(_MOST_WINDOWS, int(length / least * (1 + 2 * _OVERLAP)))) for length in (height, width))
    return rows, columns


def _reaches(count: int, length: int) -> list[slice]:
    """What each window of an axis reads."""
    step = length / count
    return [
        slice(max(0, round((n - _OVERLAP) * step)), min(length, round((n + 1 + _OVERLAP) * step))) for n in range(count)
    ]


def _near(a: tuple[int, int], b: tuple[int, int]) -> bool:
    return max(abs(a[0] - b[0]), abs(a[1] - b[1])) == 1


def _trend(distances: list[float], values: list[float]) -> tuple[float, float]:
    """A straight line through values over distance: at the shortest and the longest one."""
    x, y = torch.tensor(distances), torch.tensor(values)
    spread = (x - x.mean()).square().sum()
    slope = float(((x - x.mean()) * (y - y.mean())).sum() / spread) if float(spread) > 0 else 0.0
    near, far = (float(y.mean() + slope * (end - x.mean())) for end in (x.min(), x.max()))
    return near, far


def _mended(
    psfs: list[list[Psf]],
    places: list[tuple[int, int]],
    kept: list[tuple[int, int]],
    alike: dict[tuple[tuple[int, int], tuple[int, int]], float],
) -> list[list[Psf]]:
    """Outliers replaced by the mean of the nearest windows that were kept, and all shifted onto their neighbours."""
    room = 2 * max(max(psf.size) for row in psfs for psf in row) + 1
    laid = {p: psfs[p[0]][p[1]].pad(room, room).kernel for p in kept}
    # from the window that is most like its neighbours outwards, each is moved to where it fits those already placed
    first = max(kept, key=lambda p: sum(alike[p, q] for q in kept if q != p and _near(p, q)))
    done = {first: laid[first]}
    while len(done) < len(kept):
        following = min((p for p in kept if p not in done), key=lambda p: min(math.dist(p, q) for q in done))
        done[following] = _moved_onto(laid[following], _nearest(done, following))
    whole = {p: done[p] if p in done else _nearest(done, p) for p in places}
    # one common shift keeps the picture in its place
    drift = Psf.from_tensor(torch.stack(list(whole.values())).mean(0)).quality().offset
    back = (-round(drift[0]), -round(drift[1]))
    shifted = {p: torch.roll(kernel, back, (0, 1)) for p, kernel in whole.items()}
    used = torch.stack(list(shifted.values())).amax(0)
    side = max(Psf.from_tensor(used).trim(1e-4).size)
    return [[Psf.from_tensor(shifted[i, j]).crop(side, side) for j in range(len(psfs[0]))] for i in range(len(psfs))]


def _nearest(done: dict[tuple[int, int], Tensor], place: tuple[int, int]) -> Tensor:
    """The mean of the placed PSFs that lie nearest."""
    least = min(math.dist(place, q) for q in done)
    return torch.stack([kernel for q, kernel in done.items() if math.dist(place, q) < least + 0.5]).mean(0)


def _moved_onto(kernel: Tensor, other: Tensor) -> Tensor:
    size = (kernel.shape[0], kernel.shape[1])
    match = torch.fft.irfft2(torch.fft.rfft2(other) * torch.fft.rfft2(kernel).conj(), s=size)
    place = int(match.argmax())
    return torch.roll(kernel, (place // size[1], place % size[1]), (0, 1))

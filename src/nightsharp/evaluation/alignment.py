"""The best shift of a result, all candidates at once."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from torch import Tensor

from nightsharp.errors import PhotoError, UsageError
from nightsharp.evaluation.metrics._arrays import as_arrays
from nightsharp.optics.fourier import fast_size


@dataclass(frozen=True)
class Alignment:
    """Where the result fits the truth best.

    Attributes:
        down: the shift, pixels: row r of the truth is compared with row r + down of the result.
        right: the same for columns.
        error: the mean squared error there.
        result: (height, width, channel) float64, the result shifted by bilinear interpolation, border cut off.
        truth: the truth, border cut off.
    """

    down: float
    right: float
    error: float
    result: np.ndarray
    truth: np.ndarray


def align(
    result: Float[Tensor, "channel height width"],
    truth: Float[Tensor, "channels rows columns"],
    *,
    border: int,
    reach: int,
    step: float = 0.25,
) -> Alignment:
    r"""Try every shift of up to ``reach`` pixels in steps of ``step`` and keep the one of least squared error.

    A PSF has no place of its own: shifting it shifts the restored image the other way. With bilinear weights w over
    the four neighbours m, the error of every shift s follows from correlations at whole shifts only:

    .. math:: \sum_p \Big( x_p - \sum_m w_m \hat x_{p+s+m} \Big)^2
        = \|x\|^2 - 2 \sum_m w_m \langle x, \hat x_{\cdot+s+m} \rangle
        + \sum_{m,n} w_m w_n \langle \hat x_{\cdot+s+m}, \hat x_{\cdot+s+n} \rangle

    The first inner product is one Fourier transform for all shifts, the second five integral images.

    Args:
        result: the restored image.
        truth: the sharp image, same shape.
        border: what is cut off the truth on each side, pixels; ``reach`` at least, so that no shift leaves the image.
        reach: the farthest shift in each direction, whole pixels; 0 compares as it stands.
        step: of the grid of shifts, one over a whole number of pixels.

    Returns:
        The best :class:`Alignment`; of equal ones the first by rows, then columns.

    Raises:
        PhotoError: the shapes differ, or the border leaves nothing.
        UsageError: the border is less than the reach, or the step divides no pixel.

    Example:
        >>> import torch
        >>> image = torch.rand(1, 40, 48)
        >>> found = align(image.roll((2, -1), (1, 2)), image, border=6, reach=3)
        >>> found.down, found.right
        (2.0, -1.0)

    Source: the protocol of Levin, Weiss, Durand and Freeman, CVPR 2009 (their ``comp_upto_shift``).
    """
    estimate, sharp = as_arrays(result, truth)
    height, width, _ = sharp.shape
    parts = round(1 / step)
    if reach < 0 or parts < 1 or abs(parts * step - 1) > 1e-9:
        raise UsageError(f"reach {reach} with step {step}: the reach is a whole number, the step 1, 1/2, 1/4 ...")
    if border < reach:
        raise UsageError(f"a border of {border} px is too narrow for shifts of {reach} px. Take {reach} or more.")
    if min(height, width) <= 2 * border:
        raise PhotoError(f"the image is {height} x {width}; a border of {border} px leaves nothing of it.")
    inner = sharp[border : height - border, border : width - border]
    if reach == 0:
        moved = estimate[border : height - border, border : width - border]
        return Alignment(0.0, 0.0, float(((moved - inner) ** 2).mean()), moved, inner)
    errors = _errors(estimate, inner, border, reach, parts)
    row, column = np.unravel_index(int(errors.argmin()), errors.shape)
    down, right = int(row) / parts - reach, int(column) / parts - reach
    moved = shifted(estimate, inner.shape[:2], border, down, right)
    return Alignment(down, right, float(((moved - inner) ** 2).mean()), moved, inner)


def shifted(values: np.ndarray, size: tuple[int, int], border: int, down: float, right: float) -> np.ndarray:
    """The part of ``values`` that lies ``border`` inside, moved with bilinear interpolation."""
    row, column = int(np.floor(down)), int(np.floor(right))
    below, beside = down - row, right - column
    moved = np.zeros((*size, values.shape[2]))
    for y, vertical in ((0, 1 - below), (1, below)):
        for x, horizontal in ((0, 1 - beside), (1, beside)):
            if vertical * horizontal:
                top, left = border + row + y, border + column + x
                moved += vertical * horizontal * values[top : top + size[0], left : left + size[1]]
    return moved


def _errors(estimate: np.ndarray, inner: np.ndarray, border: int, reach: int, parts: int) -> np.ndarray:
    """Squared error of every shift, ``(shifts down, shifts right)``."""
    rows, columns, _ = inner.shape
    wide = estimate[border - reach : border + rows + reach + 1, border - reach : border + columns + reach + 1]
    # the farthest shift is a whole one: its neighbours beyond the image have no weight
    beyond = [(0, side + 2 * reach + 1 - have) for side, have in zip((rows, columns), wide.shape[:2], strict=True)]
    wide = np.pad(wide, (*beyond, (0, 0)), mode="edge")
    # away from their mean the sums below differ less from their differences
    mean = inner.mean(axis=(0, 1))
    wide, inner = wide - mean, inner - mean
    count = 2 * reach + 2
    cross = _correlation(wide, inner, count)
    square = _box(wide * wide, (rows, columns), count)
    beside = _box(wide[:, :-1] * wide[:, 1:], (rows, columns), count)
    below = _box(wide[:-1] * wide[1:], (rows, columns), count)
    falling = _box(wide[:-1, :-1] * wide[1:, 1:], (rows, columns), count)
    rising = _box(wide[1:, :-1] * wide[:-1, 1:], (rows, columns), count)

    whole = slice(None, count - 1), slice(1, count)
    grid = np.full((2 * reach * parts + 1,) * 2, np.inf)
    for y in range(parts):
        for x in range(parts):
            down, right = y / parts, x / parts
            v, h = (1 - down, down), (1 - right, right)
            mixed = sum(v[m] * h[n] * cross[whole[m], whole[n]] for m in (0, 1) for n in (0, 1))
            energy = sum((v[m] * h[n]) ** 2 * square[whole[m], whole[n]] for m in (0, 1) for n in (0, 1))
            energy = energy + 2 * h[0] * h[1] * sum(v[m] ** 2 * beside[whole[m], : count - 1] for m in (0, 1))
            energy = energy + 2 * v[0] * v[1] * sum(h[n] ** 2 * below[: count - 1, whole[n]] for n in (0, 1))
            energy = energy + 2 * v[0] * v[1] * h[0] * h[1] * (falling + rising)[: count - 1, : count - 1]
            block = (inner**2).sum() - 2 * mixed + energy
            place = grid[y::parts, x::parts]
            place[...] = block[: place.shape[0], : place.shape[1]]
    return grid


def _correlation(wide: np.ndarray, inner: np.ndarray, count: int) -> np.ndarray:
    """Inner products of ``inner`` with ``wide`` at each of ``count`` x ``count`` whole shifts."""
    rows, columns = fast_size(wide.shape[0], wide.shape[1])
    one, other = (np.fft.rfft2(values, (rows, columns), axes=(0, 1)) for values in (wide, inner))
    return np.fft.irfft2((one * other.conj()).sum(axis=2), (rows, columns))[:count, :count]


def _box(products: np.ndarray, size: tuple[int, int], count: int) -> np.ndarray:
    """Sums over a window of ``size`` at each of its places, up to ``count`` a side, by an integral image."""
    table = np.zeros((products.shape[0] + 1, products.shape[1] + 1))
    table[1:, 1:] = products.sum(axis=2).cumsum(axis=0).cumsum(axis=1)
    rows, columns = size
    found = table[rows:, columns:] - table[:-rows, columns:] - table[rows:, :-columns] + table[:-rows, :-columns]
    return found[:count, :count]

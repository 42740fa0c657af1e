"""Levin's alignment written as the paper's function does it: one resampling for each shift, in a loop."""

import numpy as np


def bilinear(image: np.ndarray, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """MATLAB's ``interp2`` on a grid."""
    top, left = np.floor(rows).astype(int), np.floor(columns).astype(int)
    down, right = (rows - top)[:, None], (columns - left)[None, :]
    # a coordinate on the last row has no neighbour below, and does not need one
    below, beside = np.minimum(top + 1, image.shape[0] - 1), np.minimum(left + 1, image.shape[1] - 1)
    return (
        (1 - down) * (1 - right) * image[np.ix_(top, left)]
        + (1 - down) * right * image[np.ix_(top, beside)]
        + down * (1 - right) * image[np.ix_(below, left)]
        + down * right * image[np.ix_(below, beside)]
    )


def best_shift(
    estimate: np.ndarray, truth: np.ndarray, border: int, reach: int, step: float = 0.25
) -> tuple[float, float, float]:
    """The least mean squared error over all shifts, and where it is: (error, down, right)."""
    height, width = truth.shape
    inner = truth[border : height - border, border : width - border]
    shifts = np.arange(-reach, reach + step / 2, step)
    best = (np.inf, 0.0, 0.0)
    for down in shifts:
        for right in shifts:
            rows = np.arange(border, height - border) + down
            columns = np.arange(border, width - border) + right
            error = float(((bilinear(estimate, rows, columns) - inner) ** 2).mean())
            best = min(best, (error, float(down), float(right)))
    return best

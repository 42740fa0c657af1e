"""Which step of a staircase a value stands on, by one look at the bits of the float."""

import numpy as np
from jaxtyping import Float32, Integer

_CHUNK = 1 << 17
# Bits of a float's 23-bit fraction that a bin swallows.
_COARSEST, _FINEST = 16, 6


class Steps:
    r"""Counts how many of an increasing list of thresholds lie at or below a value.

    .. math:: n(x) = \left|\{k : t_k \le x\}\right|

    A binary search takes as many steps as the list has bits. Here the upper bits of the float, which order positive
    floats, are an index into a table that gives the count at the lower edge of that bin; what is left is to compare
    with the few thresholds inside the bin, mostly one.

    Args:
        thresholds: strictly increasing, all > 0.

    Example:
        >>> import numpy as np
        >>> Steps(np.array([0.1, 0.5, 0.9], np.float32)).count(np.array([0.05, 0.1, 0.7, 2.0], np.float32)).tolist()
        [0, 1, 2, 3]
    """

    def __init__(self, thresholds: Float32[np.ndarray, " n"]) -> None:
        # the sentinel is never reached, so a look one past the end needs no test
        self._thresholds = np.append(thresholds, np.float32(np.inf))
        bits = thresholds.view(np.int32)
        self._shift, self._compares = _COARSEST, _crowd(bits, _COARSEST)
        while self._compares > 1 and self._shift > _FINEST:
            self._shift -= 1
            self._compares = _crowd(bits, self._shift)
        self._first, self._last = int(bits[0]) >> self._shift, (int(bits[-1]) >> self._shift) + 1
        edges = np.arange(self._first, self._last + 1, dtype=np.int64) << self._shift
        self._below = np.searchsorted(bits, edges, side="left").astype(np.int32)

    def count(self, values: Float32[np.ndarray, "*shape"]) -> Integer[np.ndarray, "*shape"]:
        """How many thresholds lie at or below each value; any number for NaN."""
        out = np.empty(values.shape, np.int32)
        flat, result = np.ascontiguousarray(values).reshape(-1), out.reshape(-1)
        for start in range(0, flat.size, _CHUNK):
            part = flat[start : start + _CHUNK]
            # Negative floats are negative integers: below the table, and held at its end.
            bins = part.view(np.int32) >> self._shift
            np.clip(bins, self._first, self._last, out=bins)
            bins -= self._first
            steps = np.take(self._below, bins, mode="clip")
            for _ in range(self._compares):
                steps += part >= np.take(self._thresholds, steps, mode="clip")
            result[start : start + _CHUNK] = steps
        return out


def _crowd(bits: Integer[np.ndarray, " n"], shift: int) -> int:
    """Thresholds in the fullest bin."""
    bins = bits >> shift
    return int(np.bincount(bins - bins[0]).max())

"""How sure a mean is, when several pictures show one scene."""

from collections.abc import Hashable, Sequence

import numpy as np

LEVEL = 0.95
_DRAWS = 10_000


def interval(values: Sequence[float], scenes: Sequence[Hashable], *, seed: int = 0) -> tuple[float, float] | None:
    """The bootstrap interval of a mean, whole scenes drawn with replacement.

    Pictures of one scene rise and fall together; drawing pictures would make the mean look surer than it is.

    Args:
        values: one of each picture.
        scenes: which pictures show the same.
        seed: of the draws.

    Returns:
        The percentiles 2.5 and 97.5 of 10,000 draws; None with fewer than two scenes.

    Example:
        >>> low, high = interval([0.1, 0.2, 0.3, 0.4], "abcd")
        >>> 0.1 <= low < 0.25 < high <= 0.4
        True

    Source: Efron, "Bootstrap methods: another look at the jackknife", 1979; clusters after Davison and Hinkley, 1997,
    section 3.8.
    """
    names = {scene: place for place, scene in enumerate(dict.fromkeys(scenes))}
    if len(names) < 2:
        return None
    sums, counts = np.zeros(len(names)), np.zeros(len(names))
    for value, scene in zip(values, scenes, strict=True):
        sums[names[scene]] += value
        counts[names[scene]] += 1
    drawn = np.random.default_rng(seed).integers(len(names), size=(_DRAWS, len(names)))
    means = sums[drawn].sum(1) / counts[drawn].sum(1)
    low, high = np.quantile(means, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)

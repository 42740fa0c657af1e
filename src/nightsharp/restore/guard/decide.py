"""How much of a result to keep, from its scores: one logistic for the tile, limits for each cell of it."""

import math

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from nightsharp.methods.map_psf.estimate import SURE
from nightsharp.restore.guard.scores import Scores

# Fitted by benchmarks/harm_fit.py: score, range of use, weight per half range where there is no noise and where all is
# noise, and the words where it pulls down most.
RULE = {
    "ripple": (0.0, 1.25, 4.05, 4.09, "the PSF does not show in the photo's spectrum"),
    "power": (0.0, 1.25, 1.10, 1.64, "the PSF does not show in the photo's spectrum"),
    "scaled": (-0.303, 0.234, -3.79, -10.73, "the PSF has the wrong size"),
    "overshoot": (-5.0, 0.0, -4.23, -6.11, "overshoot"),
    "sparsity": (-0.729, 0.157, -2.10, -3.24, "ringing"),
    "unexplained": (-2.683, 0.054, -5.38, -5.36, "does not explain the input"),
    "smoothness": (0.01, 0.739, -5.25, -6.63, "does not explain the input"),
    "mirror": (-0.08, 0.0, -1.36, -1.35, "the PSF does not show in the photo's edges"),
}
BIASES = (-2.20, -2.31)
# The same, without noise, of gentle results with an estimated PSF: fitted by benchmarks/gentle_fit.py on pairs whose
# blur turns, with a tone curve and JPEG.
GENTLE = {
    "ripple": (0.0, 1.25, 3.69),
    "power": (0.0, 1.25, 5.32),
    "scaled": (-0.303, 0.234, 0.0),
    "overshoot": (-5.0, 0.0, -2.60),
    "sparsity": (-0.729, 0.157, -6.21),
    "unexplained": (-2.683, 0.054, -4.46),
    "smoothness": (0.01, 0.739, -8.31),
    "mirror": (-0.03, 0.0, -0.55),
}
GENTLE_BIAS = -1.60
# It speaks only where the gentle result leaves so much less unexplained (in nepers) than doing nothing; elsewhere what
# was not blurred at all could pass.
TELLING = -0.5
# No simulated pair is as uneven as a dark photograph full of lamps. There three witnesses are enough: the search was
# sure, the edges speak for the PSF and against its mirror image, and the gentle result explains the input, of which the
# spectrum shows at least something. 31 of the 450 pairs have all but the first; each of them gains 0.7 dB or more.
_EDGES, _EXPLAINED, _SHOWN = -0.042, -0.8, 0.25
# Where edges and spectrum speak as loudly as this for a PSF that was given, nothing else is asked: of 240 pages and 800
# crops of tuning photographs with right and wrong PSFs (turned by 3 to 180 degrees, scaled, noisy, others) 35 do, and
# none is harmed. Sharp letters under a long blur overshoot its grey many times, and were given up.
_LOUD_EDGES, _LOUD_SPECTRUM = -0.08, 1.0
# Noise below this part (in nepers) of what blurring once more takes away is none.
_NO_NOISE = -2.5

# The mirror image of the right PSF was never the better one on the tuning half; from here on it is seen as such.
_MIRRORED, _CERTAINLY_MIRRORED = 0.004, 0.015
# a part below the first is not worth its doubled edges; above the second it is the result
NOTHING_BELOW, _ALL_ABOVE = 0.35, 0.88

# An estimate's confidence is not better calibrated than this.
_MOST_ODDS = 3.0

# With the true PSF, 70 photographs reached 0.7, 0.76 and 0.35; a method that broke down 4, 0.4 to 8, and 0.6 to 15.
# Small letters that a long blur had made an even grey have several times its contrast when they are sharp again.
_CELL = 96
_MISFIT_ALLOWED = 1.5
_OVERSHOOT_ALLOWED = 1.1
_DRIFT_ALLOWED = 0.5
_DRIFT_FLOOR = 0.02


def part_of_tile(
    scores: Scores, confidence: float | None = None, *, gentle: bool = False
) -> tuple[float, dict[str, float], str]:
    r"""The part of the result that the tile's scores allow.

    .. math:: \alpha = \frac{1}{1 + \exp(-b - \log\frac{c}{1 - c} - \sum_i w_i z_i)}, \qquad
        z_i = \mathrm{clip}_{[-1,1]}\, \frac{s_i - (l_i + h_i)/2}{(h_i - l_i)/2}

    with b and w between those of a picture without noise and of one that is all noise, which every restoration makes
    cleaner; times 1 to 0 as the mirror image of the PSF explains the edges better; then 0 below 0.35 and 1 above 0.88.

    No pair that the rule was fitted on is as far from its PSF as a photograph from its estimate, so that it gives up
    results with estimates that are right. For gentle results that explain the photograph there is another one, fitted
    on pairs that are, and three witnesses for the PSF (``witnessed``) keep all of it; so do edges and spectrum that are
    ``certain``.

    Args:
        scores: of the tile.
        confidence: c, the probability that an estimated PSF is right, which was found on other evidence (sharper edges,
            agreement of several starts); None for a PSF that was given, which has no say (c = 1/2).
        gentle: whether the result was made at a quarter of the strength.

    Returns:
        The part, the scores in plain numbers, and the words for what pulled it down most.
    """
    mark = scores.mark
    numbers = {
        "ripple": mark.ripple,
        "power": mark.power,
        "scaled": mark.scaled,
        "mirror": scores.mirror,
        "overshoot": scores.overshoot,
        "sparsity": scores.sparsity,
        "unexplained": scores.unexplained,
        "smoothness": scores.smoothness,
    }
    noise = share_of_noise(scores.noise)
    gentle = gentle and scores.unexplained <= TELLING
    bias, pulls = GENTLE_BIAS if gentle else BIASES[0], {}
    for name, (low, high, clean, noisy, _) in RULE.items():
        quiet = _pull(numbers[name], *GENTLE[name]) if gentle else _pull(numbers[name], low, high, clean)
        pulls[name] = quiet + noise * (_pull(numbers[name], low, high, noisy) - quiet)
    bias += noise * (BIASES[1] - bias)
    mirrored = min(1.0, max(0.0, (scores.mirror - _MIRRORED) / (_CERTAINLY_MIRRORED - _MIRRORED)))
    part = (1 - mirrored) / (1 + math.exp(-bias - _odds(confidence) - sum(pulls.values())))
    if beyond_doubt(scores, confidence, gentle=gentle):
        part = 1.0
    words = "the PSF is upside down" if mirrored > 0 else RULE[min(pulls, key=lambda name: pulls[name])][-1]
    return 0.0 if part < NOTHING_BELOW else 1.0 if part > _ALL_ABOVE else part, numbers, words


def beyond_doubt(scores: Scores, confidence: float | None, *, gentle: bool) -> bool:
    """Whether a PSF that was given is ``certain``, or an estimate ``witnessed`` by a gentle result."""
    return certain(scores, confidence) or (gentle and witnessed(scores, confidence))


def witnessed(scores: Scores, confidence: float | None) -> bool:
    """Whether search, edges and result say, each for itself, that an estimate is right.

    Args:
        scores: of a gentle result.
        confidence: of the estimate; None for a PSF that was given, which nothing was searched for.
    """
    said = (scores.mirror, scores.unexplained, scores.mark.ripple)
    return (
        all(map(math.isfinite, said))
        and confidence is not None
        and confidence >= SURE
        and scores.mirror <= _EDGES
        and scores.unexplained <= _EXPLAINED
        and scores.mark.ripple >= _SHOWN
    )


def certain(scores: Scores, confidence: float | None) -> bool:
    """Whether edges and spectrum leave no doubt of a PSF that was given.

    Args:
        scores: of any result.
        confidence: of an estimate, which was made to fit them and is never certain; None for a PSF that was given.
    """
    return confidence is None and scores.mirror <= _LOUD_EDGES and scores.mark.ripple >= _LOUD_SPECTRUM


def share_of_noise(noise: float) -> float:
    """How far the rule is that of a picture which is all noise: 0 to 1.

    Args:
        noise: as in :class:`~nightsharp.restore.guard.scores.Scores`.
    """
    return min(1.0, max(0.0, 1 - noise / _NO_NOISE))


def _odds(confidence: float | None) -> float:
    if confidence is None:
        return 0.0
    least = 1 / (1 + math.exp(_MOST_ODDS))
    sure = min(1 - least, max(least, confidence))
    return math.log(sure / (1 - sure))


def _pull(score: float, low: float, high: float, weight: float) -> float:
    """What a score adds to the odds; one that is no number, or without bound, as much against as the worst."""
    return weight * placed(score, low, high) if math.isfinite(score) else -abs(weight)


def placed(score: float, low: float, high: float) -> float:
    """Where a score lies in its range: -1 at its low end and below, 1 at its high end and above; NaN stays NaN."""
    if math.isnan(score):
        return math.nan  # max and min would call it -1
    return min(1.0, max(-1.0, (score - (low + high) / 2) / ((high - low) / 2)))


def parts_of_cells(
    blurred: Float[Tensor, "1 channel height width"],
    sharp: Float[Tensor, "1 channel height width"],
    scores: Scores,
    clip: float | None,
    weight: Float[Tensor, "1 channel height width"] | None,
    *,
    sure: bool = False,
) -> tuple[Float[Tensor, "rows columns"], set[str]]:
    """Which cells, of about 96 pixels, pass their limits: 1, or 0; and words for why not.

    A cell fails when its re-blurred result misses the input by more than 1.5 times what is allowed, by the noise of
    its own brightness; when it leaves the local range of the input by more than the tile's contrast, or twice that
    where the PSF is ``beyond_doubt`` (sure); or when its mean drifts in a channel, which blur cannot do.
    """
    size = _cells(blurred)

    def mean(image: Tensor) -> Tensor:
        return functional.adaptive_avg_pool2d(image, size)

    cell_votes = mean(scores.votes)
    missed = mean(scores.misfit_map) / cell_votes.clamp_min(1e-3)
    noisier = 1.0 if weight is None else mean(weight.mean(1, keepdim=True)).clamp_min(1e-3).rsqrt()
    failed = {
        "does not explain the input": (missed > _MISFIT_ALLOWED * scores.allowed * noisier) & (cell_votes > 0.05),
        "overshoot": mean(scores.overshoot_map).sqrt() > _OVERSHOOT_ALLOWED * (2 if sure else 1),
        "colour drift": _drift(blurred, sharp, clip, size) > _DRIFT_ALLOWED,
    }
    passed = ~torch.stack([cells[0, 0] for cells in failed.values()]).any(0)
    return passed.to(blurred.dtype), {words for words, cells in failed.items() if bool(cells.any())}


def cells_without_drift(
    blurred: Float[Tensor, "1 channel height width"], sharp: Float[Tensor, "1 channel height width"], clip: float | None
) -> Float[Tensor, "rows columns"]:
    """Which cells keep their mean in every channel, which blur cannot change: 1, or 0."""
    return (_drift(blurred, sharp, clip, _cells(blurred)) <= _DRIFT_ALLOWED)[0, 0].to(blurred.dtype)


def _cells(image: Tensor) -> tuple[int, int]:
    height, width = image.shape[-2:]
    return max(1, round(height / _CELL)), max(1, round(width / _CELL))


def _drift(
    blurred: Tensor, sharp: Tensor, clip: float | None, size: tuple[int, int]
) -> Float[Tensor, "1 1 rows columns"]:
    """By how much the mean of a cell moved, in its largest channel, over the mean itself; saturated pixels aside."""
    white = max(1.0, float(blurred.max()))
    free = torch.ones_like(blurred[:, :1]) if clip is None else (blurred < clip).all(1, keepdim=True).to(blurred)
    moved = functional.adaptive_avg_pool2d((sharp.clamp(0, white) - blurred) * free, size).abs()
    level = functional.adaptive_avg_pool2d(blurred * free, size) + _DRIFT_FLOOR
    return (moved / level).amax(1, keepdim=True)

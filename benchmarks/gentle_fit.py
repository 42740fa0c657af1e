"""Fit what the guard's rule says of gentle results with estimated PSFs: ``python -m benchmarks.gentle_fit DATA``.

The pairs of ``camera_cases`` from the photographs of the tuning half are restored at a quarter of the strength, as
``restore/gentle.py`` does where the guard doubts. The gain is that in PSNR of display values, 12 px of border left out.
What is minimised, with p the part that the rule keeps at a confidence of 0.9, of which none is told:

    8 x what is lost beyond 0.05 dB against the input, p of it (beyond 1 dB it counts by its logarithm)
    1 x the part given up of what gains 0.3 dB and more
"""

import math
import sys
from pathlib import Path

import torch
from torch import Tensor

from benchmarks.camera_cases import cases
from benchmarks.harm import attempt, photographs
from benchmarks.harm_cases import Case
from nightsharp.photo import linear_to_srgb
from nightsharp.restore import gentle
from nightsharp.restore.guard.decide import GENTLE, GENTLE_BIAS, NOTHING_BELOW, TELLING, part_of_tile, placed
from nightsharp.restore.guard.scores import Input, follow

COUNT, SEED = 450, 11
_METHODS = ("nightwiener", "hyper_laplacian", "hyper_laplacian")
_CONFIDENCE = 0.9
_BORDER = 12
_STEPS, _FOLDS = 2500, 5
_LASSO, _RIDGE = 2e-3, 2e-4


def main() -> None:
    """Restore, measure, fit, ask the part that was left out in turns, print."""
    rows, gains, kinds, telling = [], [], [], []
    for number, case in enumerate(cases(photographs(Path(sys.argv[1]), half=0), COUNT, SEED)):
        found = measure(case, _METHODS[number % len(_METHODS)])
        if found is not None:
            numbers, gain = found
            rows.append([placed(numbers[name], low, high) for name, (low, high, _) in GENTLE.items()] + [1.0])
            gains.append(gain)
            kinds.append(case.kind)
            telling.append(numbers["unexplained"] <= TELLING)
        if number % 25 == 24:
            print(f"{number + 1} of {COUNT}", flush=True)
    columns, gained = torch.tensor(rows), torch.tensor(gains)
    for name, weight in zip([*GENTLE, "bias"], fit(columns, gained).tolist(), strict=True):
        print(f"{name:12} {weight:6.2f}")
    fold = torch.arange(len(gained)) % _FOLDS
    parts = torch.zeros(len(gained))
    for left_out in range(_FOLDS):
        asked = fold == left_out
        parts[asked] = kept(columns[asked], fit(columns[~asked], gained[~asked]))
    parts = parts * torch.tensor(telling)
    for kind in dict.fromkeys(kinds):
        chosen = torch.tensor([each == kind for each in kinds])
        gain, part = gained[chosen], parts[chosen]
        left = gain * (part > NOTHING_BELOW)
        print(
            f"{kind:12} {len(gain):3} cases, mean gain {gain.mean():6.2f} dB, harmed {int((gain < -0.1).sum()):3}; "
            f"asked of other folds: kept {int((part > NOTHING_BELOW).sum()):3}, harmed {int((left < -0.1).sum()):2}, "
            f"worst {left.min():6.2f}, mean gain {left.mean():5.2f} dB"
        )


def measure(case: Case, method: str) -> tuple[dict[str, float], float] | None:
    """The scores of a gentle result and its gain; None where the picture has no room for the PSF."""
    trial = attempt(case, method, gentle.GENTLE)
    moved, psf = follow(trial.blurred, case.psf)
    seen = Input.of(moved, psf, trial.sigma, trial.clip, trial.weight)
    if seen is None:
        return None
    numbers = part_of_tile(seen.scores(trial.sharp))[1]
    if not all(math.isfinite(number) for number in numbers.values()):
        raise ValueError(f"{case.kind}: a score is no number: {numbers}")
    inner = (..., slice(_BORDER, -_BORDER), slice(_BORDER, -_BORDER))
    shown = (linear_to_srgb(trial.sharp.clamp(0, 1)), case.blurred[None])
    after, before = (float((image - case.sharp[None])[inner].square().mean()) for image in shown)
    return numbers, 10 * math.log10(before / after)


def fit(columns: Tensor, gained: Tensor) -> Tensor:
    """The weights, and at the end the bias."""
    weights = torch.tensor([*(weight for *_, weight in GENTLE.values()), GENTLE_BIAS]).requires_grad_()
    steps = torch.optim.Adam([weights], lr=0.05)
    worth = gained > 0.3
    for _ in range(_STEPS):
        part = torch.sigmoid(columns @ weights + _odds())
        harm = (-part * gained - 0.05).clamp_min(0)
        harm = torch.where(harm > 1, 1 + harm.clamp_min(1).log() / 2, harm)
        loss = 8 * harm.mean() + (1 - part)[worth].mean()
        loss = loss + _LASSO * weights[:-1].abs().sum() + _RIDGE * weights.square().sum()
        steps.zero_grad()
        loss.backward()
        steps.step()
    return weights.detach()


def kept(columns: Tensor, weights: Tensor) -> Tensor:
    """The part that is kept of each."""
    return torch.sigmoid(columns @ weights + _odds())


def _odds() -> float:
    return math.log(_CONFIDENCE / (1 - _CONFIDENCE))


if __name__ == "__main__":
    main()

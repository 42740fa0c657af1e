"""Fit the guard's rule (restore/guard/decide.py) on the tuning half: ``python -m benchmarks.harm_fit DATA``.

What is minimised is what the guard is for, with alpha the part of the result that is kept. Along the blend
y + alpha (x - y) the squared error is e - 2 alpha C + alpha^2 D, with e the error of the input, C = mean (x - y)(t - y)
and D = mean (x - y)^2, so every case gives its PSNR for every alpha without restoring it again. The loss adds

    20 x what is lost beyond 0.05 dB against the input (beyond 1 dB it counts by its logarithm)
     2 x the part of the gain given away where the PSF is true
   0.6 x the part of the gain given away in JPEG and saturated pictures

The shipped numbers come from these 1,480 cases of 64 to 256 pixels, by five methods. The rule harms 14 of them by more
than 0.1 dB (12 of 640 with a wrong PSF); without the guard it is 388.
"""

import math
import sys
from pathlib import Path

import torch
from torch import Tensor

from benchmarks import harm_cases
from benchmarks.harm import attempt, photographs
from nightsharp.methods import get_method, list_methods
from nightsharp.photo import srgb_to_linear
from nightsharp.restore.guard.decide import RULE, part_of_tile, placed
from nightsharp.restore.guard.scores import Input, Scores, follow

_SIDES = (64, 96, 128, 192, 256, 256, 256, 256)
_COUNTS = {"wrong PSF": 80, "true PSF": 40, "no blur": 20, "saturation": 20, "JPEG 60": 20, "pure noise": 5}
_STEPS = 500


def main() -> None:
    """Restore, measure, fit, print weights and bias for the ranges that the rule has now."""
    pictures = photographs(Path(sys.argv[1]), half=0)
    methods = ["hyper_laplacian", "nightwiener"] * 4 + [spec.name for spec in list_methods() if not spec.learned]
    scores, errors, levels = [], [], []
    for turn, side in enumerate(_SIDES):
        harm_cases.SIDE = side
        for level, count in _COUNTS.items():
            for number, case in enumerate(harm_cases.cases(level, pictures, count, seed=100 + turn)):
                if max(case.psf.size) > side:
                    continue
                trial = attempt(case, methods[number % len(methods)])
                linear = case.linear and get_method(methods[number % len(methods)]).light == "linear"
                truth = srgb_to_linear(case.sharp[None]) if linear else case.sharp[None]
                moved, psf = follow(trial.blurred, case.psf)
                truth, _ = follow(truth, case.psf) if case.reach else (truth, psf)
                seen = Input.of(moved, psf, trial.sigma, trial.clip, trial.weight)
                if seen is None:
                    continue
                numbers = _numbers(seen.scores(trial.sharp))
                if not all(math.isfinite(score) for score in numbers):
                    raise ValueError(f"{level}, case {number}, {side} px: a score is no number: {numbers}")
                scores.append(numbers)
                step, missing = trial.sharp.clamp(0, 1) - moved, truth - moved
                errors.append([float((a * b).mean()) for a, b in ((missing, missing), (step, missing), (step, step))])
                levels.append(level)
        print(f"{side} px: {len(levels)} cases")
    weights, bias = fit(torch.tensor(scores), torch.tensor(errors), levels)
    for name, weight in zip(RULE, weights.tolist(), strict=True):
        print(f"{name:12} {weight:6.2f}")
    print(f"{'bias':12} {bias:6.2f}")


def fit(scores: Tensor, errors: Tensor, levels: list[str]) -> tuple[Tensor, float]:
    """Weights and bias of the logistic; ``scores`` already within -1 and 1."""
    before, joint, own = errors.clamp_min(3e-6)[:, 0], errors[:, 1], errors[:, 2]

    def gain(part: Tensor) -> Tensor:
        return -10 * ((before - 2 * part * joint + part.square() * own).clamp_min(1e-7) / before).log10()

    full = gain(torch.ones(len(levels)))
    true = torch.tensor([level == "true PSF" for level in levels])
    rough = torch.tensor([level in ("JPEG 60", "saturation") for level in levels])
    weights = torch.zeros(scores.shape[1], requires_grad=True)
    bias = torch.zeros((), requires_grad=True)
    steps = torch.optim.Adam([weights, bias], lr=0.08)
    for _ in range(_STEPS):
        gained = gain(torch.sigmoid(scores @ weights + bias))
        harm = (-gained - 0.05).clamp_min(0)
        harm = torch.where(harm > 1, 1 + harm.clamp_min(1).log() / 2, harm)
        given_away = (full - gained).clamp_min(0)
        loss = 20 * harm.mean() - 0.03 * gained.clamp(-1, 5).mean() + 1e-3 * weights.abs().sum()
        loss = loss + 2 * given_away[true].sum() / full[true].sum()
        loss = loss + 0.6 * given_away[rough].sum() / full[rough].clamp_min(0).sum()
        steps.zero_grad()
        loss.backward()
        steps.step()
    return weights.detach(), float(bias.detach())


def _numbers(found: Scores) -> list[float]:
    _, numbers, _ = part_of_tile(found)
    return [placed(numbers[name], low, high) for name, (low, high, _, _) in RULE.items()]


if __name__ == "__main__":
    main()

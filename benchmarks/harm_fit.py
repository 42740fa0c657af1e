"""Fit the guard's rule (restore/guard/decide.py) on the tuning half: ``python -m benchmarks.harm_fit DATA``.

What is minimised is what the guard is for, with alpha the part of the result that is kept. Along the blend
y + alpha (x - y) the squared error is e - 2 alpha C + alpha^2 D, with e the error of the input, C = mean (x - y)(t - y)
and D = mean (x - y)^2, so every case gives its PSNR for every alpha without restoring it again. The loss adds

    20 x what is lost beyond 0.05 dB against the input (beyond 1 dB it counts by its logarithm)
     2 x the part of the gain given away where the PSF is true
     1 x the part of the gain given away in JPEG, saturated and very noisy pictures

What the rule says of pictures without noise stays as it was fitted on 1,480 such cases by five methods. Fitted anew to
the cases below it would harm three fewer of them and keep the input of two of 14 photographs that it makes sharper: no
pair made here is as far from its PSF as a photograph from its estimate. What is fitted is what it says where all is
noise. With it the rule harms 15 of 1,720 cases of 64 to 256 pixels by six methods, by more than 0.1 dB; without the
guard it is 425. Fitted on two thirds and asked about the other third, in turns, it harms 18.
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
from nightsharp.restore.guard.decide import BIASES, RULE, part_of_tile, placed, share_of_noise
from nightsharp.restore.guard.scores import Input, follow

_SIDES = (64, 96, 128, 192, 256, 256, 256, 256)
_COUNTS = {
    "wrong PSF": 80,
    "true PSF": 40,
    "no blur": 20,
    "saturation": 20,
    "JPEG 60": 20,
    "pure noise": 5,
    "strong noise": 30,
}
_STEPS = 1500


def main() -> None:
    """Restore, measure, fit, print weights and bias for the ranges that the rule has now."""
    pictures = photographs(Path(sys.argv[1]), half=0)
    methods = ["hyper_laplacian", "nightwiener"] * 4 + [spec.name for spec in list_methods() if not spec.learned]
    methods += ["dwdn"] * 2
    scores, shares, errors, levels = [], [], [], []
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
                found = seen.scores(trial.sharp)
                numbers = part_of_tile(found)[1]
                if not all(math.isfinite(score) for score in numbers.values()):
                    raise ValueError(f"{level}, case {number}, {side} px: a score is no number: {numbers}")
                scores.append([placed(numbers[name], low, high) for name, (low, high, *_) in RULE.items()])
                shares.append(share_of_noise(found.noise))
                step, missing = trial.sharp.clamp(0, 1) - moved, truth - moved
                errors.append([float((a * b).mean()) for a, b in ((missing, missing), (step, missing), (step, step))])
                levels.append(level)
        print(f"{side} px: {len(levels)} cases")
    weights = fit(torch.tensor(scores), torch.tensor(shares), torch.tensor(errors), levels)
    for name, (clean, noisy) in zip([*RULE, "bias"], weights.T.tolist(), strict=True):
        print(f"{name:12} without noise {clean:6.2f}, all noise {noisy:6.2f}")


def fit(scores: Tensor, shares: Tensor, errors: Tensor, levels: list[str]) -> Tensor:
    """Weights, and at the end the bias, of the logistic without noise, as they are, and where all is noise.

    Args:
        scores: within -1 and 1, a row for each case.
        shares: of noise, within 0 and 1.
        errors: of input and result, as in the file's head.
        levels: to which each case belongs.
    """
    columns = torch.cat([scores, torch.ones(len(scores), 1)], dim=1)
    before, joint, own = errors.clamp_min(3e-6)[:, 0], errors[:, 1], errors[:, 2]

    def gain(part: Tensor) -> Tensor:
        return -10 * ((before - 2 * part * joint + part.square() * own).clamp_min(1e-7) / before).log10()

    full = gain(torch.ones(len(levels)))
    true = torch.tensor([level == "true PSF" for level in levels])
    rough = torch.tensor([level in ("JPEG 60", "saturation", "strong noise") for level in levels])
    clean = torch.tensor([*(weight for _, _, weight, *_ in RULE.values()), BIASES[0]])
    noisy = clean.clone().requires_grad_()
    steps = torch.optim.Adam([noisy], lr=0.08)
    for _ in range(_STEPS):
        gained = gain(torch.sigmoid(torch.lerp(columns @ clean, columns @ noisy, shares)))
        harm = (-gained - 0.05).clamp_min(0)
        harm = torch.where(harm > 1, 1 + harm.clamp_min(1).log() / 2, harm)
        given_away = (full - gained).clamp_min(0)
        loss = 20 * harm.mean() - 0.03 * gained.clamp(-1, 5).mean() + 2e-3 * (noisy - clean).abs().sum()
        loss = loss + 2 * given_away[true].sum() / full[true].sum()
        loss = loss + given_away[rough].sum() / full[rough].clamp_min(0).sum()
        steps.zero_grad()
        loss.backward()
        steps.step()
    return torch.stack([clean, noisy.detach()])


if __name__ == "__main__":
    main()

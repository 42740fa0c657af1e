"""Does the guard hand back anything worse than it was given, and what does that cost?"""

import csv
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from benchmarks.harm_cases import LEVELS, Case, cases
from benchmarks.protocol import aligned_error, decibel
from nightsharp.methods import get_method
from nightsharp.methods._blocks import CLIPPED
from nightsharp.optics import without_grain
from nightsharp.photo import Photo, linear_to_srgb, srgb_to_linear
from nightsharp.restore.function import function_of
from nightsharp.restore.gentle import ENOUGH, GENTLE, PHOTO, TENSOR, keeps_more
from nightsharp.restore.given import Given
from nightsharp.restore.guard import Checked, Verdict, check_tile, judge_psf, summarise
from nightsharp.restore.instead import classical_instead
from nightsharp.restore.kind import kind_of
from nightsharp.restore.noise import measure_noise
from nightsharp.restore.order import Order
from nightsharp.restore.route import choose_route

PROTOCOL = """Do no harm: pairs of 256 x 256 (tiny: 1 to 48) from sharp photographs the guard was not tuned on, PSFs of
nightsharp.optics, 40 % blurred in linear light, rounded to 8 bits; the PSF is given, and wrong where the level says so.
PSNR of display values after clipping, no border left out, against that of the blurred input; harmed: lower by more than
0.1 dB. A PSF off its centre shifts the picture: there both are compared at the best shift within its offset."""

COUNT = 200
SEED = 7
ALLOWED = -0.1
_LOST = 120.0


@dataclass(frozen=True)
class Trial:
    """A case, restored.

    Attributes:
        blurred: the input in the light of the method, (1, channel, height, width).
        sharp: the result before the guard.
        sigma: the noise the method was given.
        clip: from this value on a pixel was taken as saturated.
        weight: the trust in each pixel.
        seconds: what the method took.
    """

    blurred: Tensor
    sharp: Tensor
    sigma: Tensor
    clip: float
    weight: Tensor | None
    seconds: float


def measure(data: Path, every: int = 1, method: str = "hyper_laplacian") -> list[dict[str, object]]:
    """One row for each level; ``data`` holds train_bsds400 and pack. Every N-th case."""
    return rows(data, method, tuple(LEVELS), max(1, COUNT // every), compare, PROTOCOL)


def rows(
    data: Path, method: str, levels: Sequence[str], count: int, judge: Callable[[Case, str], "Outcome"], protocol: str
) -> list[dict[str, object]]:
    """One row for each level, of so many cases, judged with their PSF or without."""
    print(protocol)
    pictures = photographs(data, half=1)
    if not pictures:
        print(f"neither train_bsds400 nor pack is in {data}, left out")
        return []
    table: list[dict[str, object]] = []
    for level in levels:
        drawn = cases(level, pictures, count, seed=SEED)
        table.append({"level": level, "method": method, **figures([judge(case, method) for case in drawn])})
        print("  ".join(f"{name} {value}" for name, value in table[-1].items()), flush=True)
    return table


def photographs(data: Path, half: int) -> list[Callable[[], Tensor]]:
    """Every other sharp photograph by day and by night: half 0 is for tuning, half 1 for the figures."""
    files = sorted((data / "train_bsds400").glob("*.jpg"))[half::2]
    index = data / "pack" / "index.csv"
    if index.is_file():
        with index.open(newline="") as rows:
            night = [data / "pack" / row["file"] for row in csv.DictReader(rows) if "night" in row["split"]]
        files += night[half::2]
    return [lambda file=file: _opened(file) for file in files]


def attempt(case: Case, method: str, strength: float = 1.0) -> Trial:
    """Restore as ``nightsharp.deblur`` does, without the guard."""
    spec = get_method(method)
    given = _given(case)
    clip = float(srgb_to_linear(torch.tensor(CLIPPED))) if case.linear else CLIPPED
    noise = measure_noise(given, spec.light)
    height, width = given.size
    weight = noise.weight(given, spec.light, slice(0, height), slice(0, width))
    blurred = given.values(spec.light)
    start = time.perf_counter()
    sharp = function_of(spec)(
        blurred,
        case.psf.kernel[None, None],
        sigma=noise.sigma,
        strength=strength,
        clip=clip,
        contrast=noise.contrast,
        weight=weight,
        tolerance=0.0,
    )
    return Trial(blurred, sharp, noise.sigma, clip, weight, time.perf_counter() - start)


def guarded(case: Case, trial: Trial, confidence: float | None = None, *, gentle: bool = False) -> Checked:
    """What the guard leaves of a trial, the whole input where its summary says so."""
    checked = check_tile(
        trial.blurred,
        trial.sharp,
        case.psf,
        sigma=trial.sigma,
        clip=trial.clip,
        weight=trial.weight,
        confidence=confidence,
        gentle=gentle,
    )
    if summarise([checked]).kept == "input":
        return Checked(trial.blurred, torch.zeros_like(checked.cells), checked.reasons, checked.scores)
    return checked


@dataclass(frozen=True)
class Outcome:
    """PSNR of the input, of the result and of what the guard leaves of it.

    Attributes:
        kind: what exactly the case was.
        before: of the input.
        result: of the result before the guard.
        guarded: of what the guard leaves; with it, a PSF that was given is used without its grain.
        seconds: what the method took.
        guard_seconds: what the guard took.
    """

    kind: str
    before: float
    result: float
    guarded: float
    seconds: float = 0.0
    guard_seconds: float = 0.0


def compare(case: Case, method: str, confidence: float | None = None) -> Outcome:
    """Restore a case and have the guard look at it.

    Args:
        case: the pair, with the PSF that is used.
        method: the name of a method that takes a PSF, or ``auto`` for the way that ``nightsharp.deblur`` takes.
        confidence: of an estimated PSF; None for one that was given.
    """
    if method == "auto":
        return _routed(case, confidence)
    before = psnr(case, case.blurred[None])
    if max(case.psf.size) > min(case.blurred.shape[-2:]):
        return Outcome(case.kind, before, before, before)
    refused = judge_psf(case.psf, confidence) is not None
    if refused and confidence is None:
        return Outcome(case.kind, before, before, before)
    first = 1.0 if confidence is None else PHOTO if case.linear else TENSOR
    trial = attempt(case, method, first)
    result = psnr(case, _display(case, trial.sharp))
    if refused:
        return Outcome(case.kind, before, result, before, trial.seconds)
    if confidence is None and (clean := without_grain(case.psf)) is not case.psf:
        case = replace(case, psf=clean)
        trial = attempt(case, method, first)
    start = time.perf_counter()
    checked = guarded(case, trial, confidence)
    seconds = time.perf_counter() - start
    if confidence is not None and (verdict := summarise([checked])).part < ENOUGH:
        again = guarded(case, attempt(case, method, GENTLE), confidence, gentle=True)
        if keeps_more(summarise([again]), verdict):
            checked = again
    after = psnr(case, _display(case, checked.sharp))
    return Outcome(case.kind, before, result, after, trial.seconds, seconds)


def _routed(case: Case, confidence: float | None) -> Outcome:
    """The route's first method, and behind strong noise the classical one where the guard kept the input."""
    given = _given(case)
    psf = without_grain(case.psf) if confidence is None else case.psf
    kind = kind_of(given, psf, varies=False)
    route = choose_route(None, psf_given=confidence is None, kind=kind)
    first = compare(case, route.method.name, confidence)
    order = Order(route, case.psf, "given", confidence, 1.0, guard=True, light=None)
    kept = Verdict("input" if first.guarded == first.before else "result", "")
    instead = classical_instead(order, kept, given)
    if instead is None:
        return first
    second = compare(case, instead.route.method.name)
    return first if second.guarded == second.before else second


def _given(case: Case) -> Given:
    """A case as ``nightsharp.deblur`` sees it."""
    if case.linear:
        return Given(Photo(srgb_to_linear(case.blurred).expand(3, -1, -1).contiguous()), None, None)
    return Given(None, case.blurred, None)


def psnr(case: Case, image: Tensor) -> float:
    """Against the truth, in display values; where the PSF is off its centre, at the best shift."""
    return decibel(aligned_error(image, case.sharp[None], case.reach, reach=case.reach))


def _display(case: Case, image: Tensor) -> Tensor:
    return linear_to_srgb(image.clamp(0, 1)) if case.linear else image


def figures(outcomes: list[Outcome]) -> dict[str, object]:
    """Counts, worst and mean of a level, and each case that the guard let through although it was harmed."""

    def gains(name: str) -> np.ndarray:
        # a result that is no number is as far below the input as can be
        return np.nan_to_num([getattr(outcome, name) - outcome.before for outcome in outcomes], nan=-_LOST)

    bare, safe = gains("result"), gains("guarded")
    return {
        "cases": len(outcomes),
        "unguarded_harmed": int((bare < ALLOWED).sum()),
        "guarded_harmed": int((safe < ALLOWED).sum()),
        "unguarded_worst": round(float(bare.min()), 2),
        "guarded_worst": round(float(safe.min()), 2),
        "unguarded_gain": round(float(bare.mean()), 3),
        "guarded_gain": round(float(safe.mean()), 3),
        "cost": round(sum(o.guard_seconds for o in outcomes) / max(sum(o.seconds for o in outcomes), 1e-9), 3),
        "harmed": [
            {"case": number, "kind": outcomes[number].kind, "gain": round(float(safe[number]), 2)}
            for number in np.flatnonzero(safe < ALLOWED).tolist()
        ],
    }


def _opened(file: Path) -> Tensor:
    values = np.asarray(Image.open(file).convert("RGB"), dtype=np.float32) / 255
    return torch.from_numpy(values.copy()).permute(2, 0, 1).contiguous()

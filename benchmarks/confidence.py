"""How far the confidence of an estimated PSF can be believed: ``python -m benchmarks.confidence --data DIR``.

Estimates the PSFs of sets with truths, restores with them, and fits and draws the confidence against the real error.
"""

import argparse
import itertools
import json
import math
from pathlib import Path

import numpy as np
from scipy.optimize import minimize

from benchmarks.chart import line_chart
from benchmarks.docs import CHARTS, RESULTS
from benchmarks.protocol import aligned_error
from nightsharp.evaluation.benchmarks import get_benchmark
from nightsharp.methods.hyper_laplacian import hyper_laplacian
from nightsharp.methods.map_psf import Evidence, estimate_psf, similarity
from nightsharp.methods.map_psf.confidence import weigh

# Every how manyth image of a set; an odd number meets all eight PSFs.
SETS = {"levin2009": 1, "pan_lowillumination": 5, "pan_text": 5, "lai2016_uniform": 9}
_BORDER = 30
_BINS = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)


def measure(data: Path, sets: dict[str, int]) -> list[dict[str, float | str]]:
    """The evidence of every estimate and how wrong it was."""
    rows: list[dict[str, float | str]] = []
    for name, step in sets.items():
        for sample in list(get_benchmark(name).samples(data))[::step]:
            pair = sample.load()
            if pair.sharp is None or pair.psf is None:
                continue
            found = estimate_psf(pair.blurred)
            blurred, sharp = pair.blurred[None], pair.sharp[None]
            with_estimate, with_truth = (
                aligned_error(
                    hyper_laplacian(blurred, psf.kernel[None, None].to(blurred)), sharp, _BORDER, quarter=True
                )
                for psf in (found.psf, pair.psf)
            )
            rows.append(
                {
                    "set": name,
                    "image": sample.name,
                    "gain": found.evidence.gain,
                    "agreement": found.evidence.agreement,
                    "confidence": found.confidence,
                    "error_ratio": with_estimate / with_truth,
                    "gained_db": 10 * math.log10(aligned_error(blurred, sharp, _BORDER, quarter=True) / with_estimate),
                    "similarity": similarity(found.psf.kernel, pair.psf.kernel),
                }
            )
            print(" ".join(f"{v:.3f}" if isinstance(v, float) else str(v) for v in rows[-1].values()), flush=True)
    return rows


def fit(rows: list[dict[str, float | str]]) -> tuple[float, float, float]:
    """Bias and weights of log gain and agreement: logistic regression of "error ratio at most 3"."""
    evidence = np.array([[1.0, math.log(float(r["gain"])), float(r["agreement"])] for r in rows])
    sign = np.array([1.0 if float(r["error_ratio"]) <= 3 else -1.0 for r in rows])

    def cost(weights: np.ndarray) -> float:
        loss = np.log1p(np.exp(-sign * (evidence @ weights))).mean()
        return float(loss + 1e-4 * np.square(weights[1:]).sum())

    bias, by_gain, by_agreement = minimize(cost, np.zeros(3)).x
    return float(bias), float(by_gain), float(by_agreement)


def draw(rows: list[dict[str, float | str]]) -> str:
    """Reliability: of the estimates with about this confidence, the part that was right and the part that gained."""
    curves: dict[str, list[tuple[float, float]]] = {"error ratio <= 3": [], "better than the input": [], "ideal": []}
    for low, high in itertools.pairwise(_BINS):
        here = [r for r in rows if low <= _confidence(r) < high or _confidence(r) == high == 1.0]
        if not here:
            continue
        place = round(float(np.mean([_confidence(r) for r in here])), 2)
        right = float(np.mean([float(r["error_ratio"]) <= 3 for r in here]))
        better = float(np.mean([float(r["gained_db"]) > 0 for r in here]))
        for name, part in (("error ratio <= 3", right), ("better than the input", better), ("ideal", place)):
            curves[name].append((place, 100 * part))
        print(f"confidence {low:.1f} to {high:.1f}: {len(here)} images, mean {place:.2f}", end=", ")
        print(", ".join(f"{name} {points[-1][1]:.0f} %" for name, points in curves.items() if name != "ideal"))
    return line_chart("Confidence of an estimated PSF", "confidence (mean of the bin)", curves, unit=" %", step=20)


def _confidence(row: dict[str, float | str]) -> float:
    gain, agreement = float(row["gain"]), float(row["agreement"])
    return weigh(Evidence(sparsity=1.0, gain=gain, residual=0.0, rim=0.0, agreement=agreement))


def main() -> None:
    """Measure (with ``--data``) or take what is stored; print the fit, draw the chart."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.confidence", description=__doc__)
    parser.add_argument("--data", type=Path, help="folder that holds the sets; without it the stored rows are taken")
    parser.add_argument("--sets", nargs="+", default=list(SETS), choices=list(SETS))
    choice = parser.parse_args()
    stored = RESULTS / "confidence.json"
    rows: list[dict[str, float | str]] = json.loads(stored.read_text())["rows"] if stored.is_file() else []
    if choice.data is not None:
        rows = [row for row in rows if row["set"] not in choice.sets]
        rows += measure(choice.data, {name: SETS[name] for name in choice.sets})
        RESULTS.mkdir(parents=True, exist_ok=True)
        stored.write_text(json.dumps({"rows": rows}, indent=1) + "\n")
    print("bias {:.1f}, log gain {:.1f}, agreement {:.1f}".format(*fit(rows)))
    (CHARTS / "confidence.svg").write_text(draw(rows))


if __name__ == "__main__":
    main()

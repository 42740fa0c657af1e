"""Blind deblurring: estimate the PSF, restore with hyper_laplacian, compare with the truth and with the true PSF."""

import time
from pathlib import Path

import numpy as np

from benchmarks.protocol import aligned_error, decibel
from benchmarks.sets import SETS, Pair
from nightsharp.methods.hyper_laplacian import hyper_laplacian
from nightsharp.methods.map_psf import estimate_psf, similarity

PROTOCOL = """Blind, PSF size unknown, one setting for all images; map_psf, then hyper_laplacian with its defaults.
PSNR after clipping to [0, 1], border left out (Levin 25 px, Pan 30 px), best whole-pixel shift within 5 px.
Error ratio: squared error with the estimated PSF over that with the true one, same restoration.
Similarity: largest normalised cross-correlation of the PSFs over shifts. Seconds: the estimate alone."""


def measure(data: Path, every: int = 1) -> list[dict[str, object]]:
    """One row for each set; sets that are not there are named and left out."""
    print(PROTOCOL)
    table: list[dict[str, object]] = []
    for name, reader in SETS.items():
        if not (data / name).is_dir():
            print(f"{name}: not in {data}, left out")
            continue
        rows = [_figures(pair) for pair in list(reader(data))[::every]]
        mean = {key: round(float(np.mean([row[key] for row in rows])), 3) for key in rows[0]}
        within = sum(row["ratio"] <= 3 for row in rows)
        below = sum(row["blind"] < row["input"] for row in rows)
        table.append({"set": name, "images": len(rows), **mean, "ratio_within_3": within, "below_input": below})
        print(
            f"{name:22} {len(rows)} images  input {mean['input']:.2f} dB  true PSF {mean['true_psf']:.2f}  "
            f"blind {mean['blind']:.2f}  error ratio <= 3: {within}  below input: {below}  "
            f"similarity {mean['similarity']:.3f}  confidence {mean['confidence']:.2f}  {mean['seconds']:.1f} s"
        )
    return table


def _figures(pair: Pair) -> dict[str, float]:
    start = time.perf_counter()
    estimate = estimate_psf(pair.blurred)
    seconds = time.perf_counter() - start
    kernels = (pair.psf, estimate.psf.kernel[None, None])
    images = [pair.blurred, *(hyper_laplacian(pair.blurred, kernel) for kernel in kernels)]
    errors = [aligned_error(image, pair.sharp, pair.border) for image in images]
    return {
        "input": decibel(errors[0]),
        "true_psf": decibel(errors[1]),
        "blind": decibel(errors[2]),
        "ratio": errors[2] / errors[1],
        "similarity": similarity(estimate.psf.kernel, pair.psf[0, 0]),
        "confidence": estimate.confidence,
        "seconds": seconds,
    }

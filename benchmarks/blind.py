"""Blind deblurring on the Levin 2009 and Pan sets: estimate the PSF, restore with hyper_laplacian, compare.

python benchmarks/blind.py --data DIR --out DIR [--sets levin low text] [--every N]
"""

import argparse
import csv
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from nightsharp.methods.hyper_laplacian import hyper_laplacian
from nightsharp.methods.map_psf import estimate_psf, similarity

PROTOCOL = """Protocol. PSF size unknown, one setting for all images. PSNR after clipping to [0, 1], the border
cropped (Levin 25 px, Pan 30 px), best over whole-pixel shifts of +-5 (a blind PSF has no place of its own); mean over
images. SSD ratio: squared error with the estimated PSF over that with the true one, same restoration. Similarity:
largest normalised cross-correlation of the PSFs over shifts. Seconds: the estimate alone.
"""


class Pair(NamedTuple):
    """A blurred image, its truth, the true PSF and the border that does not count."""

    name: str
    blurred: Tensor
    sharp: Tensor
    psf: Tensor
    border: int


def picture(file: Path) -> Tensor:
    """A file as (channel, height, width) in [0, 1], grey where the channels agree."""
    values = np.atleast_3d(np.asarray(Image.open(file), dtype=np.float32) / 255)[..., :3]
    return torch.from_numpy(values).permute(2, 0, 1).contiguous()


def levin(data: Path) -> Iterator[Pair]:
    """Levin et al. 2009: 4 images x 8 captured PSFs, one truth per pair."""
    for file in sorted((data / "levin2009" / "blurred").glob("*.png")):
        psf = np.load(data / "levin2009" / "kernel" / f"{file.stem[-5:]}.npy")
        yield Pair(file.stem, picture(file), picture(data / "levin2009" / "gt" / file.name), torch.from_numpy(psf), 25)


def low(data: Path) -> Iterator[Pair]:
    """Pan et al., low illumination: saturated night images."""
    folder = data / "pan_lowillumination"
    for file in sorted((folder / "blurred").glob("*.png")):
        image, number = file.stem.removesuffix("_blur").rsplit("_", 1)
        psf = np.load(folder / "kernel" / f"ker{int(number):02d}.npy")
        yield Pair(file.stem, picture(file), picture(folder / "gt" / f"{image}.png"), torch.from_numpy(psf), 30)


def text(data: Path) -> Iterator[Pair]:
    """Pan et al. 2014: 15 text images x 8 PSFs."""
    folder = data / "pan_text"
    for file in sorted((folder / "blurred").glob("*.png")):
        image, psf, _ = file.stem.split("_")
        truth = next((folder / "gt").glob(f"{image}*"))
        yield Pair(
            file.stem, picture(file), picture(truth), torch.from_numpy(np.load(folder / "kernel" / f"{psf}.npy")), 30
        )


SETS = {"levin": levin, "low": low, "text": text}


def error(restored: Tensor, sharp: Tensor, border: int, reach: int = 5) -> float:
    """The least mean squared error over whole-pixel shifts."""
    height, width = sharp.shape[-2:]
    target = sharp[..., border : height - border, border : width - border]
    return min(
        float(
            (restored[..., border + y : height - border + y, border + x : width - border + x] - target).square().mean()
        )
        for y in range(-reach, reach + 1)
        for x in range(-reach, reach + 1)
    )


def psnr(mean_squared_error: float) -> float:
    """Decibel for a peak of 1."""
    return float(-10 * np.log10(mean_squared_error))


def measure(pair: Pair) -> dict[str, float | str]:
    """One row of the table."""
    start = time.perf_counter()
    estimate = estimate_psf(pair.blurred)
    seconds = time.perf_counter() - start
    errors = [error(pair.blurred, pair.sharp, pair.border)]
    for kernel in (pair.psf.float(), estimate.psf.kernel):
        restored = hyper_laplacian(pair.blurred[None], kernel[None, None]).clamp(0, 1)[0]
        errors.append(error(restored, pair.sharp, pair.border))
    return {
        "name": pair.name,
        "input": psnr(errors[0]),
        "true_psf": psnr(errors[1]),
        "blind": psnr(errors[2]),
        "ssd_ratio": errors[2] / errors[1],
        "similarity": similarity(estimate.psf.kernel, pair.psf.float()),
        "confidence": estimate.confidence,
        "size": estimate.size,
        "seconds": seconds,
        **{f"evidence_{key}": value for key, value in vars(estimate.evidence).items()},
    }


def main() -> None:
    """Measure the sets and write one CSV file for each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--data", type=Path, required=True, help="folder that holds levin2009, pan_lowillumination, pan_text"
    )
    parser.add_argument("--out", type=Path, required=True, help="where the CSV files go")
    parser.add_argument("--sets", nargs="+", choices=SETS, default=list(SETS))
    parser.add_argument("--every", type=int, default=1, help="take every N-th image only")
    chosen = parser.parse_args()
    chosen.out.mkdir(parents=True, exist_ok=True)
    print(PROTOCOL)
    for name in chosen.sets:
        rows = []
        for pair in list(SETS[name](chosen.data))[:: chosen.every]:
            rows.append(measure(pair))
            print(
                "  " + "  ".join(f"{k} {v:.3g}" if isinstance(v, float) else f"{v}" for k, v in rows[-1].items()),
                flush=True,
            )
        with (chosen.out / f"blind_{name}.csv").open("w", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
        mean = {
            key: float(np.mean([row[key] for row in rows]))
            for key in ("input", "true_psf", "blind", "similarity", "seconds")
        }
        within = sum(float(row["ssd_ratio"]) <= 3 for row in rows)
        below = sum(float(row["blind"]) < float(row["input"]) for row in rows)
        print(
            f"{name}: {len(rows)} images  input {mean['input']:.2f} dB  true PSF {mean['true_psf']:.2f}  "
            f"blind {mean['blind']:.2f}  SSD ratio <= 3: {within}  below input: {below}  "
            f"similarity {mean['similarity']:.3f}  {mean['seconds']:.1f} s"
        )


if __name__ == "__main__":
    main()

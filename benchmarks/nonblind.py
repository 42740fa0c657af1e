"""The classical methods with the true PSF, on Levin 2009 (captured) and Pan's low-illumination set (saturated)."""

import time
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from benchmarks.protocol import aligned_error, decibel, psnr
from benchmarks.sets import Pair, levin, low_illumination
from nightsharp.methods import list_methods
from nightsharp.optics import psf_to_otf

PROTOCOL = """Every method with its own defaults (noise estimated from the image), true PSF, values clipped to [0, 1].
Levin 2009: 32 captured images, one truth per pair, 25 px border left out, best shift within 5 px
  (whole: whole pixels; quarter: refined in quarter pixels, bilinear, as in Levin's evaluation).
Pan low illumination: 32 saturated images, PSNR with 30 px border left out and over the whole image, no shift."""


def tikhonov(blurred: Tensor, psf: Tensor, ridge: float = 1e-2) -> Tensor:
    """A linear filter with a replicated border, for reference."""
    reach = max(psf.shape[-2:])
    wide = torch.nn.functional.pad(blurred, (reach,) * 4, mode="replicate")
    size = (wide.shape[-2], wide.shape[-1])
    otf = psf_to_otf(psf, size)
    restored = torch.fft.irfft2(torch.fft.rfft2(wide) * otf.conj() / (otf.abs().square() + ridge), s=size)
    return restored[..., reach:-reach, reach:-reach]


def measure(data: Path, every: int = 1) -> list[dict[str, object]]:
    """One row for each set and method; the sets that are not there are named and left out."""
    methods = {"(blurred input)": lambda blurred, _psf: blurred, "linear Tikhonov, replicate": tikhonov}
    methods |= {spec.name: spec.load() for spec in list_methods() if spec.needs_psf}
    rows: list[dict[str, object]] = []
    print(PROTOCOL)
    for folder, reader in (("levin2009", levin), ("pan_lowillumination", low_illumination)):
        if not (data / folder).is_dir():
            print(f"{folder}: not in {data}, left out")
            continue
        pairs = list(reader(data))[::every]
        for name, method in methods.items():
            start = time.perf_counter()
            restored = [method(pair.blurred, pair.psf) for pair in pairs]
            seconds = (time.perf_counter() - start) / len(pairs)
            figures = [_figures(folder, image, pair) for image, pair in zip(restored, pairs, strict=True)]
            mean = {key: round(float(np.mean([row[key] for row in figures])), 3) for key in figures[0]}
            rows.append({"set": folder, "images": len(pairs), "method": name, **mean, "seconds": round(seconds, 2)})
            print(f"{folder:22} {name:28}", "  ".join(f"{k} {v:.2f}" for k, v in mean.items()), f"  {seconds:.2f} s")
    return rows


def _figures(folder: str, restored: Tensor, pair: Pair) -> dict[str, float]:
    if folder == "levin2009":
        return {
            "whole": decibel(aligned_error(restored, pair.sharp, pair.border)),
            "quarter": decibel(aligned_error(restored, pair.sharp, pair.border, quarter=True)),
        }
    return {"inside": psnr(restored, pair.sharp, pair.border), "full": psnr(restored, pair.sharp)}

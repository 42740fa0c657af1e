"""The low-illumination and text sets of Pan et al."""

from collections.abc import Callable
from pathlib import Path

from nightsharp.evaluation.benchmarks.pair import Pair, Sample, read_image
from nightsharp.optics import Psf


def low_illumination(folder: Path, _seed: int) -> list[Sample]:
    """Night scenes x 8 PSFs; bright pixels were stretched before the blur and clipped after it."""

    def sample(file: Path) -> Sample:
        _, scene, number, _ = file.stem.split("_")
        truth, psf_file = folder / "gt" / f"saturated_{scene}.png", folder / "kernel" / f"ker{int(number):02d}.npy"
        return Sample(file.stem.removesuffix("_blur"), _loader(file, truth, psf_file), scene, (file, truth, psf_file))

    return [sample(file) for file in sorted((folder / "blurred").glob("saturated_img*_*_blur.png"))]


def text(folder: Path, _seed: int) -> list[Sample]:
    """Text images x 8 PSFs, replicated border, no noise."""

    def sample(file: Path) -> Sample:
        scene, kernel, _ = file.stem.split("_")
        truth = next(iter(sorted((folder / "gt").glob(f"{scene}*"))), folder / "gt" / f"{scene}.png")
        psf_file = folder / "kernel" / f"{kernel}.npy"
        return Sample(f"{scene}_{kernel}", _loader(file, truth, psf_file), scene, (file, truth, psf_file))

    return [sample(file) for file in sorted((folder / "blurred").glob("im*_ker*_blur.png"))]


def _loader(file: Path, truth: Path, psf: Path) -> Callable[[], Pair]:
    return lambda: Pair(read_image(file), read_image(truth), Psf.load(psf))

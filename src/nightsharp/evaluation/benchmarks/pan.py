"""The low-illumination and text sets of Pan et al."""

from pathlib import Path

from nightsharp.evaluation.benchmarks.pair import Pair, Sample, read_image
from nightsharp.optics import Psf


def low_illumination(folder: Path, _seed: int) -> list[Sample]:
    """Night scenes x 8 PSFs; bright pixels were stretched before the blur and clipped after it."""

    def sample(file: Path) -> Sample:
        _, scene, number, _ = file.stem.split("_")

        def load() -> Pair:
            truth = read_image(folder / "gt" / f"saturated_{scene}.png")
            return Pair(read_image(file), truth, Psf.load(folder / "kernel" / f"ker{int(number):02d}.npy"))

        return Sample(file.stem.removesuffix("_blur"), load, scene)

    return [sample(file) for file in sorted((folder / "blurred").glob("saturated_img*_*_blur.png"))]


def text(folder: Path, _seed: int) -> list[Sample]:
    """Text images x 8 PSFs, replicated border, no noise."""

    def sample(file: Path) -> Sample:
        scene, kernel, _ = file.stem.split("_")

        def load() -> Pair:
            truth = next(iter(sorted((folder / "gt").glob(f"{scene}*"))))
            return Pair(read_image(file), read_image(truth), Psf.load(folder / "kernel" / f"{kernel}.npy"))

        return Sample(f"{scene}_{kernel}", load, scene)

    return [sample(file) for file in sorted((folder / "blurred").glob("im*_ker*_blur.png"))]

"""Lai et al. 2016, the uniform part regenerated, and the real photographs."""

from pathlib import Path

from nightsharp.evaluation.benchmarks.pair import Pair, Sample, read_image
from nightsharp.evaluation.benchmarks.synthetic import blurred_pair
from nightsharp.optics import Psf
from nightsharp.synthesis.seeds import generator_for

NOISE = 0.01


def uniform(folder: Path, seed: int) -> list[Sample]:
    """25 truths x 4 PSFs (31 to 75 px), circular blur and 1 % noise: another draw than the published files."""

    def sample(file: Path, psf_file: Path) -> Sample:
        def load() -> Pair:
            source = generator_for(seed, "lai2016", file.stem, psf_file.stem)
            psf = Psf.load(psf_file)
            return blurred_pair(read_image(file), psf, noise=NOISE, boundary="circular", generator=source)

        return Sample(f"{file.stem}_{psf_file.stem}", load, file.stem.split("_")[0], (file, psf_file))

    kernels = sorted((folder / "kernel").glob("kernel_*.png"))
    return [sample(file, kernel) for file in sorted((folder / "gt").glob("*_*.png")) for kernel in kernels]


def real(folder: Path, _seed: int) -> list[Sample]:
    """100 photographs without truth."""
    files = sorted(f for f in (folder / "blurry").iterdir() if f.suffix.lower() in (".jpg", ".jpeg", ".png"))
    return [Sample(file.stem, lambda file=file: Pair(read_image(file)), files=(file,)) for file in files]

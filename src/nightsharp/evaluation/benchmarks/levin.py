"""Levin et al. 2009, as captured, as SelfDeblur ships it, and with synthetic blur."""

from pathlib import Path

import numpy as np
import scipy.io
import torch

from nightsharp.evaluation.benchmarks.pair import Pair, Sample, read_image
from nightsharp.evaluation.benchmarks.synthetic import blurred_pair
from nightsharp.optics import Psf
from nightsharp.synthesis.seeds import generator_for

# of the published PNGs, these hold the correlation kernel: rotated by 180 degrees they are PSFs
_ROTATED = (1, 2, 3, 5, 6, 7)


def captured(folder: Path, _seed: int) -> list[Sample]:
    """4 images x 8 PSFs, one truth for each pair (the published truths are shifted differently for each PSF).

    Pictures with PSFs as arrays, or the ``im05_flit01.mat`` ... as published, which hold x, y and f.
    """
    published = sorted(folder.glob("im*_*.mat"))
    if published:
        return [_published(file) for file in published]

    def sample(file: Path) -> Sample:
        kernel = file.stem.split("_")[1]
        truth, psf_file = folder / "gt" / file.name, folder / "kernel" / f"{kernel}.npy"

        def load() -> Pair:
            return Pair(read_image(file), read_image(truth), Psf.load(psf_file))

        return Sample(file.stem, load, kernel, (file, truth, psf_file))

    return [sample(file) for file in sorted((folder / "blurred").glob("im*_ker*.png"))]


def _published(file: Path) -> Sample:
    def load() -> Pair:
        held = scipy.io.loadmat(file)
        sharp, blurred = (torch.from_numpy(held[name].astype(np.float32))[None] for name in ("x", "y"))
        # f is the kernel of the correlation
        return Pair(blurred.clamp(0, 1), sharp.clamp(0, 1), Psf.from_tensor(np.rot90(held["f"], 2).copy()))

    return Sample(file.stem, load, file.stem.split("_")[1], (file,))


def selfdeblur(folder: Path, _seed: int) -> list[Sample]:
    """The layout of SelfDeblur: one truth for each image, PSFs as pictures of two orientations."""

    def sample(file: Path) -> Sample:
        image, kernel = file.stem.split("_")[:2]
        truth, psf_file = folder / "gt" / f"{image}.png", folder / "gt" / f"{kernel}.png"

        def load() -> Pair:
            psf = Psf.load(psf_file)
            if int(kernel.removeprefix("kernel")) in _ROTATED:
                psf = Psf.from_tensor(psf.kernel.flip(0, 1))
            return Pair(read_image(file)[:1], read_image(truth)[:1], psf)

        return Sample(f"{image}_{kernel}", load, kernel, (file, truth, psf_file))

    return [sample(file) for file in sorted(folder.glob("im*_kernel*_img.png"))]


def psfs(folder: Path) -> list[tuple[Path, Psf]]:
    """The eight PSFs, each with its file."""
    return [(file, Psf.load(file)) for file in sorted((folder / "kernel").glob("ker*.npy"))]


def synthetic(folder: Path, seed: int, noise: float) -> list[Sample]:
    """The 4 sharp images blurred by the 8 PSFs without anything beyond their border, with Gaussian noise."""
    images = sorted({file.stem.split("_")[0]: file for file in sorted((folder / "gt").glob("im*_ker*.png"))}.items())

    def sample(image: str, file: Path, psf_file: Path, psf: Psf) -> Sample:
        kernel = psf_file.stem

        def load() -> Pair:
            source = generator_for(seed, "levin2009", image, kernel, str(noise))
            return blurred_pair(read_image(file), psf, noise=noise, boundary="valid", generator=source)

        return Sample(f"{image}_{kernel}", load, kernel, (file, psf_file))

    return [sample(image, file, psf_file, psf) for image, file in images for psf_file, psf in psfs(folder)]


def estimated(folder: Path, _seed: int) -> list[Sample]:
    """The 4 sharp images blurred by the 8 PSFs with 1 % noise, each given the PSFs that five blind methods found.

    The pictures were blurred by the rotated PSFs, and the stored estimates, rotated too, fit them as they are. A PSF is
    known up to a shift.
    """
    blurred = folder / "ker_levin/sigma_2.55_ker_levin_valid"

    def sample(file: Path) -> Sample:
        # k_2_im_1_cho_and_lee
        _, kernel, _, image, author = file.stem.split("_", 4)
        seen_file, truth = blurred / f"im_{image}_ker_{kernel}.png", folder / f"sharp/im_{image}.png"

        def load() -> Pair:
            seen, sharp = read_image(seen_file), read_image(truth)
            top, left = ((whole - part) // 2 for whole, part in zip(sharp.shape[1:], seen.shape[1:], strict=True))
            inner = sharp[:, top : top + seen.shape[1], left : left + seen.shape[2]]
            return Pair(seen, inner.contiguous(), Psf.load(file))

        return Sample(f"im{image}_ker{kernel}_{author}", load, f"ker{kernel}", (seen_file, truth, file))

    return [sample(file) for file in sorted(folder.glob("BD_*/kernel_estimates/k_*_im_*.png"))]


def on_folder(
    images: list[Path], kernels: list[tuple[Path, Psf]], seed: int, noise: float, *, circular: bool, grey: bool
) -> list[Sample]:
    """Every image under every PSF."""

    def sample(file: Path, psf_file: Path, psf: Psf) -> Sample:
        kernel = psf_file.stem

        def load() -> Pair:
            sharp = read_image(file)
            if grey and sharp.shape[0] == 3:
                luma = (sharp * sharp.new_tensor((0.299, 0.587, 0.114))[:, None, None]).sum(0, keepdim=True)
                # as a grey picture file holds it
                sharp = (luma * 255).round() / 255
            source = generator_for(seed, file.stem, kernel, str(noise))
            boundary = "circular" if circular else "valid"
            return blurred_pair(sharp.to(torch.float32), psf, noise=noise, boundary=boundary, generator=source)

        return Sample(f"{file.stem}_{kernel}", load, kernel, (file, psf_file))

    return [sample(file, psf_file, psf) for file in images for psf_file, psf in kernels]

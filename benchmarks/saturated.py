"""Classical methods on saturated night photographs with known PSFs, and Richardson-Lucy beside scikit-image's.

python benchmarks/saturated.py --data DATA        the low-illumination set of Pan et al. (4 scenes, 8 PSFs), true PSFs
python benchmarks/saturated.py                    only the race with scikit-image, which needs no data

Protocol: PSNR against the clipped sharp image after clamping to [0, 1], the mean over all images; once with a border of
30 pixels left out and once over the whole image. DATA holds ``pan_lowillumination/{blurred,gt,kernel}``.
"""

import argparse
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import skimage.data
import skimage.restoration
import torch
from PIL import Image
from torch import Tensor

from nightsharp.methods.richardson_lucy import richardson_lucy
from nightsharp.optics import Blur, disk, psf_to_otf

BORDER = 30


def psnr(restored: Tensor, sharp: Tensor, border: int = 0) -> float:
    """Peak signal-to-noise ratio in decibels, peak 1."""
    inside = (..., slice(border, sharp.shape[-2] - border), slice(border, sharp.shape[-1] - border))
    return float(-10 * torch.log10((restored.clamp(0, 1) - sharp)[inside].square().mean()))


def photographs(folder: Path) -> Iterator[tuple[str, Tensor, Tensor, Tensor]]:
    """Name, blurred, sharp and PSF of each image of the set."""
    for file in sorted((folder / "blurred").glob("saturated_img*_blur.png")):
        _, scene, psf, _ = file.stem.split("_")
        kernel = torch.from_numpy(np.load(folder / "kernel" / f"ker{int(psf):02d}.npy")).float()[None, None]
        yield file.stem, _image(file), _image(folder / "gt" / f"saturated_{scene}.png"), kernel / kernel.sum()


def _image(file: Path) -> Tensor:
    pixels = np.asarray(Image.open(file).convert("RGB"), dtype=np.float32) / 255
    return torch.from_numpy(pixels).permute(2, 0, 1)[None]


def tikhonov(blurred: Tensor, psf: Tensor, ridge: float = 1e-2) -> Tensor:
    """Linear restoration with a replicated border, the set's reference point."""
    reach = max(psf.shape[-2:])
    wide = torch.nn.functional.pad(blurred, (reach,) * 4, mode="replicate")
    size = (wide.shape[-2], wide.shape[-1])
    otf = psf_to_otf(psf, size)
    restored = torch.fft.irfft2(torch.fft.rfft2(wide) * otf.conj() / (otf.abs().square() + ridge), s=size)
    return restored[..., reach:-reach, reach:-reach]


def low_illumination(data: Path, limit: int | None) -> dict[str, dict[str, float]]:
    """Mean PSNR and seconds of each method over the set."""
    methods: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
        "blurred": lambda blurred, psf: blurred,
        "tikhonov": tikhonov,
        "rl plain": lambda blurred, psf: richardson_lucy(blurred, psf, variant="plain"),
        "rl tv": lambda blurred, psf: richardson_lucy(blurred, psf, variant="tv"),
        "rl saturated": richardson_lucy,
        "rl saturated, 60 steps": lambda blurred, psf: richardson_lucy(blurred, psf, iterations=60, tolerance=0.0),
    }
    rows: dict[str, dict[str, float]] = {}
    images = list(photographs(data / "pan_lowillumination"))[:limit]
    print(f"low-illumination set, {len(images)} images, true PSFs")
    print(f"{'method':26} {'PSNR':>7} {'whole':>7} {'worst gain':>11} {'s / image':>10}")
    for name, method in methods.items():
        inside, whole, gains, start = [], [], [], time.perf_counter()
        for _, blurred, sharp, psf in images:
            restored = method(blurred, psf)
            inside.append(psnr(restored, sharp, BORDER))
            whole.append(psnr(restored, sharp))
            gains.append(inside[-1] - psnr(blurred, sharp, BORDER))
        row = {
            "psnr": float(np.mean(inside)),
            "psnr_whole": float(np.mean(whole)),
            "worst_gain": min(gains),
            "seconds": (time.perf_counter() - start) / len(images),
        }
        rows[name] = row
        numbers = f"{row['psnr']:7.2f} {row['psnr_whole']:7.2f} {row['worst_gain']:11.2f} {row['seconds']:10.2f}"
        print(f"{name:26} {numbers}", flush=True)
    return rows


def race(iterations: int = 30, repeats: int = 5) -> dict[str, dict[str, float]]:
    """Plain Richardson-Lucy beside scikit-image's: same image, PSF and steps; the least CPU time of all repeats."""
    sharp = torch.from_numpy(skimage.data.camera().astype(np.float32) / 255)[None, None]
    psf = disk(5)
    noise = 0.005 * torch.randn(sharp.shape, generator=torch.Generator().manual_seed(0))
    blurred = (Blur(psf, boundary="reflect")(sharp) + noise).clamp(0, 1)
    runs: dict[str, Callable[[], Tensor]] = {
        "scikit-image": lambda: torch.from_numpy(
            skimage.restoration.richardson_lucy(blurred[0, 0].numpy(), psf.kernel.numpy(), num_iter=iterations)
        )[None, None],
        "nightsharp, plain": lambda: richardson_lucy(
            blurred, psf.kernel[None, None], variant="plain", iterations=iterations, tolerance=0.0
        ),
    }
    rows: dict[str, dict[str, float]] = {name: {"seconds": float("inf")} for name in runs}
    threads = torch.get_num_threads()
    # scikit-image uses one; the CPU time of several would count their waiting for each other
    torch.set_num_threads(1)
    for _ in range(repeats):
        for name, run in runs.items():
            start = time.process_time()
            restored = run()
            rows[name]["seconds"] = min(rows[name]["seconds"], time.process_time() - start)
            rows[name]["psnr"] = psnr(restored, sharp)
            rows[name]["psnr_inside"] = psnr(restored, sharp, BORDER)
    torch.set_num_threads(threads)
    print(f"camera 512 x 512, disk of radius 5, noise 0.5 %, {iterations} steps, 1 thread each")
    print(f"{'':26} {'PSNR':>7} {'whole':>7} {'CPU-s':>7}")
    for name, row in rows.items():
        print(f"{name:26} {row['psnr_inside']:7.2f} {row['psnr']:7.2f} {row['seconds']:7.2f}")
    print(f"times faster: {rows['scikit-image']['seconds'] / rows['nightsharp, plain']['seconds']:.1f}")
    return rows


def main() -> None:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, help="the folder that holds pan_lowillumination")
    parser.add_argument("--limit", type=int, help="the first so many images only")
    parser.add_argument("--json", type=Path, help="write the numbers here as well")
    choice = parser.parse_args()
    result = {"race": race()}
    if choice.data is not None:
        result["low_illumination"] = low_illumination(choice.data, choice.limit)
    if choice.json is not None:
        choice.json.write_text(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()

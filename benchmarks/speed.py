"""Speed: side by side with scikit-image in one run, a 12-megapixel photograph, and how soon the command answers."""

import resource
import subprocess
import sys
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import numpy as np
import skimage.data
import skimage.restoration
import torch
from torch import Tensor

from benchmarks.protocol import psnr
from nightsharp.methods.richardson_lucy import richardson_lucy
from nightsharp.methods.total_variation import total_variation
from nightsharp.methods.wiener import wiener
from nightsharp.optics import Blur, disk

SIGMA = 0.01
# Set by hand, as the peer's regularisation is: the noise and what a default adds for an inexact PSF.
_ASSUMED = 0.0135


def side_by_side(repeats: int = 5) -> list[dict[str, object]]:
    """Ours beside scikit-image's: same image, PSF and steps, in turn; the best wall time of each, PSNR of each."""
    wide = torch.from_numpy(skimage.data.camera().astype(np.float32) / 255)[None, None]
    psf = disk(4)
    kernel, numpy_kernel = psf.kernel[None, None], psf.kernel.numpy().astype(np.float64)
    generator = torch.Generator().manual_seed(0)
    clean = Blur(psf, "valid")(wide)
    sharp = wide[..., 4:-4, 4:-4].contiguous()
    blurred = (clean + SIGMA * torch.randn(clean.shape, generator=generator)).clamp(0, 1)
    noisy = (sharp + 0.1 * torch.randn(sharp.shape, generator=generator)).clamp(0, 1)
    point = torch.ones(1, 1, 1, 1)

    def theirs(result: object) -> Tensor:
        return torch.from_numpy(np.ascontiguousarray(np.asarray(result))).float()[None, None]

    image, grain = blurred[0, 0].double().numpy(), noisy[0, 0].double().numpy()
    duels: dict[str, tuple[Callable[[], Tensor], Callable[[], Tensor]]] = {
        "wiener, one division": (
            lambda: wiener(blurred, kernel, sigma=_ASSUMED, clip=None, iterations=1),
            lambda: theirs(skimage.restoration.wiener(image, numpy_kernel, 0.01, clip=False)),
        ),
        "wiener, 12 steps for border and lamps": (
            lambda: wiener(blurred, kernel, sigma=_ASSUMED),
            lambda: theirs(skimage.restoration.wiener(image, numpy_kernel, 0.01, clip=False)),
        ),
        "richardson_lucy, 30 steps": (
            lambda: richardson_lucy(blurred, kernel, variant="plain", iterations=30, tolerance=0.0),
            lambda: theirs(skimage.restoration.richardson_lucy(image, numpy_kernel, num_iter=30)),
        ),
        "total_variation (denoising), 50 steps": (
            lambda: total_variation(noisy, point, sigma=0.1, clip=None, iterations=50, tolerance=0.0),
            lambda: theirs(skimage.restoration.denoise_tv_chambolle(grain, weight=0.12, eps=0, max_num_iter=50)),
        ),
        "total_variation (denoising), 12 steps to its 50": (
            lambda: total_variation(noisy, point, sigma=0.1, clip=None, iterations=12, tolerance=0.0),
            lambda: theirs(skimage.restoration.denoise_tv_chambolle(grain, weight=0.12, eps=0, max_num_iter=50)),
        ),
    }
    rows: list[dict[str, object]] = []
    threads = torch.get_num_threads()
    # scipy's transforms and numpy use one thread here, so ours does too
    torch.set_num_threads(1)
    print(f"side by side with scikit-image {version('scikit-image')}: camera 504 x 504, disk of radius 4, noise 1 %,")
    print(f"  best wall time of {repeats}, one thread on both sides; PSNR with 16 px border left out")
    for name, (ours, peer) in duels.items():
        seconds = {"ours": float("inf"), "scikit-image": float("inf")}
        quality = {}
        for _ in range(repeats):
            for label, run in (("ours", ours), ("scikit-image", peer)):
                start = time.perf_counter()
                restored = run()
                seconds[label] = min(seconds[label], time.perf_counter() - start)
                quality[label] = psnr(restored, sharp, 16)
        ratio = seconds["scikit-image"] / seconds["ours"]
        rows.append({"duel": name, "seconds": seconds, "psnr": quality, "times_faster": ratio})
        print(
            f"  {name:38} ours {seconds['ours']:.3f} s {quality['ours']:.2f} dB   "
            f"scikit-image {seconds['scikit-image']:.3f} s {quality['scikit-image']:.2f} dB   {ratio:.1f} x as fast"
        )
    torch.set_num_threads(threads)
    return rows


def twelve_megapixels(method: str = "hyper_laplacian") -> dict[str, object]:
    """A 3000 x 4000 colour image with a given PSF, through the public ``deblur``: seconds and peak memory."""
    import nightsharp

    tile = torch.from_numpy(skimage.data.astronaut().astype(np.float32) / 255).permute(2, 0, 1)
    image = tile.repeat(1, 6, 8)[:, :3000, :4000].contiguous()
    psf = disk(6)
    blurred = Blur(psf, "replicate")(image[None])[0]
    start = time.perf_counter()
    nightsharp.deblur(blurred, method=method, psf=psf)
    seconds = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"12 MP colour, {method}, disk of radius 6: {seconds:.1f} s, process peak {peak:.2f} GiB")
    return {"method": method, "seconds": seconds, "peak_gib": peak}


def startup(repeats: int = 5) -> dict[str, float]:
    """Wall time of ``nightsharp --help`` and of ``import nightsharp`` less that of an empty Python, medians."""

    def median(*command: str) -> float:
        times = []
        for _ in range(repeats):
            start = time.perf_counter()
            subprocess.run(command, check=True, capture_output=True)
            times.append(time.perf_counter() - start)
        return float(np.median(times))

    python = sys.executable
    empty = median(python, "-c", "pass")
    row = {
        "help_seconds": median(str(Path(python).with_name("nightsharp")), "--help"),
        "import_seconds": median(python, "-c", "import nightsharp") - empty,
    }
    print(f"nightsharp --help {row['help_seconds']:.2f} s   import nightsharp {row['import_seconds']:.3f} s")
    return row

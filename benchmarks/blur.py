"""Blur beside scipy.signal.fftconvolve: same pictures, same PSFs, same output, in turns within one run.

    python benchmarks/blur.py            # one thread each
    python benchmarks/blur.py --threads 2

Protocol: float32, three channels, ``valid`` border (both drop the same rim, the largest difference is printed). Ours is
one call for all channels with the OTF cached by an earlier call; scipy is called per channel, as its users do. After
one call each to warm up, both run in turns; the median is reported.
"""

import argparse
import statistics
import time
from collections.abc import Callable

import numpy as np
import scipy.fft
import scipy.signal
import torch

from nightsharp.optics import Blur, Psf, disk, gaussian

CASES: list[tuple[tuple[int, int], Psf, int]] = [
    ((256, 256), disk(7), 41),
    ((512, 768), disk(15), 21),
    ((1024, 1024), disk(15), 11),
    ((3000, 4000), gaussian(7.5), 5),
]


def timed(work: Callable[[], object]) -> float:
    """Seconds for one call."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def main() -> None:
    """Print one line per case."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=1, help="threads for both sides (default: 1)")
    threads = parser.parse_args().threads
    torch.set_num_threads(threads)
    print(f"{threads} thread(s), torch {torch.__version__}, scipy {scipy.__version__}; median seconds per image")
    print(f"{'image':>13} {'PSF':>8} {'nightsharp':>11} {'scipy':>8} {'ratio':>6} {'difference':>11}")
    for (height, width), psf, repeats in CASES:
        image = torch.rand(1, 3, height, width, generator=torch.Generator().manual_seed(0))
        channels, kernel = image[0].numpy(), psf.kernel.numpy()
        blur = Blur(psf, "valid")

        def ours(blur: Blur = blur, image: torch.Tensor = image) -> torch.Tensor:
            return blur(image)

        def theirs(channels: np.ndarray = channels, kernel: np.ndarray = kernel) -> np.ndarray:
            with scipy.fft.set_workers(threads):
                return np.stack([scipy.signal.fftconvolve(channel, kernel, mode="valid") for channel in channels])

        difference = float(np.abs(ours()[0].numpy() - theirs()).max())
        pairs = [(timed(ours), timed(theirs)) for _ in range(repeats)]
        mine, other = (statistics.median(times) for times in zip(*pairs, strict=True))
        sides = f"{psf.size[0]} x {psf.size[1]}"
        print(
            f"{height:>6} x {width:>4} {sides:>8} {mine:>11.4f} {other:>8.4f} {other / mine:>5.1f}x {difference:>11.1e}"
        )


if __name__ == "__main__":
    main()

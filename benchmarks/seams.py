"""Tiles beside the whole: ``python -m benchmarks.seams`` restores photographs both ways and compares each pixel.

Protocol: scikit-image's `coffee` in colour, repeated in mirror images until it is large enough, blurred by a shake of
25 pixels, 1 % noise, 8 bits, in display light as a tensor; the PSF is given, the guard off. The whole is one tile.
Largest and root mean square difference of results clipped to [0, 1], in steps of 8 bits; asked: at most 2.
"""

import argparse
from unittest.mock import patch

import numpy as np
import skimage.data
import torch
from torch import Tensor

from nightsharp.optics import Blur, Psf, shake
from nightsharp.restore import deblur, planning

# 1, 12 and 24 megapixels
SIZES = ((866, 1154), (3000, 4000), (4000, 6000))
_ASKED = 2.0


def main() -> None:
    """Print one line for each method and size."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.seams", description=__doc__)
    parser.add_argument("--methods", nargs="+", default=["wiener", "hyper_laplacian"])
    parser.add_argument("--sizes", type=int, default=len(SIZES), help="the first so many sizes only")
    choice = parser.parse_args()
    psf = shake(25, generator=torch.Generator().manual_seed(3))
    for height, width in SIZES[: choice.sizes]:
        blurred = photograph(height, width)
        for method in choice.methods:
            # up to a megapixel a photograph stays whole unless memory or a replay asks for tiles
            tiled, tiles = restored(blurred, method, psf, core=1024 if height * width > 2**20 else 384)
            whole, _ = restored(blurred, method, psf, core=max(height, width))
            gap = 255 * (tiled.clamp(0, 1) - whole.clamp(0, 1)).abs()
            words = "as asked" if float(gap.max()) <= _ASKED else "NOT as asked"
            print(
                f"{height * width / 1e6:5.1f} MP {method:16} {tiles:3} tiles: largest {float(gap.max()):6.3f}, "
                f"root mean square {float(gap.square().mean().sqrt()):.4f} of 255: {words}",
                flush=True,
            )


def photograph(height: int, width: int) -> Tensor:
    """A blurred, noisy photograph (3, height, width)."""
    small = skimage.data.coffee()
    beyond = ((0, height - small.shape[0]), (0, width - small.shape[1]), (0, 0))
    sharp = torch.from_numpy(np.pad(small, beyond, mode="symmetric")).permute(2, 0, 1).float() / 255
    blurred = Blur(shake(25, generator=torch.Generator().manual_seed(3)), "replicate")(sharp[None])[0]
    blurred += 0.01 * torch.randn(blurred.shape, generator=torch.Generator().manual_seed(1))
    return blurred.clamp_(0, 1).mul_(255).round_().div_(255)


def restored(blurred: Tensor, method: str, psf: Psf, core: int) -> tuple[Tensor, int]:
    """The result in tiles of that side, and how many they were."""
    make_plan = planning.make_plan

    def planned(work, *, budget, cost, core=None, _core=core):
        return make_plan(work, budget=10**12, cost=cost, core=_core)

    with patch.object(planning, "make_plan", planned):
        done = deblur(blurred, method=method, psf=psf, guard=False)
    return done.sharp, done.report["plan"]["tiles"]


if __name__ == "__main__":
    main()

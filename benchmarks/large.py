"""Large photographs, nothing given: ``python -m benchmarks.large FOLDER``.

Protocol: the photographs that the folder's `index.csv` holds out (splits that begin with "val"; without one, all),
enlarged three times by bicubic interpolation, which leaves pixels as soft as those of a camera of many megapixels; the
middle 2,100 of the longer side; a shake of 30 to 140 px in display values, noise of 0 to 2 %, rounded to 8 bits.
`nightsharp.deblur` as it is. Peak signal-to-noise ratio on the middle 1,000 x 1,000 at the best shift within 12 px; a
PSF counts as found from a similarity of 0.6 on (Hu and Yang, ECCV 2012).
"""

import argparse
import csv
import random
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

import torch
from torch import Tensor

from benchmarks.contact_sheet import photographs
from benchmarks.parts import ALIKE
from benchmarks.protocol import aligned_error, decibel
from nightsharp import deblur, read_photo
from nightsharp.evaluation.benchmarks.synthetic import blurred_pair
from nightsharp.methods.map_psf import similarity
from nightsharp.optics import Psf, shake

SEED = 1
_TIMES, _LONGEST, _MIDDLE, _REACH = 3, 2100, 1000, 12
_HARMED = 0.1


@dataclass(frozen=True)
class Shot:
    """A large photograph and its blur; images are (3, height, width), display values."""

    sharp: Tensor
    blurred: Tensor
    psf: Psf


def shot(file: Path, seed: int = SEED) -> Shot:
    """One photograph; its name and the seed decide the blur and the noise."""
    draw = random.Random(f"{seed} large {file.name}")
    small = read_photo(file).display()
    large = torch.nn.functional.interpolate(small[None], scale_factor=_TIMES, mode="bicubic")[0].clamp(0, 1)
    noise = torch.Generator().manual_seed(draw.getrandbits(40))
    psf = shake(draw.uniform(30, 140), generator=noise)
    level = draw.choice((0.0, 0.005, 0.01, 0.02))
    pair = blurred_pair(_middle(large, _LONGEST), psf, noise=level, boundary="valid", generator=noise)
    if pair.sharp is None:
        raise AssertionError("a pair that was made here has its truth")
    return Shot(pair.sharp, pair.blurred, psf)


def held_out(folder: Path) -> list[Path]:
    """The photographs of a folder that its index holds out, or all of one without an index."""
    files = photographs([folder])
    index = folder / "index.csv"
    if not index.is_file():
        return files
    with index.open(newline="", encoding="utf-8") as table:
        names = {Path(row["file"]).name for row in csv.DictReader(table) if row["split"].startswith("val")}
    return [file for file in files if file.name in names]


def main() -> None:
    """Print a line for each photograph, and the means."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.large")
    parser.add_argument("folder", type=Path, help="of sharp photographs, 500 px and more on the shorter side")
    parser.add_argument("--every", type=int, default=1, help="take every N-th photograph")
    parser.add_argument("--seed", type=int, default=SEED, help="of everything that is drawn")
    choice = parser.parse_args()
    print(__doc__)
    rows = []
    for file in held_out(choice.folder)[:: choice.every]:
        made = shot(file, choice.seed)
        start = time.perf_counter()
        done = deblur(made.blurred)
        seconds = time.perf_counter() - start
        before, after = (_quality(image, made.sharp) for image in (made.blurred, done.sharp))
        alike = similarity(done.psf.kernel, made.psf.kernel)
        rows.append((before, after, alike >= ALIKE, after < before - _HARMED))
        height, width = made.blurred.shape[-2:]
        print(
            f"{file.name}, {width} x {height}, PSF {made.psf.size}: similarity {alike:.2f}, confidence "
            f"{done.report['psf']['confidence']:.2f}, {before:.2f} -> {after:.2f} dB, {seconds:.0f} s, "
            f"kept {done.report['guard']['kept']}",
            flush=True,
        )
    before, after, found, harmed = zip(*rows, strict=True)
    print(
        f"found {sum(found)} of {len(rows)}, harmed {sum(harmed)}, better by 1 dB "
        f"{sum(b + 1 < a for b, a in zip(before, after, strict=True))}, {fmean(before):.2f} -> {fmean(after):.2f} dB"
    )


def _quality(image: Tensor, sharp: Tensor) -> float:
    image, sharp = (_middle(each, _MIDDLE) for each in (image, sharp))
    return decibel(aligned_error(image[None], sharp[None], 2 * _REACH, reach=_REACH))


def _middle(image: Tensor, side: int) -> Tensor:
    top, left = (max(0, (length - side) // 2) for length in image.shape[-2:])
    return image[:, top : top + side, left : left + side]


if __name__ == "__main__":
    main()

"""Real photographs whose PSFs others published, nothing given: ``python -m benchmarks.published FOLDER...``.

Protocol: every kernel in the folders ("kernel" stands in its name or its folder's) beside the photograph
whose name its own begins with, as they were published; the search as it is, in display values. A published PSF is
somebody's estimate and not a truth: a similarity from 0.6 on (Hu and Yang, ECCV 2012) says that two methods agree.
"""

import argparse
import time
from pathlib import Path
from statistics import fmean

from benchmarks.contact_sheet import photographs
from benchmarks.parts import ALIKE
from nightsharp import Psf, read_photo
from nightsharp.methods.map_psf import estimate_psf, similarity
from nightsharp.methods.map_psf.estimate import SURE

_ENDINGS = {".png", ".npy"}


def pairs(folder: Path) -> list[tuple[Path, Path]]:
    """Photographs and the published PSF of each, in the order of the kernels' names.

    Args:
        folder: with both in it or below. Of two photographs whose names a kernel begins with, the longer name's is it.
    """
    taken = sorted(photographs([folder]), key=lambda file: len(file.stem))
    found = []
    for kernel in sorted(folder.rglob("*")):
        if kernel.suffix.lower() in _ENDINGS and "kernel" in str(kernel.relative_to(folder)):
            found += [(file, kernel) for file in taken if kernel.stem.startswith(file.stem)][-1:]
    return found


def main() -> None:
    """Print a line for each photograph, and how many agree."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.published")
    parser.add_argument("folders", nargs="+", type=Path, help="of photographs and kernels")
    parser.add_argument("--every", type=int, default=1, help="take every N-th photograph")
    parser.add_argument("--first", type=int, default=0, help="the number of the first one")
    choice = parser.parse_args()
    print(__doc__)
    rows: list[tuple[float, float]] = []
    both = [pair for folder in choice.folders for pair in pairs(folder)]
    for file, kernel in both[choice.first :: choice.every]:
        start = time.perf_counter()
        photo, published = read_photo(file).display(), Psf.load(kernel)
        found = estimate_psf(photo)
        alike = similarity(found.psf.kernel, published.kernel)
        rows.append((alike, found.confidence))
        print(
            f"{kernel.stem}, {photo.shape[-1]} x {photo.shape[-2]}, PSF {published.size[0]}: similarity {alike:.2f}, "
            f"confidence {found.confidence:.2f} ({found.origin}), {time.perf_counter() - start:.0f} s",
            flush=True,
        )
    sure = [alike for alike, confidence in rows if confidence >= SURE]
    print(
        f"agree {sum(alike >= ALIKE for alike, _ in rows)} of {len(rows)}, mean similarity "
        f"{fmean(alike for alike, _ in rows):.2f}; of the {len(sure)} with confidence {SURE} and more "
        f"{sum(alike >= ALIKE for alike in sure)}"
    )


if __name__ == "__main__":
    main()

"""The plan beside what really happened: seconds and peak memory on photographs of five sizes, each run a process."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import skimage.data
import torch
from PIL import Image

from nightsharp.optics import Blur, line

# Width and height: 1, 4, 12, 24 and 50 megapixels.
SIZES = ((1154, 866), (2308, 1732), (4000, 3000), (6000, 4000), (8632, 5792))
PSF = "line:15,30"
_TIME_ALLOWED, _MEMORY_ALLOWED = 0.30, 0.15
_COMMAND = (sys.executable, "-c", "import sys; from nightsharp.cli import main; sys.exit(main())")


def measure(methods: tuple[str, ...] = ("wiener", "hyper_laplacian")) -> list[dict[str, object]]:
    """Plan against actual; the speed of each method is measured anew first, in a cache of its own."""
    rows: list[dict[str, object]] = []
    print(f"plan against actual: JPEG of {len(SIZES)} sizes, {PSF}, guard on, half of the free memory allowed;")
    print(f"  asked: seconds within +-{_TIME_ALLOWED:.0%}, memory within +{_MEMORY_ALLOWED:.0%}")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        photos = [_photograph(folder / f"{width * height / 1e6:.0f}mp.jpg", width, height) for width, height in SIZES]
        for method in methods:
            options = ("--method", method, "--psf", PSF)
            _run(folder, photos[0], *options, "--plan")
            rows += [_row(folder, photo, method, *options) for photo in photos]
    return rows


def _row(folder: Path, photo: Path, method: str, *options: str) -> dict[str, object]:
    before = _children()
    document = _run(folder, photo, *options, "--overwrite")
    plan = document["files"][0]["report"]["plan"]
    expected, actual = plan["expected"], plan["actual"]
    seconds = expected["seconds"] / actual["seconds"] - 1
    memory = actual["peak_memory_bytes"] / expected["peak_memory_bytes"] - 1
    fits = abs(seconds) <= _TIME_ALLOWED and memory <= _MEMORY_ALLOWED
    row = {
        "photo": photo.stem,
        "method": method,
        "tiles": plan["tiles"],
        "seconds": {"expected": expected["seconds"], "actual": actual["seconds"], "processor": _children() - before},
        "peak_gb": {name: one["peak_memory_bytes"] / 1e9 for name, one in (("expected", expected), ("actual", actual))},
        "as_asked": fits,
    }
    print(
        f"  {photo.stem:>5} {method:16} {plan['tiles']:3} tiles   {expected['seconds']:6.1f} s planned, "
        f"{actual['seconds']:6.1f} s taken ({_children() - before:6.1f} s of processors), plan {seconds:+5.0%}   "
        f"{expected['peak_memory_bytes'] / 1e9:.2f} GB planned, {actual['peak_memory_bytes'] / 1e9:.2f} GB held, "
        f"{memory:+4.0%}   {'as asked' if fits else 'NOT as asked'}",
        flush=True,
    )
    return row


def _run(folder: Path, photo: Path, *options: str) -> dict[str, list[dict[str, dict[str, dict]]]]:
    environment = {**os.environ, "XDG_CACHE_HOME": str(folder), "OMP_NUM_THREADS": str(torch.get_num_threads())}
    command = (*_COMMAND, "deblur", str(photo), *options, "--json", "--quiet")
    done = subprocess.run(command, check=True, capture_output=True, env=environment)
    return json.loads(done.stdout)


def _children() -> float:
    times = os.times()
    return times.children_user + times.children_system


def _photograph(file: Path, width: int, height: int) -> Path:
    """A blurred, noisy photograph, repeated until it is large enough.

    It repeats as its blur does, around its edges: beside an edge that was not blurred, the guard would rightly refuse.
    """
    sharp = torch.from_numpy(skimage.data.coffee()).permute(2, 0, 1)[None].float() / 255
    display = Blur(line(15, 30), "circular")(sharp**2.2).clamp(0, 1)[0] ** (1 / 2.2)
    noisy = display + 0.008 * torch.randn(display.shape, generator=torch.Generator().manual_seed(0))
    values = np.round(255 * noisy.clamp(0, 1).permute(1, 2, 0).numpy()).astype(np.uint8)
    times = -(-height // values.shape[0]), -(-width // values.shape[1]), 1
    Image.fromarray(np.tile(values, times)[:height, :width]).save(file, quality=92)
    return file

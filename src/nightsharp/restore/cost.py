"""What a method costs on this machine: measured once, in a second or two, and remembered.

Processor time is measured, so that what else the machine does meanwhile does not count.
"""

import json
import math
import os
import platform
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import torch

from nightsharp import __version__
from nightsharp._atomic import write_atomically
from nightsharp.errors import Cancelled
from nightsharp.methods import MethodSpec, get_method
from nightsharp.optics import Blur, Psf, disk
from nightsharp.optics.fourier import fast_size
from nightsharp.photo import Codes, Photo, ToneCurve
from nightsharp.restore.function import function_of
from nightsharp.restore.given import Given
from nightsharp.restore.guard import check_tile
from nightsharp.restore.noise import measure_noise

# Sides of the images that are timed: about that of a tile, and of a photograph that is restored in one piece.
_TILE, _WHOLE = 1100, 700
# What the guard is timed with: a PSF that is not its own mirror image, as most are not.
_SHAKE = Psf.from_tensor(torch.ones(25, 25).triu())
# Side of the box that softens the scene.
_SOFT = 31
# After this many steps the time of one is known; some methods look at something every fifth.
_STEPS = 5
# Rounds of each timing, fewer once so many seconds have gone.
_ROUNDS, _LONG = 4, 1.0


@dataclass(frozen=True)
class Cost:
    """Seconds that a method takes here.

    Attributes:
        tile: per pixel and channel of a tile's canvas, with as many tiles at once as there are threads.
        whole: per pixel and channel of a canvas, with all threads on one piece.
        around: per pixel and channel, for what is done to a tile besides: tone curve, trust, integers again.
        guard: per pixel and channel, for judging a tile.
    """

    tile: float
    whole: float
    around: float
    guard: float


def known_cost(method: MethodSpec, threads: int) -> Cost | None:
    """What was measured before, on this machine, with this version; None where nothing was, or it cannot be read."""
    return _KNOWN.get(_key(method, threads)) or _read().get(_key(method, threads))


def measured_cost(method: MethodSpec, threads: int) -> Cost:
    """What was measured before, else what is measured now and remembered.

    Args:
        method: whose cost.
        threads: tiles at once.

    Example:
        >>> from nightsharp.methods import get_method
        >>> 0 < measured_cost(get_method("wiener"), 1).tile < 1e-3
        True
    """
    found = known_cost(method, threads)
    if found is None:
        found = _measure(method, threads)
        remember(method, threads, found)
    return found


def timing_memory(method: MethodSpec, threads: int) -> int:
    """Bytes that measuring takes.

    Example:
        >>> from nightsharp.methods import get_method
        >>> timing_memory(get_method("wiener"), 2) > timing_memory(get_method("wiener"), 1)
        True
    """
    return int(4 * (method.floats + 4) * _TILE**2 * threads)


def remember(method: MethodSpec, threads: int, cost: Cost) -> None:
    """Keep a measurement, in this process and for the next; a cache that cannot be written is no error."""
    _KNOWN[_key(method, threads)] = cost
    kept = {key: asdict(value) for key, value in (_read() | _KNOWN).items()}
    with suppress(OSError, RuntimeError):  # no home folder
        file = cache_file()
        file.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(file, json.dumps(kept, indent=1).encode(), overwrite=True)


def cache_file() -> Path:
    """Where measurements are kept: in the user's cache folder, by the system's own convention."""
    if sys.platform == "win32":
        folder = os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local"
    elif sys.platform == "darwin":
        folder = Path.home() / "Library" / "Caches"
    else:
        folder = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(folder) / "nightsharp" / "cost.json"


_KNOWN: dict[str, Cost] = {}


def _read() -> dict[str, Cost]:
    """What is kept and makes sense; a damaged cache is an empty one."""
    try:
        kept = json.loads(cache_file().read_bytes())
        found = {str(key): Cost(**{name: float(number) for name, number in one.items()}) for key, one in kept.items()}
    except (OSError, ValueError, TypeError, AttributeError, RuntimeError):
        return {}
    return {key: one for key, one in found.items() if all(0 < n < math.inf for n in asdict(one).values())}


def _key(method: MethodSpec, threads: int) -> str:
    return " | ".join([__version__, torch.__version__, _processor(), f"{threads} threads", method.name])


def _processor() -> str:
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _measure(method: MethodSpec, threads: int) -> Cost:
    if method.start is not None:
        # the two parts take different steps, so each is timed by itself
        first = measured_cost(get_method(method.start), threads)
        own = _measure(replace(method, start=None), threads)
        return replace(first, tile=first.tile + own.tile, whole=first.whole + own.whole)
    _seconds_once(method, 64, 1, time.thread_time)  # what is loaded at the first use is paid once
    before = torch.get_num_threads()
    with ThreadPoolExecutor(threads, initializer=torch.set_num_threads, initargs=(1,)) as pool:
        tile = max(pool.map(lambda _: _seconds(method, _TILE, 1), range(threads)))
    torch.set_num_threads(threads)
    whole = _seconds(method, _WHOLE, 1 if method.apart else 3, time.process_time) / threads
    torch.set_num_threads(before)
    return Cost(tile, whole, *_around())


def _seconds(method: MethodSpec, side: int, channels: int, clock: Callable[[], float] = time.thread_time) -> float:
    """Seconds per pixel and channel of the canvas: the least of a few rounds, or of one where that takes long.

    Neighbours on the processor, and on its other half, only ever slow a round.
    """
    began, found = time.perf_counter(), math.inf
    for _ in range(_ROUNDS):
        found = min(found, _seconds_once(method, side, channels, clock))
        if time.perf_counter() - began > _LONG:
            break
    return found


def _seconds_once(method: MethodSpec, side: int, channels: int, clock: Callable[[], float]) -> float:
    """Seconds per pixel and channel of the canvas, from the first few steps."""
    image = torch.rand(1, channels, side + _SOFT - 1, side + _SOFT - 1, generator=torch.Generator().manual_seed(0))
    # soft as a camera draws a scene, on which nightwiener works longest
    image = Blur(disk(4), "circular")(torch.nn.functional.avg_pool2d(image, _SOFT, 1))
    image[..., : side // 2 : 64, : side // 2 : 64] = 1.0  # lamps: saturated pixels take a branch of their own
    kernel = disk(4).kernel[None, None]
    function, beginning = function_of(method), ({"start": image} if get_method(method.name).start else {})
    marks, most = [clock()], [1]

    def mark(_: int, total: int) -> None:
        marks.append(clock())
        most[0] = total

    with suppress(Cancelled):
        function(
            image,
            kernel,
            **beginning,
            sigma=torch.full((1, channels, 1, 1), 0.02),
            strength=1.0,
            clip=0.98,
            contrast=torch.full((1, 1, 1, 1), 0.2),
            weight=torch.ones_like(image),
            tolerance=0.0,
            progress=mark,
            cancel=lambda: len(marks) > _STEPS,
        )
    rows, columns = fast_size(side + kernel.shape[-2] + 1, side + kernel.shape[-1] + 1)
    steps = len(marks) - 1
    first, rest = marks[1] - marks[0], marks[-1] - marks[1]
    # the first step holds the preparation as well
    total = first + (rest / (steps - 1) * (most[0] - 1) if steps > 1 else 0.0)
    return total / (rows * columns * channels)


def _around() -> tuple[float, float]:
    """Seconds per pixel and channel for tone curve, trust in a pixel and integers again; and for judging a tile.

    Something is wrong in a corner of the tile, as beside many a lamp, so that it is judged twice.
    """
    values = np.random.default_rng(0).integers(0, 255, (512, 512, 3), dtype=np.uint8)
    given = Given(Photo(Codes(values, ToneCurve.srgb())), None, None)
    noise = measure_noise(given, "linear")
    here = slice(0, 512), slice(0, 512)
    result = given.part("linear", *here).clone()
    result[..., :40, :40] = 4.0
    rounds = []
    for _ in range(_ROUNDS):
        marks = [time.thread_time()]
        weight = noise.weight(given, "linear", *here)
        part = given.part("linear", *here)
        ToneCurve.srgb().encode_codes(part[0], np.dtype(np.uint16))
        marks.append(time.thread_time())
        check_tile(part, result, _SHAKE, sigma=noise.sigma, clip=0.98, weight=weight)
        marks.append(time.thread_time())
        rounds.append((marks[1] - marks[0], marks[2] - marks[1]))
    # the first holds what is paid once, and a neighbour on the processor may have slowed any of them
    around, guard = (min(seconds) / values.size for seconds in zip(*rounds, strict=True))
    return around, guard

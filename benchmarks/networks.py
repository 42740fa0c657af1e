"""The learned networks beside a literal port of their published equations: same weights, same output, in turns.

    python -m benchmarks.networks                       # one thread each
    python -m benchmarks.networks --threads 2 --repeats 5

Protocol: paper size, random weights, random images and PSFs, batch 1, float32, inference. The port
(``benchmarks/literal``) filters one channel at a time with full complex transforms and a transfer function computed
anew each time, and sorts for its medians. Each side runs once to warm up, then both in turns; the median of the paired
ratios is reported, with the largest difference relative to the largest value. ``CPU`` is the processor time of the
whole process, which other programs disturb less than the clock. Peak memory is that of a fresh process (Linux) that
runs one side once, less what it held before.
"""

import argparse
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor

from benchmarks.literal.darkdeblur import darkdeblur
from benchmarks.literal.dwdn import dwdn
from benchmarks.literal.infwide import infwide
from nightsharp.methods.darkdeblur import DarkDeblurNet
from nightsharp.methods.darkdeblur import official as darkdeblur_official
from nightsharp.methods.dwdn import DWDN
from nightsharp.methods.dwdn import official as dwdn_official
from nightsharp.methods.infwide import INFWIDE
from nightsharp.methods.infwide import official as infwide_official

SIDES = ("ours", "port")
# the training crop, and the sizes of the demonstration images of DWDN's release with their PSFs
CASES: tuple[tuple[int, int, int], ...] = ((256, 256, 31), (320, 480, 25), (168, 224, 85), (432, 504, 55))
# DarkDeblurNet takes no PSF
BLIND: tuple[tuple[int, int, int], ...] = ((256, 256, 0), (512, 512, 0), (768, 1024, 0))
SYSTEMS = {"dwdn": CASES, "infwide": CASES, "darkdeblur": BLIND}


def prepared(system: str, height: int, width: int, side: int) -> dict[str, Callable[[], Tensor]]:
    """Both sides, ready to run on the same weights and values."""
    generator = torch.Generator().manual_seed(0)
    image = torch.rand(1, 3, height, width, generator=generator)
    psf = torch.rand(1, 1, side, side, generator=generator)
    torch.manual_seed(0)
    if system == "darkdeblur":
        network = DarkDeblurNet().eval()
        weights = darkdeblur_official.to_official(network.config, network.state_dict())
        return {"ours": lambda: network(image), "port": lambda: (darkdeblur(weights, 2 * image - 1) + 1) / 2}
    if system == "dwdn":
        network = DWDN(faithful=True)
        weights = dwdn_official.to_official(network.config, network.state_dict())
        return {"ours": lambda: network(image, psf), "port": lambda: dwdn(weights, image, psf)[1]}
    image = image / 1.2
    network = INFWIDE(faithful=True)
    weights = infwide_official.to_official(network.config, network.state_dict())
    return {"ours": lambda: network(image, psf), "port": lambda: infwide(weights, image, psf)[0][1]}


def timed(work: Callable[[], object]) -> tuple[float, float]:
    """Seconds by the clock and of the processor, for one call."""
    clock, processor = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - clock, time.process_time() - processor


def held() -> float:
    """The most memory that this process has held, in MB (Linux; ``ru_maxrss`` would know the parent's)."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def peak(system: str, case: tuple[int, int, int], side: str, threads: int) -> float:
    """MB that one run takes in a process of its own."""
    code = (
        f"import torch; torch.set_num_threads({threads}); torch.set_grad_enabled(False)\n"
        "from benchmarks.networks import held, prepared\n"
        f"run = prepared({system!r}, *{case!r})[{side!r}]; before = held(); run(); print(held() - before)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=600)
    return float(done.stdout)


@torch.no_grad()
def main() -> None:
    """Print one line per system and size."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=1, help="threads for both sides (default: 1)")
    parser.add_argument("--repeats", type=int, default=3, help="paired runs (default: 3)")
    parser.add_argument("--systems", nargs="+", default=list(SYSTEMS), choices=SYSTEMS)
    parser.add_argument("--cases", type=int, default=len(CASES), help="the first so many sizes only")
    parser.add_argument("--memory", action="store_true", help="peak memory besides, in fresh processes")
    choice = parser.parse_args()
    torch.set_num_threads(choice.threads)
    print(
        f"{choice.threads} thread(s), torch {torch.__version__}; seconds: median; ratio: median of pairs, port / ours"
    )
    header = f"{'system':>8} {'image':>10} {'PSF':>4} {'ours s':>8} {'port s':>8} {'ratio':>6} {'CPU ratio':>9}"
    header += f" {'differ':>8}"
    print(header + (f" {'ours MB':>8} {'port MB':>8}" if choice.memory else ""))
    for system in choice.systems:
        for case in SYSTEMS[system][: choice.cases]:
            sides = prepared(system, *case)
            ours, port = (sides[side]() for side in SIDES)
            differ = float((ours - port).abs().max() / port.abs().max())
            rounds = [[timed(sides[side]) for side in SIDES] for _ in range(choice.repeats)]
            seconds = [statistics.median(one[place][0] for one in rounds) for place in (0, 1)]
            ratios = [statistics.median(one[1][kind] / one[0][kind] for one in rounds) for kind in (0, 1)]
            line = (
                f"{system:>8} {case[0]:>4} x {case[1]:>3} {case[2]:>4} {seconds[0]:>8.3f} {seconds[1]:>8.3f} "
                f"{ratios[0]:>5.2f}x {ratios[1]:>8.2f}x {differ:>8.1e}"
            )
            if choice.memory:
                line += "".join(f" {peak(system, case, side, choice.threads):>8.0f}" for side in SIDES)
            print(line, flush=True)


if __name__ == "__main__":
    main()

"""Training data: pairs a second, and duels with literal ports in one run."""

import time
from collections.abc import Callable

import numpy as np
import skimage.data
import torch
from torch import Tensor

from benchmarks import synthesis_ports as ports
from nightsharp.synthesis import RECIPES, Pipeline, generator_for, pipeline
from nightsharp.synthesis.patch_motion import moving_patches
from nightsharp.synthesis.trajectories import markovian_psfs, patch_paths, rotating_psfs


def _photograph() -> Tensor:
    wide = torch.from_numpy(skimage.data.astronaut()).permute(2, 0, 1)[None].float() / 255
    return torch.cat([torch.cat([wide, wide.flip(-1)], -1), torch.cat([wide.flip(-2), wide.rot90(2, (2, 3))], -1)], -2)


def _best(run: Callable[[], object], repeats: int) -> float:
    """The least processor time of a few runs: other work on the machine counts less in it than in wall time."""
    times = []
    for _ in range(repeats):
        start = time.process_time()
        run()
        times.append(time.process_time() - start)
    return min(times)


def duels(repeats: int = 3) -> list[dict[str, object]]:
    """Ours, many at once, beside the ports, one after the other: processor seconds of one sample, one thread each."""
    rng = np.random.default_rng(0)
    photograph = _photograph()
    crops = torch.cat([photograph[..., 40 * i : 40 * i + 256, 30 * i : 30 * i + 256] for i in range(8)])
    one = crops[0].permute(1, 2, 0).numpy().copy()
    whole = photograph[0, :, :768, :960].contiguous()
    # on 1/32 of a pixel, to which OpenCV 4 rounds
    paths = (patch_paths(1, generator=generator_for(0))[0][:, :, 1:4] * 32).round() / 32
    wide = whole.permute(1, 2, 0).numpy().copy()
    infwide = pipeline("infwide")
    many, some = 256, 16
    rows: list[dict[str, object]] = []
    contests: dict[str, tuple[Callable[[], object], int, Callable[[], object], int]] = {
        "rotating PSF, 37 x 37": (
            lambda: rotating_psfs(many, generator=generator_for(1)),
            many,
            lambda: [ports.rotating_psf(rng) for _ in range(some)],
            some,
        ),
        "Markovian PSF": (
            lambda: markovian_psfs(many, generator=generator_for(1)),
            many,
            lambda: [ports.markovian_psf(rng) for _ in range(some)],
            some,
        ),
        "INFWIDE pair, 256 x 256, all taps": (
            lambda: infwide.pairs(crops, generator=generator_for(1)),
            len(crops),
            lambda: [ports.infwide_pair(one, rng, every_tap=True) for _ in range(some)],
            some,
        ),
        "INFWIDE pair, zero taps left out": (
            lambda: infwide.pairs(crops, generator=generator_for(1)),
            len(crops),
            lambda: [ports.infwide_pair(one, rng, every_tap=False) for _ in range(some)],
            some,
        ),
        "frames of moving patches, 768 x 960": (
            lambda: moving_patches(whole, paths),
            3,
            lambda: ports.moving_patches(wide, paths.numpy()),
            3,
        ),
    }
    for name, (ours, samples, port, port_samples) in contests.items():
        ours()
        fast = _best(ours, repeats) / samples
        slow = _best(port, 1) / port_samples
        rows.append({"duel": name, "ours_seconds": fast, "port_seconds": slow, "times_faster": slow / fast})
        print(f"  {name:38} ours {1e3 * fast:8.3f} ms   port {1e3 * slow:9.2f} ms   {slow / fast:6.1f} x as fast")
    difference = moving_patches(whole, paths) - torch.from_numpy(ports.moving_patches(wide, paths.numpy())).permute(
        0, 3, 1, 2
    )
    print(f"  moving patches: largest difference {float(difference.abs().max()):.1e}")
    rows.append({"duel": "moving patches, largest difference", "difference": float(difference.abs().max())})
    return rows


def throughput(repeats: int = 3) -> list[dict[str, object]]:
    """Pairs a processor second, one thread, sharp crops in memory."""
    photograph = _photograph()
    rows: list[dict[str, object]] = []
    for name in RECIPES:
        recipe = pipeline(name)
        for side, batch in ((96, 32), (256, 8)):
            width = recipe.source_side(side)
            crops = torch.cat([photograph[..., 9 * i : 9 * i + width, 11 * i : 11 * i + width] for i in range(batch)])

            def run(recipe: Pipeline = recipe, crops: Tensor = crops) -> None:
                for number in range(3):
                    recipe.pairs(crops, generator=generator_for(number))

            run()
            rate = 3 * batch / _best(run, repeats)
            rows.append({"recipe": name, "side": side, "batch": batch, "pairs_per_second": rate})
            print(f"  {name:8} {side:4} x {side:<4} batch {batch:3}   {rate:7.0f} pairs/s")
    return rows


def measure() -> dict[str, object]:
    """Both tables on one thread."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    print("training data, one thread; processor time of the best of 3 runs")
    figures: dict[str, object] = {"duels": duels(), "throughput": throughput()}
    torch.set_num_threads(threads)
    return figures


if __name__ == "__main__":
    measure()

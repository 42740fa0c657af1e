"""How long a search for the PSF takes on this machine, roughly."""

import time
from functools import cache

import torch

from nightsharp.methods.map_psf.kernel import edge_quota, kernel_step
from nightsharp.methods.map_psf.latent import latent_step
from nightsharp.methods.map_psf.observation import Canvas, Observation
from nightsharp.methods.map_psf.octaves import octaves
from nightsharp.methods.map_psf.pyramid import FIRM
from nightsharp.methods.map_psf.region import SIDE

# Alternations at full size that a search comes to, all its scales together, where it was sure, and for each look where
# none was. Ten photographs of 0.2 to 1.1 megapixels took 210 to 580, and 460 to 510 a look.
_SURE, _UNSURE = 230, 500
_WINDOW = 51


def search_seconds(height: int, width: int, size: int | None) -> tuple[float, float]:
    """Seconds from which to which the search in a photograph is likely to take; one alternation is timed for it.

    Args:
        height: of the photograph, pixels.
        width: of the photograph, pixels.
        size: largest side of the PSF; None where it is to be found.

    Example:
        >>> quick, long = search_seconds(300, 400, None)
        >>> 0 < quick < long
        True
    """
    looks = max(1, len(octaves(min(height, width), size)))
    sides = [min(side, SIDE) for side in (height, width)]
    one = _seconds_of_one() * sides[0] * sides[1] / SIDE**2 / torch.get_num_threads()
    return _SURE * one, _UNSURE * looks * one


@cache
def _seconds_of_one() -> float:
    """Processor time of one alternation; timed once, however many photographs follow."""
    scene = torch.rand(1, SIDE, SIDE, generator=torch.Generator().manual_seed(0))
    canvas = Canvas.around(Observation.of(torch.nn.functional.avg_pool2d(scene, 9, 1, 4), 2.0), _WINDOW - 1)
    kernel = torch.zeros(_WINDOW, _WINDOW)
    kernel[_WINDOW // 2, 20:30] = 0.1
    rounds, threads = [], torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        for _ in range(2):  # the first pays for what is prepared once
            began = time.thread_time()
            latent, filled = latent_step(canvas, kernel, FIRM.weight, FIRM.softness)
            least = edge_quota(latent, canvas.inner, 2 * _WINDOW)
            kernel_step(latent, filled, kernel, least_edge=least, ridge=10.0)
            rounds.append(time.thread_time() - began)
    finally:
        torch.set_num_threads(threads)
    return min(rounds)

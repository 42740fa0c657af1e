"""The work itself: the method on every tile, the guard on every tile, the result row by row."""

import threading
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace

import torch
from torch import Tensor

from nightsharp.errors import Cancelled
from nightsharp.methods._blocks import Cancel
from nightsharp.restore.function import function_of, network_of, statistics_of
from nightsharp.restore.given import Given
from nightsharp.restore.guard import Checked, Verdict, check_tile, summarise
from nightsharp.restore.memory import release_memory
from nightsharp.restore.noise import Noise
from nightsharp.restore.order import Order
from nightsharp.restore.plan import Plan
from nightsharp.restore.result import Result
from nightsharp.restore.rim import with_rim, without_rim
from nightsharp.restore.tiles import Place, in_tiles


def restore_tiles(
    given: Given,
    order: Order,
    plan: Plan,
    noise: Noise,
    clip: float,
    progress: Callable[[int, int], None] | None,
    cancel: Cancel | None,
) -> tuple[Result, Verdict]:
    """Run the method on tiles that share the statistics of the whole, and judge what comes out.

    Args:
        given: the photograph.
        order: method, PSF, strength, guard.
        plan: how it is cut.
        noise: of the whole.
        clip: from this value on a pixel counts as saturated.
        progress: called with (hundredths of tiles done, hundredths of tiles in all).
        cancel: asked between steps; True stops.

    Returns:
        The result and the guard's verdict on it.

    Raises:
        Cancelled: ``cancel`` said so.
    """
    method = order.route.method
    network = network_of(method, order.weights, given.device)
    function, light = function_of(method, network, **statistics_of(method, network, given, order.psf)), method.light
    lock, done, checked = threading.Lock(), dict[int, float](), dict[int, Checked]()

    def run(blurred: Tensor, weight: Tensor, place: Place, group: slice, tell: Callable[[float], None]) -> Tensor:
        return function(
            blurred[:, group].contiguous(),
            order.psf_at(place).kernel[None, None].to(blurred),
            sigma=noise.sigma[:, group],
            strength=order.strength,
            clip=clip,
            contrast=noise.contrast,
            weight=weight[:, group],
            tolerance=0.0,  # each tile would stop at another step
            progress=lambda step, most: tell(step / max(most, 1)),
            cancel=lambda: place.stopping.is_set() or (cancel is not None and cancel()),
        )

    def piece(place: Place) -> Tensor:
        if place.stopping.is_set() or (cancel is not None and cancel()):
            raise Cancelled(f"stopped at tile {place.number} of {place.count}; nothing was written.")
        seen = given.part(light, place.rows, place.columns)
        trust = noise.weight(given, light, place.rows, place.columns)
        # channels that do not know of each other one by one, for their memory
        groups = [slice(n, n + 1) for n in range(given.channels)] if method.apart else [slice(None)]

        def advance(group: int, part: float) -> None:
            with lock:
                done[place.number] = (group + part) / len(groups)
                if progress is not None:
                    progress(round(100 * sum(done.values())), 100 * place.count)

        def restored() -> Tensor:
            if method.borders:
                blurred, weight = seen, seen.new_ones(seen.shape) if trust is None else trust
            else:
                blurred, weight = with_rim(seen, trust, place, below=clip)
            parts = [
                run(blurred, weight, place, group, lambda part, n=n: advance(n, part)) for n, group in enumerate(groups)
            ]
            joined = parts[0] if len(parts) == 1 else torch.cat(parts, dim=1)
            return joined if method.borders else without_rim(joined, place)

        sharp = restored()
        # or the allocator's leftovers grow from tile to tile; on 100 megapixels by 0.6 GB
        release_memory()
        advance(len(groups) - 1, 1.0)
        if not order.guard:
            return sharp
        found = check_tile(
            seen,
            sharp,
            order.psf_at(place) if method.needs_psf else None,
            sigma=noise.sigma,
            clip=clip,
            weight=trust,
            confidence=order.confidence,
            gentle=order.gentle,
        )
        # the tile itself is not kept for the verdict; an empty slice of it would keep all of it
        checked[place.number] = replace(found, sharp=sharp.new_empty(1, 1, 0, 0))
        return found.sharp

    result = Result(given, light)
    with closing(in_tiles(given.size, piece, halo=plan.halo, core=plan.core, parallel=plan.parallel)) as bands:
        for rows, band in bands:
            result.put(rows, band)
    if not result.finite:
        return result, Verdict("input", "the result held values that are no numbers; the photo is kept as it is")
    if not order.guard:
        return result, Verdict("result", "switched off", part=1.0)
    return result, summarise([checked[number] for number in sorted(checked)])

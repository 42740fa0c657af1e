"""When the classical method is taken in place of the network after the guard has spoken."""

from dataclasses import replace

from nightsharp.restore.given import Given
from nightsharp.restore.guard import Verdict
from nightsharp.restore.noise import shown_noise
from nightsharp.restore.order import Order
from nightsharp.restore.route import BEST, CLASSICAL, Kind, choose_route

# Standard deviation of the noise, range [0, 1]. From here on ``benchmarks.harm`` has a level of its own, strong noise,
# on which no guarded result of the classical method was worse than its input.
LOUD = 0.06
HIDDEN = Kind(f"noise that hides what {BEST} makes of it", CLASSICAL)


def classical_instead(order: Order, verdict: Verdict, given: Given) -> Order | None:
    """The order to try next where the guard threw the first result away; None for most.

    Strong noise lifts the blacks, since nothing is recorded below zero. The network puts that right, and then its
    result, blurred again, does not explain the photograph: the guard takes a right PSF for a wrong one. What the
    classical method makes keeps the lifted blacks and is a smaller gain, but one that can be checked.

    Args:
        order: the first one.
        verdict: on its result.
        given: the photograph.

    Returns:
        None where the input is not kept, the noise is not strong, the method was asked for, or the PSF is an estimate.
    """
    chosen = order.route.method.name == BEST and not order.route.asked and order.confidence is None
    if not chosen or verdict.kept != "input" or shown_noise(given) < LOUD:
        return None
    return replace(order, route=choose_route(None, psf_given=True, kind=HIDDEN))

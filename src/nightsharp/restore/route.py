"""Which methods answer what is known of a photograph, and why."""

from dataclasses import dataclass

from nightsharp.methods import MethodSpec, get_method

# Measured (docs/methods/nightwiener.md): the network gains on photographs in colour, where the channels' noise tells it
# what is detail, and loses a little on single channels.
BEST_IN_COLOUR = "nightwiener"
BEST_IN_GREY = "hyper_laplacian"
PSF_ESTIMATOR = "map_psf"


@dataclass(frozen=True)
class Route:
    """The way from a blurred photograph to a sharper one.

    Attributes:
        estimator: the method that finds the PSF; None when it was given.
        method: the method that restores with the PSF.
        reason: why, in words.
    """

    estimator: str | None
    method: MethodSpec
    reason: str


def choose_route(method: str | None, *, psf_given: bool, channels: int = 3) -> Route:
    """Choose the methods from what is known.

    Args:
        method: what the user asks for; None or ``"auto"`` leaves the choice to us.
        psf_given: whether the PSF is known.
        channels: 3 for a photograph in colour, 1 for one without.

    Returns:
        The route with its reason.

    Raises:
        UsageError: there is no method of that name.

    Example:
        >>> choose_route(None, psf_given=False).reason
        'no PSF, no events -> estimated PSF + nightwiener, the best for colour'
        >>> choose_route("wiener", psf_given=True).reason
        'PSF given -> wiener (asked for)'
    """
    asked = method not in (None, "auto")
    best, kind = (BEST_IN_COLOUR, "colour") if channels == 3 else (BEST_IN_GREY, "grey")
    spec = get_method(method if method is not None and asked else best)
    known = "PSF given" if psf_given else "no PSF, no events"
    estimated = not psf_given and spec.needs_psf
    way = f"estimated PSF + {spec.name}" if estimated else spec.name
    return Route(
        estimator=PSF_ESTIMATOR if estimated else None,
        method=spec,
        reason=f"{known} -> {way}{' (asked for)' if asked else f', the best for {kind}'}",
    )

"""Which methods answer what is known of a photograph, and why."""

from dataclasses import dataclass

from nightsharp.methods import MethodSpec, get_method

# Measured (docs/benchmarks.md): the network gains 0.2 to 0.7 dB on every set with noise, in colour and in grey. It
# loses on Levin's captured images and on text, which are grey with next to no noise; and 1 dB where the PSF changes
# within a tile (tests/restore/test_varying.py), while the classical method gains 1 dB by the field.
BEST = "nightwiener"
CLASSICAL = "hyper_laplacian"
# Print is flat between its edges: 16 pages with the true PSF and noise of up to 1 % 36.8 dB, nightwiener 32.1,
# hyper_laplacian 31.7; another 14 with the PSF found 30.4, 28.9 and 28.4.
FLAT = "total_variation"
# Standard deviation, range [0, 1]: the first shows 0.001, the second 0.001 to 0.007, those with 1 % noise 0.0097.
NOISY = 0.004
PSF_ESTIMATOR = "map_psf"


@dataclass(frozen=True)
class Kind:
    """A kind of photograph for which another method than the usual one measured best.

    Attributes:
        words: what it is.
        method: the method.
    """

    words: str
    method: str


@dataclass(frozen=True)
class Route:
    """The way from a blurred photograph to a sharper one.

    Attributes:
        estimator: the method that finds the PSF; None when it was given.
        method: the method that restores with the PSF.
        reason: why, in words.
        asked: whether the user named the method.
    """

    estimator: str | None
    method: MethodSpec
    reason: str
    asked: bool = False


def choose_route(method: str | None, *, psf_given: bool, kind: Kind | None = None) -> Route:
    """Choose the methods from what is known.

    Args:
        method: what the user asks for; None or ``"auto"`` leaves the choice to us.
        psf_given: whether the PSF is known.
        kind: of photograph; None for most.

    Returns:
        The route with its reason.

    Raises:
        UsageError: there is no method of that name.

    Example:
        >>> choose_route(None, psf_given=False).reason
        'no PSF given -> estimated PSF + nightwiener, the best for most photos'
        >>> choose_route("wiener", psf_given=True).reason
        'PSF given -> wiener (asked for)'
    """
    asked = method not in (None, "auto")
    best, photos = (BEST, "most photos") if kind is None else (kind.method, kind.words)
    spec = get_method(method if method is not None and asked else best)
    known = "PSF given" if psf_given else "no PSF given"
    estimated = not psf_given and spec.needs_psf
    way = f"estimated PSF + {spec.name}" if estimated else spec.name
    return Route(
        estimator=PSF_ESTIMATOR if estimated else None,
        method=spec,
        reason=f"{known} -> {way}{' (asked for)' if asked else f', the best for {photos}'}",
        asked=asked,
    )

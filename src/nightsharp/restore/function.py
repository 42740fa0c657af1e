"""A method as the tiles run it: with its weights, the estimate that it begins from, what it measured on the whole."""

import os
from collections.abc import Callable
from importlib import import_module
from typing import Any

import torch
from torch import Tensor, nn

from nightsharp.errors import UsageError
from nightsharp.methods import MethodSpec, get_method, list_methods
from nightsharp.methods._blocks import Progress
from nightsharp.optics import Psf
from nightsharp.restore.given import Given
from nightsharp.weights import list_weights, load

Weights = str | os.PathLike[str]
"""Shipped weights by name, or a file."""


def usable_methods() -> tuple[MethodSpec, ...]:
    """The methods that run as installed: without weights, or with shipped ones.

    Example:
        >>> usable_methods()[0].name
        'wiener'
    """
    shipped = {weights.name for weights in list_weights()}
    return tuple(method for method in list_methods() if not method.learned or method.name in shipped)


def network_of(
    method: MethodSpec, weights: Weights | None = None, device: str | torch.device = "cpu"
) -> nn.Module | None:
    """The network of a learned method with its weights; None for a method without.

    Args:
        method: which.
        weights: None takes the shipped ones.
        device: where it shall work.

    Raises:
        WeightsError: the weights are not there, damaged, or of another network.
        UsageError: the method has no network to take weights.

    Example:
        >>> network_of(get_method("wiener")) is None
        True
    """
    if method.learned:
        return load(method.name if weights is None else weights, system=method.name, device=device)
    if weights is not None:
        takers = ", ".join(spec.name for spec in list_methods() if spec.learned)
        raise UsageError(f"{method.name} has no network to take weights. Leave them out, or choose one of {takers}.")
    return None


def function_of(method: MethodSpec, network: nn.Module | None = None, **told: Any) -> Callable[..., Tensor]:
    """What restores an image with a method; every one is called like a classical method.

    Args:
        method: which.
        network: as :func:`network_of` gives it; loaded here when None.
        told: further keywords of the method, as :func:`statistics_of` gives them.

    Returns:
        A function as :class:`~nightsharp.methods.MethodSpec` describes its ``entry``, nothing left to set.

    Raises:
        WeightsError: the method's weights are not there or damaged.

    Example:
        >>> function_of(get_method("wiener")).__name__
        'wiener'
    """
    own = method.load()
    if not method.learned:
        return own
    network = network_of(method) if network is None else network
    bound = {"network": network, **told}
    if method.prior is not None and network is not None:
        device = next(network.parameters()).device
        bound["prior"] = load(method.prior, system=method.prior, device=device)
    if method.start is None:
        return lambda *images, **options: own(*images, **bound, **options)
    first = get_method(method.start).load()

    def both(blurred: Tensor, psf: Tensor, *, progress: Progress | None = None, **options: Any) -> Tensor:
        estimate = first(blurred, psf, progress=_half(progress, 0), **options)
        return own(blurred, psf, start=estimate, progress=_half(progress, 1), **bound, **options)

    return both


def statistics_of(method: MethodSpec, network: nn.Module | None, given: Given, psf: Psf) -> dict[str, Any]:
    """What a method measures over a whole photograph, so that its tiles agree; in the memory of some rows.

    Args:
        method: which.
        network: of the method.
        given: the photograph.
        psf: the PSF; its mean where it varies.

    Returns:
        Keywords for :func:`function_of`.
    """
    if method.statistics is None or network is None:
        return {}
    place, _, keyword = method.statistics.partition(" ")
    module, name = place.split(":")
    config: dict[str, Any] = network.config  # pyright: ignore[reportAssignmentType]
    colours = int(config.get("colours", 3))

    def read(rows: slice) -> Tensor:
        part = given.part(method.light, rows)
        # grey goes through a colour network as three equal channels
        return part.expand(-1, colours, -1, -1) if part.shape[1] == 1 else part

    measure = getattr(import_module(module), name)
    known = (psf.kernel[None, None],) if method.needs_psf else ()
    return {keyword: measure(read, given.size, *known, network=network)}


def _half(progress: Progress | None, number: int) -> Progress | None:
    """Report one half of the work as such."""
    return None if progress is None else lambda step, most: progress(number * most + step, 2 * most)

"""A method as the tiles run it: with its weights and with the estimate that it begins from."""

from collections.abc import Callable
from typing import Any

from torch import Tensor

from nightsharp.methods import MethodSpec, get_method
from nightsharp.methods._blocks import Progress
from nightsharp.weights import load


def function_of(method: MethodSpec) -> Callable[..., Tensor]:
    """What restores an image with a method; every one is called like a classical method.

    Args:
        method: which.

    Returns:
        A function as :class:`~nightsharp.methods.MethodSpec` describes its ``entry``, nothing left to set.

    Raises:
        WeightsError: the method's weights are not there or damaged.

    Example:
        >>> from nightsharp.methods import get_method
        >>> function_of(get_method("wiener")).__name__
        'wiener'
    """
    own = method.load()
    bound = {"network": load(method.name)} if method.learned else {}
    if method.start is None:
        return _with(own, bound) if bound else own
    first = get_method(method.start).load()

    def both(blurred: Tensor, psf: Tensor, *, progress: Progress | None = None, **options: Any) -> Tensor:
        estimate = first(blurred, psf, progress=_half(progress, 0), **options)
        return own(blurred, psf, start=estimate, progress=_half(progress, 1), **bound, **options)

    return both


def _with(function: Callable[..., Tensor], bound: dict[str, Any]) -> Callable[..., Tensor]:
    return lambda *images, **options: function(*images, **bound, **options)


def _half(progress: Progress | None, number: int) -> Progress | None:
    """Report one half of the work as such."""
    return None if progress is None else lambda step, most: progress(number * most + step, 2 * most)

"""Several ways to make something, one for each member of a batch."""

from collections.abc import Callable, Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor


def drawn_kinds(count: int, shares: Sequence[float], *, generator: torch.Generator) -> Int[Tensor, " count"]:
    """A kind for each member of a batch.

    Args:
        count: of members.
        shares: probability of each kind, of any sum.
        generator: the source of randomness, on the CPU.

    Example:
        >>> drawn_kinds(4, (0.0, 1.0), generator=torch.Generator()).tolist()
        [1, 1, 1, 1]
    """
    weights = torch.tensor(shares, dtype=torch.float64)
    return torch.multinomial(weights, count, replacement=True, generator=generator)


def by_kind(
    kinds: Int[Tensor, " batch"], makers: Sequence[Callable[[Tensor], Tensor]]
) -> Float[Tensor, "batch *shape"]:
    """Make each member of a batch in the way of its kind, all of one kind at once.

    Args:
        kinds: which maker for each member.
        makers: take the indices of their members and return as many results, all of one shape.

    Example:
        >>> by_kind(torch.tensor([1, 0, 1]), [lambda i: i * 1.0, lambda i: i * 10.0])
        tensor([ 0.,  1., 20.])
    """
    parts, places = [], []
    for kind, maker in enumerate(makers):
        chosen = (kinds == kind).nonzero()[:, 0]
        if len(chosen):
            parts.append(maker(chosen))
            places.append(chosen)
    return torch.cat(parts)[torch.cat(places).argsort()]


def log_uniform(low: float, high: float, count: int, *, generator: torch.Generator) -> Float[Tensor, " count"]:
    """Values whose logarithm is uniform.

    Args:
        low: the least, > 0.
        high: the largest.
        count: how many.
        generator: the source of randomness, on the CPU.

    Example:
        >>> bool((log_uniform(2, 3, 9, generator=torch.Generator()) >= 2).all())
        True
    """
    return low * (high / low) ** torch.rand(count, generator=generator)


def uniform(low: float, high: float, count: int, *, generator: torch.Generator) -> Float[Tensor, " count"]:
    """Values between two.

    Args:
        low: the least.
        high: the largest.
        count: how many.
        generator: the source of randomness, on the CPU.

    Example:
        >>> uniform(2, 2, 2, generator=torch.Generator())
        tensor([2., 2.])
    """
    return low + (high - low) * torch.rand(count, generator=generator)

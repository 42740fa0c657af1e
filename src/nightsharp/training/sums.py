"""The mean of the loss over many steps."""

from torch import Tensor


class Sums:
    """Adds up the terms of the loss on the device; reading them at every step would make the device wait.

    Example:
        >>> import torch
        >>> sums = Sums()
        >>> sums.add({"l1": torch.tensor(1.0)}); sums.add({"l1": torch.tensor(3.0)})
        >>> sums.take(), sums.take()
        ({'l1': 2.0}, {})
    """

    def __init__(self) -> None:
        self._terms: dict[str, Tensor] = {}
        self._count = 0

    def add(self, terms: dict[str, Tensor]) -> None:
        """Add the terms of one step."""
        self._terms = {name: self._terms[name] + value if self._count else value for name, value in terms.items()}
        self._count += 1

    def take(self) -> dict[str, float]:
        """The mean of each term since the last time; nothing when there was no step."""
        means = {name: value.item() / self._count for name, value in self._terms.items()}
        self._terms, self._count = {}, 0
        return means

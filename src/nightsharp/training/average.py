"""The running mean of the weights, which is validated and shipped in place of the last ones."""

import copy

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import get_ema_multi_avg_fn


class Average:
    r"""Exponential moving average of a network's weights.

    .. math:: \bar w \leftarrow d\, \bar w + (1 - d)\, w, \qquad d = \min(\text{decay}, (1 + n) / (10 + n))

    with n updates so far: the first weights, which are random, are soon forgotten. Buffers are copied.

    Args:
        network: whose weights are followed.
        decay: the largest d, in [0, 1).

    Example:
        >>> network = nn.Linear(1, 1, bias=False)
        >>> average = Average(network, decay=0.9)
        >>> with torch.no_grad(): _ = network.weight.add_(1)
        >>> average.update(network)
        >>> round((network.weight - average.network.weight).item(), 3)
        0.1
    """

    def __init__(self, network: nn.Module, decay: float) -> None:
        self.network = copy.deepcopy(network).requires_grad_(False).eval()
        self.decay = decay
        self.updates = 0

    @torch.no_grad()
    def update(self, network: nn.Module) -> None:
        """Take the weights after one more step in."""
        decay = min(self.decay, (1 + self.updates) / (10 + self.updates))
        self.updates += 1
        blend = get_ema_multi_avg_fn(decay)
        blend(_weights(self.network), _weights(network), self.updates)
        for kept, new in zip(self.network.buffers(), network.buffers(), strict=True):
            kept.copy_(new)


def _weights(network: nn.Module) -> tuple[Tensor, ...]:
    return tuple(weight.detach() for weight in network.parameters())

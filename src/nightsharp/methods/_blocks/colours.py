"""A network for three colours on a grey image, and one for grey on three."""

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor

from nightsharp.errors import UsageError


def in_colours(
    image: Float[Tensor, "batch channel height width"],
    colours: int,
    run: Callable[[Tensor], Tensor],
) -> Float[Tensor, "batch channel height width"]:
    """Run a network that takes ``colours`` channels on an image that may have another number.

    A grey image is shown three times and the answers are averaged; of a colour image a grey network restores one
    channel after the other.

    Raises:
        UsageError: the image has neither 1 channel nor as many as the network.

    Example:
        >>> in_colours(torch.ones(1, 1, 2, 2), 3, lambda image: image * image.shape[1]).flatten().tolist()
        [3.0, 3.0, 3.0, 3.0]
    """
    channels = image.shape[1]
    if channels == colours:
        return run(image)
    if channels == 1:
        return run(image.expand(-1, colours, -1, -1)).mean(dim=1, keepdim=True)
    if colours == 1:
        return torch.cat([run(image[:, n : n + 1]) for n in range(channels)], dim=1)
    raise UsageError(f"the image has {channels} channels, the network takes {colours}. Give 1 or {colours}.")

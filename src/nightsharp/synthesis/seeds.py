"""Sources of randomness that depend on a seed and a place in the stream, and on nothing else."""

import hashlib

import torch


def generator_for(seed: int, *place: int | str) -> torch.Generator:
    """A generator on the CPU for one place of a stream.

    What it draws does not depend on what was drawn for other places, so any number of workers makes the same data.

    Args:
        seed: of the whole stream.
        place: names and numbers that tell this draw from the others.

    Example:
        >>> one, other = (torch.rand(1, generator=generator_for(7, "crop", 12)) for _ in range(2))
        >>> bool(one == other)
        True
    """
    digest = hashlib.sha256("\0".join(map(str, (seed, *place))).encode()).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest[:8], "big") >> 1)

"""DeblurGAN's camera path: a velocity of constant size and Markovian direction."""

import math

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from nightsharp.optics.splat import splat

SAMPLES = 2000
LENGTH = 60.0
SIDE = 65
_EXPANSIONS = (0.01, 0.009, 0.008, 0.007, 0.005, 0.003)
_EXPOSURES = (1 / 10, 1 / 2, 1.0)


def markovian_paths(count: int, *, generator: torch.Generator) -> Float[Tensor, "count samples 2"]:
    r"""Paths of one length whose velocity is a Markov process.

    .. math:: v \leftarrow v + j + e\,\big(s\,(n_1 + i n_2) - c\,p\big)\, \tfrac{M}{T - 1},
        \qquad |v| \leftarrow \tfrac{M}{T - 1}, \qquad p \leftarrow p + v

    with centripetal pull :math:`c = 0.7 u`, strength :math:`s = 10 u` and, with probability :math:`q e`,
    :math:`q = 0.2 u`, a jerk :math:`j = 2 v e^{i (\pi + U(-1/2, 1/2))}` that throws the camera back.

    Args:
        count: of paths.
        generator: the source of randomness, on the CPU.

    Returns:
        (row, column) of T = 2,000 points, pixels, from the origin on; M = 60 pixels long.

    Example:
        >>> paths = markovian_paths(2, generator=torch.Generator().manual_seed(0))
        >>> paths.diff(dim=1).norm(dim=-1).sum(1).round().tolist()
        [60.0, 60.0]

    Source: Kupyn et al., "DeblurGAN", CVPR 2018, section 4.2, with the constants of its generator; originally Boracchi
    and Foi, IEEE TIP 2012.
    """
    draws = torch.rand(4, count, generator=generator, dtype=torch.float64).numpy()
    expansion = np.array(_EXPANSIONS)[torch.randint(len(_EXPANSIONS), (count,), generator=generator).numpy()]
    pull, jerks, strength, angle = 0.7 * draws[0], 0.2 * draws[1], 10 * draws[2], 2 * math.pi * draws[3]
    pace = LENGTH / (SAMPLES - 1)
    normals = torch.randn(SAMPLES - 1, count, 2, generator=generator, dtype=torch.float64).numpy()
    kicks = (expansion * strength * pace) * normals.view(np.complex128)[..., 0]
    thrown = (torch.rand(SAMPLES - 1, count, generator=generator).numpy() < jerks * expansion).nonzero()
    turn = torch.rand(len(thrown[0]), generator=generator, dtype=torch.float64).numpy()
    factors = np.ones(kicks.shape, np.complex128)
    factors[thrown] += 2 * np.exp(1j * (math.pi + turn - 0.5))
    centring = expansion * pull * pace
    # 2,000 dependent steps: on arrays this small NumPy takes a third of the time of torch
    velocity = expansion * np.exp(1j * angle)
    path = np.zeros((SAMPLES, count), np.complex128)
    size = np.empty(count)
    pulled = np.empty(count, np.complex128)
    for step in range(SAMPLES - 1):
        velocity *= factors[step]
        velocity += kicks[step]
        velocity -= np.multiply(centring, path[step], out=pulled)
        velocity *= np.divide(pace, np.abs(velocity, out=size), out=size)
        np.add(path[step], velocity, out=path[step + 1])
    return torch.from_numpy(np.stack([path.imag.T, path.real.T], axis=-1))


def markovian_psfs(count: int, *, generator: torch.Generator) -> Float[Tensor, "count 1 65 65"]:
    """PSFs of exposures over the first tenth, half, or all of a Markovian path.

    Unlike the original they sum to 1 and their centroid is their centre, so that a pair is neither shifted nor changed
    in brightness.

    Args:
        count: of PSFs.
        generator: the source of randomness, on the CPU.

    Returns:
        Non-negative, sum 1 each; no path of 60 pixels leaves the square.

    Example:
        >>> markovian_psfs(2, generator=torch.Generator().manual_seed(0)).shape
        torch.Size([2, 1, 65, 65])

    Source: as :func:`markovian_paths`.
    """
    paths = markovian_paths(count, generator=generator)
    shares = torch.randint(len(_EXPOSURES), (count,), generator=generator)
    kernels = paths.new_zeros(count, 1, SIDE, SIDE)
    for choice, share in enumerate(_EXPOSURES):
        chosen = shares == choice
        exposed = paths[chosen, : round(share * SAMPLES)]
        kernels[chosen] = splat(exposed - exposed.mean(1, keepdim=True), SIDE)
    return kernels.float()

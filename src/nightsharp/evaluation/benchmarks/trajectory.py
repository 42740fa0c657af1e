"""Random camera shake of the DeblurGAN family, with which DarkDeblur's training and ExDark test pairs were made."""

import cmath
import math

import torch
from jaxtyping import Float
from torch import Tensor

from nightsharp.optics import Psf

CANVAS = 64
SAMPLES = 2000
LENGTH = 60.0
_EXPOSURES = (1 / 10, 1 / 2, 1.0)
_EXPANSION = (0.01, 0.009, 0.008, 0.007, 0.005, 0.003)


def trajectory(generator: torch.Generator) -> Float[Tensor, "samples 2"]:
    r"""A path of ``SAMPLES`` points whose velocity is a Markov process.

    .. math:: v \leftarrow v + j + e\,\big(s\,(n_1 + i n_2) - c\,p\big)\, \tfrac{M}{T - 1},
        \qquad |v| \leftarrow \tfrac{M}{T - 1}

    with centripetal pull c, Gaussian strength s, and, with probability q e, a jerk j that turns the camera around.

    Args:
        generator: the source of randomness.

    Returns:
        (row, column) of each point in pixels, from the first on.

    Source: Kupyn et al., "DeblurGAN", CVPR 2018, section 4.2, with the constants of its generator; originally
    Boracchi and Foi, 2012.
    """

    def uniform(low: float = 0.0, high: float = 1.0) -> float:
        return low + (high - low) * float(torch.rand((), generator=generator, dtype=torch.float64))

    pull, jerks, shake = 0.7 * uniform(), 0.2 * uniform(), 10 * uniform()
    angle = uniform(0, 2 * math.pi)
    expansion = _EXPANSION[int(torch.randint(len(_EXPANSION), (), generator=generator))]
    pace = LENGTH / (SAMPLES - 1)
    normals = torch.randn(SAMPLES, 2, generator=generator, dtype=torch.float64).tolist()
    chances = torch.rand(SAMPLES, 2, generator=generator, dtype=torch.float64).tolist()
    place, velocity = 0j, cmath.rect(expansion, angle)
    points = [place]
    for (n1, n2), (chance, turn) in zip(normals[1:], chances[1:], strict=True):
        jerk = 2 * velocity * cmath.exp(1j * (math.pi + turn - 0.5)) if chance < jerks * expansion else 0j
        velocity += jerk + expansion * (shake * complex(n1, n2) - pull * place) * pace
        velocity *= pace / abs(velocity)
        place += velocity
        points.append(place)
    return torch.tensor([(point.imag, point.real) for point in points], dtype=torch.float64)


def shake_psf(generator: torch.Generator) -> Psf:
    """The PSF of one exposure along a random path: the first tenth, half, or all of it.

    Unlike the original it sums to 1 and its centroid lies at its centre, so that pairs neither move nor change in
    brightness.

    Example:
        >>> psf = shake_psf(torch.Generator().manual_seed(0))
        >>> abs(float(psf.kernel.sum()) - 1) < 1e-5, max(psf.size) <= CANVAS + 1
        (True, True)
    """
    points = trajectory(generator)
    share = _EXPOSURES[int(torch.randint(len(_EXPOSURES), (), generator=generator))]
    points = points[: max(2, round(share * SAMPLES))]
    points = points - points.mean(dim=0)
    reach = min(CANVAS // 2, math.ceil(float(points.abs().max())) + 1)
    side = 2 * reach + 1
    places = (points + reach).clamp(0, side - 1 - 1e-9)
    whole = places.floor().long()
    part = places - whole
    kernel = torch.zeros(side + 1, side + 1, dtype=torch.float64)
    for down in (0, 1):
        for right in (0, 1):
            weight = (part[:, 0] if down else 1 - part[:, 0]) * (part[:, 1] if right else 1 - part[:, 1])
            kernel.index_put_((whole[:, 0] + down, whole[:, 1] + right), weight, accumulate=True)
    return Psf.from_tensor(kernel[:side, :side])

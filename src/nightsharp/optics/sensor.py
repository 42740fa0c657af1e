"""What the sensor adds: photon noise, read noise, clipping."""

import math

import torch
from jaxtyping import Float
from torch import Tensor

from nightsharp.errors import UsageError


def expose(
    light: Float[Tensor, "batch channel height width"],
    *,
    photons: float,
    read_noise: float = 0.0,
    generator: torch.Generator | None = None,
) -> Float[Tensor, "batch channel height width"]:
    r"""Record light with a sensor: photons are counted, the amplifier adds noise, the well is full at 1.

    .. math:: y = \mathrm{clip}_{[0,1]}\!\left( \tfrac1P\,\mathrm{Poisson}(P\,x) + \mathcal N(0, \sigma_r^2) \right)

    Args:
        light: linear light, >= 0; what exceeds 1 saturates.
        photons: photo-electrons P that fill a pixel to 1; 200 to 2,000 for a phone at night, > 0.
        read_noise: standard deviation of the read noise, in the range of ``light``, >= 0.
        generator: the source of randomness; torch's default when None.

    Returns:
        The recorded values in [0, 1].

    Raises:
        UsageError: ``photons`` is not positive, or ``read_noise`` is negative; or either is not finite.

    Example:
        >>> dark = torch.full((1, 1, 64, 64), 0.25)
        >>> y = expose(dark, photons=400, generator=torch.Generator().manual_seed(0))
        >>> abs(float(y.mean()) - 0.25) < 0.005, abs(float(y.std()) - 0.025) < 0.002
        (True, True)

    Source: Foi, Trimeche, Katkovnik and Egiazarian, "Practical Poissonian-Gaussian noise modeling and fitting for
    single-image raw-data", 2008, with clipping.
    """
    if not 0 < photons < math.inf:
        raise UsageError(f"photons is {photons}; a pixel needs a finite number above 0 to record anything.")
    if not 0 <= read_noise < math.inf:
        raise UsageError(f"read_noise is {read_noise}; a standard deviation is finite and not negative.")
    counted = torch.poisson(light.clamp_min(0) * photons, generator=generator) / photons
    noise = torch.randn(light.shape, generator=generator, dtype=light.dtype, device=light.device)
    return (counted + read_noise * noise).clamp(0, 1)

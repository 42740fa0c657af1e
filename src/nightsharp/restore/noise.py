"""How the noise of a photograph lies in linear light, where it is not the same everywhere."""

import torch
from jaxtyping import Float
from torch import Tensor

from nightsharp.methods._blocks import model_error
from nightsharp.optics import estimate_sigma
from nightsharp.photo import linear_to_srgb

_WINDOW = 5


def noise_in_linear_light(
    light: Float[Tensor, "1 channel height width"],
) -> tuple[Float[Tensor, "1 channel 1 1"], Float[Tensor, "1 channel height width"]]:
    r"""The noise level of a photograph and the trust that each pixel deserves.

    Photon noise grows with the light, and a camera's tone curve V(L) flattens it again: in display values the noise of
    a photograph is about even. One sigma measured there becomes, in linear light,

    .. math:: \sigma(L) = \sigma_V / V'(L), \qquad w(L) = \min\!\big(1,\; (V'(L) / V'(L_{1/2}))^2\big)

    with L the local mean and :math:`L_{1/2}` the median of the photograph: what is brighter than the median counts
    less, by its noise; what is darker counts the same, because read noise does not fade.

    Args:
        light: linear light, range [0, 1].

    Returns:
        Sigma at full trust, joined by what an inexact PSF leaves unexplained, and the trust w in (0, 1].

    Example:
        >>> sigma, weight = noise_in_linear_light(torch.rand(1, 3, 32, 32))
        >>> bool((weight <= 1).all())
        True

    Source: Foi et al., "Practical Poissonian-Gaussian noise modeling and fitting for single-image raw-data", IEEE TIP
    2008 (signal-dependent noise); the curve is that of IEC 61966-2-1.
    """
    reach = _WINDOW // 2
    around = torch.nn.functional.pad(light, (reach,) * 4, mode="replicate")
    local = torch.nn.functional.avg_pool2d(around, _WINDOW, stride=1)
    slope = torch.where(local <= 0.0031308, 12.92, 1.055 / 2.4 * local.clamp_min(1e-9) ** (1 / 2.4 - 1))
    reference = slope.flatten()[:: max(1, slope.numel() // 2**20)].median()
    sigma = estimate_sigma(linear_to_srgb(light)) / reference
    return (sigma.square() + model_error(light).square()).sqrt(), (slope / reference).square().clamp_max(1)

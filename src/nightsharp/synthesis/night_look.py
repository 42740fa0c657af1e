"""Night out of any photograph: darker, with lamps, in display values or in linear light."""

import torch
from jaxtyping import Float
from torch import Tensor

from nightsharp.synthesis.apertures import softened_images
from nightsharp.synthesis.augmentation import flipped_and_turned
from nightsharp.synthesis.lamps import boosted, with_lamps
from nightsharp.synthesis.mixture import drawn_kinds, log_uniform, uniform
from nightsharp.synthesis.pipeline import Scene

# display values as they are; linear light; something between
_GAMMA_SHARES = (0.4, 0.4, 0.2)
_DISPLAY_GAMMA = 2.2
# Standard deviations in pixels, and the share of the images: seen at full size, a camera's picture has 10 to 20 dB less
# power at the finest detail than one that was made smaller.
_SOFTNESS = (0.4, 1.3)
_SOFT = 0.6
# The other half has no lamps and no long exposure: a network that meets saturation in nearly every pair gets worse
# where there is none.
_LIT = 0.5


def night_look(sharp: Float[Tensor, "batch 3 height width"], generator: torch.Generator) -> Scene:
    """Turn, soften most of the images, decode by a random gamma, darken half of them; in half, light lamps and expose
    some too long.

    Photographs that were made smaller are sharper than any camera's own pixels, behind lens and colour filter. A
    network that sees only those makes up detail that is not there.

    Args:
        sharp: display values, range [0, 1].
        generator: the source of randomness, on the CPU.

    Returns:
        Light >= 0, lamps beyond 1, with its gamma: 1, 2.2, or between.

    Example:
        >>> scene = night_look(torch.rand(4, 3, 32, 32), torch.Generator().manual_seed(0))
        >>> scene.light.shape, scene.gamma.shape
        (torch.Size([4, 3, 32, 32]), torch.Size([4, 1, 1, 1]))
    """
    count = len(sharp)
    sharp = flipped_and_turned(sharp, turned=0.5, generator=generator)

    def some(values: Tensor, share: float, otherwise: float) -> Tensor:
        left_out = torch.rand(count, generator=generator) >= share
        return values.masked_fill(left_out, otherwise)[:, None, None, None].to(sharp)

    sharp = softened_images(sharp, some(uniform(*_SOFTNESS, count, generator=generator), _SOFT, 0.0).flatten())
    kinds = drawn_kinds(count, _GAMMA_SHARES, generator=generator)
    between = uniform(1, _DISPLAY_GAMMA, count, generator=generator)
    gamma = torch.stack([torch.ones(count), torch.full((count,), _DISPLAY_GAMMA), between]).gather(0, kinds[None])[0]
    gamma = gamma[:, None, None, None].to(sharp)
    lit = torch.rand(count, generator=generator) < _LIT
    by_day = ~lit[:, None, None, None].to(sharp.device)
    bright = boosted(
        sharp,
        uniform(0.65, 0.97, count, generator=generator)[:, None, None, None].to(sharp),
        some(log_uniform(1.2, 12.0, count, generator=generator), 0.8, 1.0).masked_fill(by_day, 1.0),
    )
    # of the lit ones, three in ten are exposed for the shadows, and large parts of them burn out
    exposure = some(log_uniform(0.45, 1.0, count, generator=generator), 0.5, 1.0)
    exposure = exposure * some(log_uniform(1.2, 2.5, count, generator=generator), 0.3, 1.0).masked_fill(by_day, 1.0)
    light = powers(bright * exposure, gamma)
    lamps = uniform(1, 9, count, generator=generator).floor() * (torch.rand(count, generator=generator) < 0.7) * lit
    return Scene(with_lamps(light, lamps, generator=generator), gamma)


def powers(values: Float[Tensor, "batch 3 height width"], gamma: Float[Tensor, "batch 1 1 1"]) -> Tensor:
    """``values ** gamma``, skipping images where gamma is 1.

    Args:
        values: >= 0.
        gamma: one exponent for each image.

    Example:
        >>> powers(torch.full((1, 3, 1, 1), 0.5), torch.full((1, 1, 1, 1), 2.0))[0, 0]
        tensor([[0.2500]])
    """
    curved = (gamma != 1).flatten()
    if not bool(curved.any()):
        return values
    result = values.clone()
    result[curved] = values[curved] ** gamma[curved]
    return result

"""Data step and prior in turns: plug and play."""

from collections.abc import Iterator

import torch
from jaxtyping import Float
from torch import Tensor

from nightsharp.methods._blocks import Canvas, dilate
from nightsharp.methods.nightwiener.data_step import data_step
from nightsharp.methods.nightwiener.prior import MULTIPLE, NightPrior, seen
from nightsharp.methods.nightwiener.sides import to_multiple

TURNS = 3
"""How often data step and prior follow each other."""

# The error of the classical estimate that the first turn assumes, as a part of the contrast; at the least so many times
# the noise.
_FIRST = 0.27
_LEAST_FALL = 1.5
# How much more than its error the data step trusts the estimate.
_TRUST = 0.5

# The share of the turns in a soft scene, and from which fineness to which it goes down to nothing.
_MOST, _SOFT = 0.4, -2.6
FINE = -1.8
"""Scenes as fine as this are left to the network, and the turns are not taken."""

# The passage from beside lamps to away from them, in pixels.
_EDGE = 5


def turns(
    start: Float[Tensor, "batch channel height width"],
    canvas: Canvas,
    level: Float[Tensor, "batch channel 1 1"],
    contrast: Float[Tensor, "batch 1 1 1"],
    scenes: Float[Tensor, "batch"],
    prior: NightPrior,
) -> Iterator[Float[Tensor, "batch channel height width"]]:
    r"""Draw an estimate towards the record and clean it, again and again.

    .. math:: x_t = D(z_{t-1};\, \sigma^2 / 2 s_t^2), \qquad z_t = P(x_t;\, s_t), \qquad
        s_1 > \ldots > s_T = \sigma

    with D the data step and s falling evenly in the logarithm, from a part of the contrast to the noise.

    Light beyond white passes by the prior, which has seen none.

    Args:
        start: z_0, the classical estimate.
        canvas: the record with its PSF.
        level: standard deviation of the noise.
        contrast: that of the whole image.
        scenes: how fine each is, in decades.
        prior: P, with its weights.

    Yields:
        z after each turn, of fine scenes the estimate as it was; nothing where no scene is soft.

    Source: Zhang et al., "Plug-and-play image restoration with deep denoiser prior", TPAMI 2021, with another start,
    border, saturation and schedule.
    """
    soft = (scenes < FINE).to(start.device)[:, None, None, None]
    if not bool(soft.any()):
        return
    latent = start
    first = torch.maximum(_FIRST * contrast.expand_as(level), _LEAST_FALL * level)
    height, width = start.shape[-2:]
    for turn in range(TURNS):
        spread = first * (level / first) ** (turn / (TURNS - 1))
        drawn = data_step(canvas, latent, _TRUST * (level / spread).square())
        shown = drawn.clamp_max(1)
        stack = to_multiple(seen(shown, spread), MULTIPLE)
        # one plane after the other, for the memory
        cleaned = torch.cat([prior(plane[None])[..., :height, :width] for plane in stack])
        latent = cleaned.reshape(shown.shape).clamp_min(0) + (drawn - shown)
        yield torch.where(soft, latent, start)


def share(
    canvas: Canvas, psf: Float[Tensor, "#batch 1 kh kw"], scenes: Float[Tensor, "batch"]
) -> Float[Tensor, "planes 1 height width"]:
    """How much of the final picture comes from the turns: most where the scene is soft, nothing beside lamps.

    Where a scene is soft as a camera draws it, network and turns err in different ways and their mean is better than
    either; where it is fine, the turns lose detail that the network keeps. Beside lamps the classical estimate rings,
    and the data step keeps what rings. Fitted on 120 crops of training photographs.

    Args:
        canvas: the record.
        psf: its PSF.
        scenes: how fine each is, in decades.

    Returns:
        The part, in [0, 1], channels laid along the batch as the network sees them.
    """
    shares = _MOST * ((FINE - scenes) / (FINE - _SOFT)).clamp(0, 1)
    saturated = canvas.cut(canvas.saturated.amax(dim=1, keepdim=True).float())
    near = dilate(saturated, 3 * max(psf.shape[-2:]) // 2)
    away = 1 - torch.nn.functional.avg_pool2d(near, _EDGE, 1, _EDGE // 2, count_include_pad=False)
    channels = canvas.observed.shape[1]
    return (shares.to(away)[:, None, None, None] * away).expand(-1, channels, -1, -1).flatten(0, 1)[:, None]

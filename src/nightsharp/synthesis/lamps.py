"""Lamps: light beyond white, which blur draws into streaks."""

import torch
from jaxtyping import Float
from torch import Tensor

from nightsharp.synthesis.mixture import log_uniform, uniform

_MOST = 8
_STAMP = 17
_WARMEST = (1.0, 0.62, 0.25)
_COOLEST = (0.8, 0.92, 1.0)


def boosted(
    light: Float[Tensor, "batch 3 height width"],
    threshold: Float[Tensor, "batch 1 1 1"],
    factor: Float[Tensor, "batch 1 1 1"],
) -> Float[Tensor, "batch 3 height width"]:
    r"""Give highlights back the light that the photograph cut off.

    .. math:: x \leftarrow x \left( 1 + (s - 1)\, S\!\left(\tfrac{m - t}{1 - t}\right) \right), \qquad
        m = \max_c x_c, \quad S(u) = u^2 (3 - 2 u)\ \text{on}\ [0, 1]

    Args:
        light: range [0, 1].
        threshold: t, from where on a pixel is a highlight, below 1.
        factor: s at white; 1 changes nothing.

    Returns:
        Light, range [0, s].

    Example:
        >>> light = torch.tensor([0.2, 1.0]).expand(1, 3, 1, 2)
        >>> bright = boosted(light, torch.full((1, 1, 1, 1), 0.9), torch.full((1, 1, 1, 1), 5.0))
        >>> bright[0, 0]
        tensor([[0.2000, 5.0000]])

    Source: Zhou et al., "Deblurring low-light images with events", IJCV 2023, adds light to white pixels; Hu et al.,
    "Deblurring low-light images with light streaks", CVPR 2014, stretch them.
    """
    share = ((light.amax(1, keepdim=True) - threshold) / (1 - threshold)).clamp(0, 1)
    return light * (1 + (factor - 1) * share.square() * (3 - 2 * share))


def with_lamps(
    light: Float[Tensor, "batch 3 height width"], wanted: Float[Tensor, " batch"], *, generator: torch.Generator
) -> Float[Tensor, "batch 3 height width"]:
    """Add small lamps, warm to cool, up to forty times as bright as white.

    Args:
        light: >= 0.
        wanted: lamps in each image, up to 8.
        generator: the source of randomness, on the CPU.

    Returns:
        Light with round lamps of 0.5 to 5 pixels' radius, their edges soft.

    Example:
        >>> dark = torch.zeros(1, 3, 40, 40)
        >>> bool(with_lamps(dark, torch.tensor([3.0]), generator=torch.Generator().manual_seed(0)).max() > 1)
        True
    """
    batch, _, height, width = light.shape
    count = batch * _MOST
    place = torch.rand(count, 2, generator=generator) * torch.tensor([height, width])
    radius = log_uniform(0.5, 5.0, count, generator=generator)
    power = log_uniform(1.5, 40.0, count, generator=generator)
    warmth = uniform(0, 1, count, generator=generator)[:, None]
    lit = (torch.arange(_MOST) < wanted[:, None]).flatten()
    colour = warmth * torch.tensor(_WARMEST) + (1 - warmth) * torch.tensor(_COOLEST)

    grid = torch.arange(_STAMP) - _STAMP // 2
    corner = place.floor()
    rows = corner[:, :1] + grid
    columns = corner[:, 1:] + grid
    distance = torch.hypot((rows - place[:, :1])[:, :, None], (columns - place[:, 1:])[:, None])
    stamp = (radius[:, None, None] + 0.5 - distance).clamp(0, 1)
    inside = ((rows >= 0) & (rows < height))[:, :, None] & ((columns >= 0) & (columns < width))[:, None]
    stamp = stamp * (inside & lit[:, None, None]) * power[:, None, None]

    image = torch.arange(batch).repeat_interleave(_MOST)[:, None, None]
    pixel = (image * height + rows.long().clamp(0, height - 1)[:, :, None]) * width
    pixel = pixel + columns.long().clamp(0, width - 1)[:, None]
    shown = stamp > 0
    values = (stamp[..., None] * colour[:, None, None])[shown]
    lamps = torch.zeros(batch * height * width, 3).index_add(0, pixel.expand_as(stamp)[shown], values)
    return light + lamps.reshape(batch, height, width, 3).permute(0, 3, 1, 2).to(light)

"""Defocus and softness, many PSFs at once."""

import math

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional


def apertures(
    radius: Float[Tensor, " batch"], blades: Float[Tensor, " batch"], rotation: Float[Tensor, " batch"], side: int
) -> Float[Tensor, "batch 1 side side"]:
    """Defocus of lenses with straight blades, or round ones.

    The edge of a tap passes linearly from 0 to 1 over one pixel, which differs from the exact coverage
    (``nightsharp.optics.defocus``) by a percent of the whole at 3 pixels and less beyond.

    Args:
        radius: of the circle through the corners, pixels.
        blades: 3 or more; 0 for a round opening.
        rotation: radians.
        side: of the PSFs.

    Returns:
        Non-negative, sum 1 each.

    Example:
        >>> apertures(torch.tensor([2.0]), torch.tensor([0.0]), torch.tensor([0.0]), 5).shape
        torch.Size([1, 1, 5, 5])
    """
    place = torch.arange(side, dtype=radius.dtype) - side // 2
    y, x = place[:, None], place[None]
    sector = 2 * math.pi / blades.clamp_min(3)[:, None, None]
    bearing = torch.remainder(torch.atan2(-y, x) - rotation[:, None, None], sector) - sector / 2
    distance = torch.hypot(y, x)
    flat = distance * bearing.cos() - radius[:, None, None] * (sector / 2).cos()
    beyond = torch.where(blades[:, None, None] < 3, distance - radius[:, None, None], flat)
    covered = (0.5 - beyond).clamp(0, 1)
    covered[:, side // 2, side // 2] = covered[:, side // 2, side // 2].clamp_min(1e-3)
    return (covered / covered.sum((-2, -1), keepdim=True))[:, None]


def soft(sigma: Float[Tensor, " batch"], side: int) -> Float[Tensor, "batch 1 side side"]:
    """Gaussian PSFs, cut at the square.

    Args:
        sigma: pixels, >= 0; 0 is no blur.
        side: of the PSFs.

    Example:
        >>> soft(torch.tensor([0.0]), 3)[0, 0, 1]
        tensor([0., 1., 0.])
    """
    profile = profiles(sigma, side)
    return (profile[:, :, None] * profile[:, None, :])[:, None]


def profiles(sigma: Float[Tensor, " batch"], side: int) -> Float[Tensor, "batch side"]:
    """Gaussian profiles of sum 1.

    Args:
        sigma: pixels, >= 0; 0 is a single tap.
        side: of the profiles.

    Example:
        >>> profiles(torch.tensor([0.0]), 3)
        tensor([[0., 1., 0.]])
    """
    place = torch.arange(side, dtype=sigma.dtype, device=sigma.device) - side // 2
    profile = torch.exp(-0.5 * (place / sigma.clamp_min(1e-3)[:, None]).square())
    return profile / profile.sum(1, keepdim=True)


def softened(psf: Float[Tensor, "batch 1 k k"], sigma: Float[Tensor, " batch"]) -> Float[Tensor, "batch 1 k k"]:
    """PSFs convolved with Gaussians, each with its own; what leaves the square is left out and the sum made 1 again.

    Args:
        psf: non-negative.
        sigma: pixels, >= 0; 0 changes nothing.

    Example:
        >>> point = torch.zeros(1, 1, 5, 5); point[..., 2, 2] = 1
        >>> torch.allclose(softened(point, torch.tensor([0.7])), soft(torch.tensor([0.7]), 5))
        True
    """
    place = torch.arange(psf.shape[-1], device=psf.device)
    profile = torch.exp(-0.5 * (place / sigma.to(psf).clamp_min(1e-3)[:, None]).square())
    spread = profile[:, (place[:, None] - place).abs()][:, None]
    wide = spread @ psf @ spread
    return wide / wide.sum((-2, -1), keepdim=True)


def softened_images(
    images: Float[Tensor, "batch 3 height width"], sigma: Float[Tensor, " batch"]
) -> Float[Tensor, "batch 3 height width"]:
    """Images behind a soft lens, each its own; edge pixels are repeated.

    Args:
        images: any range.
        sigma: of the Gaussians, pixels, 0 to 1.5; 0 changes nothing.

    Example:
        >>> images = torch.rand(1, 3, 9, 9)
        >>> torch.equal(softened_images(images, torch.zeros(1)), images)
        True
    """
    batch, reach = len(images), 4
    across = profiles(sigma.to(images), 2 * reach + 1).reshape(batch, 1, 1, -1)
    planes = functional.pad(images.transpose(0, 1), (reach,) * 4, mode="replicate")
    smooth = functional.conv2d(functional.conv2d(planes, across, groups=batch), across.mT, groups=batch)
    return smooth.transpose(0, 1).contiguous()

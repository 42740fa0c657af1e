"""The frames of a camera motion that differs from patch to patch."""

import math

import torch
from jaxtyping import Float
from torch import Tensor

from nightsharp.errors import PhotoError


def moving_patches(
    image: Float[Tensor, "channel height width"], paths: Float[Tensor, "rows columns frames 2"]
) -> Float[Tensor, "frames channel height width"]:
    r"""Each patch of each frame shows the picture moved by the patch's own displacement.

    .. math:: y_i(p) = x(p - d_i(\mathrm{patch\ of\ } p))

    by bilinear interpolation; beyond its border the picture is mirrored, edge pixel repeated. Every pixel is looked up
    once a frame, where moving the whole picture for every patch would do it as often as there are patches.

    Args:
        image: x, any range; its sides are multiples of the grid's.
        paths: displacements (down, right) of each patch in each frame, pixels.

    Returns:
        The frames.

    Raises:
        PhotoError: the picture does not divide into the patches.

    Example:
        >>> image = torch.rand(3, 8, 10)
        >>> frames = moving_patches(image, torch.ones(2, 5, 4, 2))
        >>> frames.shape, torch.allclose(frames[0, :, 1:, 1:], image[:, :-1, :-1])
        (torch.Size([4, 3, 8, 10]), True)

    Source: Zhou et al., "Deblurring low-light images with events", IJCV 2023, data generation.
    """
    channels, height, width = image.shape
    rows, columns, count, _ = paths.shape
    if height % rows or width % columns:
        raise PhotoError(
            f"the picture is {height} x {width}, which does not divide into {rows} x {columns} patches. "
            f"Crop it to {height // rows * rows} x {width // columns * columns}."
        )
    tall, wide = height // rows, width // columns
    margin = math.ceil(float(paths.abs().max())) + 1
    down, right = (_mirrored(length, margin).to(image.device) for length in (height, width))
    padded = image.index_select(-2, down).index_select(-1, right)
    frames = image.new_empty(count, channels, height, width)
    corner_row = torch.arange(rows, device=image.device)[:, None] * tall + margin
    corner_column = torch.arange(columns, device=image.device) * wide + margin
    for index in range(count):
        shift = -paths[:, :, index].to(image.device, torch.float64)
        whole = shift.floor()
        part = (shift - whole).to(image)[..., None, None]
        top = (corner_row + whole[..., 0].long())[..., None] + torch.arange(tall + 1, device=image.device)
        left = (corner_column + whole[..., 1].long())[..., None] + torch.arange(wide + 1, device=image.device)
        patches = padded[:, top[..., :, None], left[..., None, :]]
        patches = torch.lerp(patches[..., :-1, :], patches[..., 1:, :], part[:, :, 0])
        patches = torch.lerp(patches[..., :-1], patches[..., 1:], part[:, :, 1])
        frames[index] = patches.transpose(2, 3).reshape(channels, height, width)
    return frames


def _mirrored(length: int, margin: int) -> Tensor:
    """Which pixel stands where when an axis is mirrored at its ends, the edge pixel repeated."""
    place = torch.arange(-margin, length + margin) % (2 * length)
    return torch.minimum(place, 2 * length - 1 - place)

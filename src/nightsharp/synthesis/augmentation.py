"""Flips and quarter turns."""

import torch
from jaxtyping import Float
from torch import Tensor


def flipped_and_turned(
    images: Float[Tensor, "batch channel height width"], *, turned: float, generator: torch.Generator
) -> Float[Tensor, "batch channel height width"]:
    """Flip each image either way with probability 1/2, and turn it by 90 degrees clockwise.

    Args:
        images: any range; those that are not square are flipped but not turned.
        turned: probability of the turn, 0 to 1.
        generator: the source of randomness, on the CPU.

    Example:
        >>> image = torch.rand(1, 3, 4, 4)
        >>> out = flipped_and_turned(image, turned=0.5, generator=torch.Generator().manual_seed(0))
        >>> torch.equal(out.flatten().sort().values, image.flatten().sort().values)
        True
    """
    chances = torch.rand(3, len(images), generator=generator) < torch.tensor([0.5, 0.5, turned])[:, None]
    if images.shape[-2] != images.shape[-1]:
        chances[2] = False
    changed = [
        image.flip([axis for axis, flip in zip((-1, -2), which[:2], strict=True) if flip]).rot90(-which[2], (-2, -1))
        for image, which in zip(images, chances.int().T.tolist(), strict=True)
    ]
    return torch.stack(changed)


def oriented(values: Float[Tensor, "*batch height width"], orientation: int) -> Float[Tensor, "*batch rows columns"]:
    """One of the eight flips and quarter turns, the same for all images of a batch; an image and its PSF turn alike.

    Args:
        values: images, or PSFs with odd sides.
        orientation: quarter turns, and 4 more for a flip from left to right after them; 0 changes nothing.

    Example:
        >>> oriented(torch.tensor([[1.0, 2.0], [3.0, 4.0]]), 5)
        tensor([[4., 2.],
                [3., 1.]])
    """
    turned = values.rot90(orientation % 4, (-2, -1)) if orientation % 4 else values
    return (turned.flip(-1) if orientation >= 4 else turned).contiguous()

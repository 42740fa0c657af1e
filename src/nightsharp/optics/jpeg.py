"""What JPEG compression does to pixels, many images at once and without a file."""

import math
from functools import cache

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import avg_pool2d, interpolate, pad

from nightsharp.errors import UsageError

# Annex K of the standard, tables K.1 and K.2, which nearly every encoder scales.
_LUMA = """
16 11 10 16 24 40 51 61  12 12 14 19 26 58 60 55  14 13 16 24 40 57 69 56  14 17 22 29 51 87 80 62
18 22 37 56 68 109 103 77  24 35 55 64 81 104 113 92  49 64 78 87 103 121 120 101  72 92 95 98 112 100 103 99
"""
_CHROMA = """
17 18 24 47 99 99 99 99  18 21 26 66 99 99 99 99  24 26 56 99 99 99 99 99  47 66 99 99 99 99 99 99
99 99 99 99 99 99 99 99  99 99 99 99 99 99 99 99  99 99 99 99 99 99 99 99  99 99 99 99 99 99 99 99
"""
_TO_YCC = ((0.299, 0.587, 0.114), (-0.168736, -0.331264, 0.5), (0.5, -0.418688, -0.081312))
_TO_RGB = ((1.0, 0.0, 1.402), (1.0, -0.344136, -0.714136), (1.0, 1.772, 0.0))


def jpeg(
    image: Float[Tensor, "batch 3 height width"], quality: Float[Tensor, " batch"]
) -> Float[Tensor, "batch 3 height width"]:
    r"""Compress and decompress as baseline JPEG does, colour at half resolution (4:2:0).

    .. math:: c \leftarrow q\, \mathrm{round}(c / q), \qquad c = \text{8 x 8 cosine transform of the values}

    Args:
        image: display values, range [0, 1].
        quality: of each image, 1 to 100, on the scale of libjpeg.

    Returns:
        The values after decompression, in steps of 1/255.

    Raises:
        UsageError: a quality is outside its range, or their number differs from that of the images.

    Example:
        >>> y = jpeg(torch.full((1, 3, 20, 20), 0.5), torch.tensor([90.0]))
        >>> y.shape, round(float(y.mean()), 3)
        (torch.Size([1, 3, 20, 20]), 0.502)

    Source: ITU-T T.81 with the tables and scaling of libjpeg; colour is enlarged linearly.
    """
    if len(quality) != len(image) or not bool(((quality >= 1) & (quality <= 100)).all()):
        raise UsageError(f"quality is {quality.tolist()} for {len(image)} images; give 1 to 100 for each.")
    height, width = image.shape[-2:]
    bottom, right = -height % 16, -width % 16
    codes = pad((image.clamp(0, 1) * 255).round(), (0, right, 0, bottom), mode="replicate")
    ycc = torch.einsum("ij,bjhw->bihw", image.new_tensor(_TO_YCC), codes)
    luma = _quantised(ycc[:, :1] - 128, _table(_LUMA, quality, image)) + 128
    chroma = _quantised(avg_pool2d(ycc[:, 1:], 2), _table(_CHROMA, quality, image))
    wide = interpolate(chroma, scale_factor=2, mode="bilinear", align_corners=False)
    rgb = torch.einsum("ij,bjhw->bihw", image.new_tensor(_TO_RGB), torch.cat([luma, wide], dim=1))
    return rgb[..., :height, :width].round().clamp(0, 255) / 255


def _table(values: str, quality: Tensor, like: Tensor) -> Tensor:
    """The quantisation steps of each image, (batch, 1, 1, 8, 1, 8)."""
    base = like.new_tensor([float(word) for word in values.split()]).reshape(1, 1, 1, 8, 1, 8)
    quality = quality.to(like).round()
    scale = torch.where(quality < 50, 5000 / quality, 200 - 2 * quality)[:, None, None, None, None, None]
    return ((base * scale.floor() + 50) / 100).floor().clamp(1, 255)


@cache
def _cosines() -> tuple[tuple[float, ...], ...]:
    rows = [[math.cos((2 * x + 1) * u * math.pi / 16) / 2 for x in range(8)] for u in range(8)]
    rows[0] = [value / math.sqrt(2) for value in rows[0]]
    return tuple(map(tuple, rows))


def _quantised(plane: Tensor, table: Tensor) -> Tensor:
    """Through the cosine transform of each 8 x 8 block, rounded there, and back."""
    batch, channels, height, width = plane.shape
    turn = plane.new_tensor(_cosines())
    # (batch, channel, block row, row, block column, column): the transform acts on the second and the last of these
    blocks = plane.reshape(batch, channels, height // 8, 8, width // 8, 8)
    spectrum = torch.einsum("ui,bcminj->bcmunj", turn, blocks) @ turn.T
    rounded = (spectrum / table).round_().mul_(table)
    back = torch.einsum("ui,bcmunj->bcminj", turn, rounded @ turn)
    return back.reshape(batch, channels, height, width)

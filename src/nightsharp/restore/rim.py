"""Room around a photograph, so that no edge learns from what lies on the other side.

A Fourier transform wraps around: the light beyond one edge begins as a passage to the opposite edge. In a tile that is
another place than in the whole, and what the passage leaves in the first pixels would differ by up to 20 / 255.
Between the two lies a rim of unknown light now, that begins as the edge itself.
"""

from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import pad

from nightsharp.restore.tiles import Place

RIM = 32
"""Pixels of room on each side that is an edge of the photograph."""


def with_rim(
    tile: Float[Tensor, "1 channel height width"],
    weight: Float[Tensor, "1 #channel height width"] | None,
    place: Place,
    *,
    below: float,
) -> tuple[Float[Tensor, "1 channel rows columns"], Float[Tensor, "1 channel rows columns"]]:
    """Lay room around a tile where it reaches the edge of the photograph, and give it no weight.

    Args:
        tile: the pixels.
        weight: the trust in each pixel; full when None.
        place: where the tile lies.
        below: the value from which a pixel counts as saturated; the rim stays below it.
    """
    sides = _sides(place)
    known = tile.new_ones(tile.shape) if weight is None else weight.expand_as(tile)
    if not any(sides):
        return tile, known
    room = pad(tile, sides, mode="replicate")
    recorded = pad(tile.new_ones(1, 1, *tile.shape[-2:]), sides) > 0
    return room.where(recorded, room.clamp_max(0.999 * below)), pad(known, sides)


def without_rim(tile: Float[Tensor, "1 channel rows columns"], place: Place) -> Float[Tensor, "1 channel height width"]:
    """Take the room away again."""
    left, right, top, bottom = _sides(place)
    rows, columns = tile.shape[-2:]
    return tile[..., top : rows - bottom, left : columns - right]


def _sides(place: Place) -> tuple[int, int, int, int]:
    """Room to the left, to the right, above and below."""
    height, width = place.size
    return (
        RIM * (place.columns.start == 0),
        RIM * (place.columns.stop == width),
        RIM * (place.rows.start == 0),
        RIM * (place.rows.stop == height),
    )

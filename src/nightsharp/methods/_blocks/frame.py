"""A photograph laid out for a network: mirrored or repeated beyond its edges, up to a size the network takes."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor


@dataclass(frozen=True)
class Frame:
    """Which pixel of the photograph stands at each place of the larger field.

    Attributes:
        rows: for each row of the field, the photograph's.
        columns: for each column of the field, the photograph's.
        margin: rows and columns of the field before the photograph begins.
        size: height and width of the photograph.
    """

    rows: Int[Tensor, " field_rows"]
    columns: Int[Tensor, " field_columns"]
    margin: int
    size: tuple[int, int]

    @classmethod
    def around(cls, size: tuple[int, int], multiple: int, margin: int = 0) -> "Frame":
        """Room on all sides, and more at the bottom and right up to a multiple; the edge pixels come first, mirrored.

        Args:
            size: height and width of the photograph, at least 1.
            multiple: of which the sides of the field are.
            margin: pixels on each side.

        Example:
            >>> frame = Frame.around((3, 4), multiple=8, margin=2)
            >>> frame.rows.tolist()
            [1, 0, 0, 1, 2, 2, 1, 0]
        """
        rows, columns = (_mirrored(length, multiple, margin) for length in size)
        return cls(rows, columns, margin, size)

    @property
    def field(self) -> tuple[int, int]:
        """Height and width of the field."""
        return len(self.rows), len(self.columns)

    def lay(
        self, image: Float[Tensor, "batch channel height width"]
    ) -> Float[Tensor, "batch channel field_rows field_columns"]:
        """The photograph on the field."""
        return self.band(lambda rows: image[..., rows, :], 0, len(self.rows))

    def band(
        self, read: Callable[[slice], Float[Tensor, "batch channel part width"]], start: int, stop: int
    ) -> Float[Tensor, "batch channel band_rows field_columns"]:
        """Some rows of the field, from the photograph's rows that they show.

        Args:
            read: from a slice of rows to those rows of the photograph.
            start: first row of the field.
            stop: one past the last row of the field.
        """
        wanted = self.rows[start:stop]
        first, last = int(wanted.min()), int(wanted.max())
        part = read(slice(first, last + 1))
        down, across = (wanted - first).to(part.device), self.columns.to(part.device)
        return part.index_select(-2, down).index_select(-1, across)

    def cut(
        self, image: Float[Tensor, "batch channel field_rows field_columns"]
    ) -> Float[Tensor, "batch channel height width"]:
        """What of the field is the photograph."""
        (height, width), margin = self.size, self.margin
        return image[..., margin : margin + height, margin : margin + width].contiguous()


def _mirrored(length: int, multiple: int, margin: int) -> Int[Tensor, " places"]:
    whole = -(-(length + 2 * margin) // multiple) * multiple
    place = (torch.arange(whole) - margin) % (2 * length)
    return torch.minimum(place, 2 * length - 1 - place)


@dataclass(frozen=True)
class Band:
    """Some rows of a field, read with a halo.

    Attributes:
        start: first row read.
        stop: one past the last row read.
        inner: the rows of what was read that count, with one more on each side that is not an edge of the field.
        top: the band begins at the top of the field.
        bottom: the band ends at the bottom of the field.
    """

    start: int
    stop: int
    inner: slice
    top: bool
    bottom: bool


def bands(rows: int, halo: int, height: int = 256) -> list[Band]:
    """Cut a field into bands of rows, so that what is measured on all of it needs the memory of one.

    Args:
        rows: of the field.
        halo: rows read beyond each end that is not the field's, a multiple of what the field is a multiple of.
        height: of a band, about; a multiple as well.

    Example:
        >>> [(band.start, band.stop) for band in bands(600, halo=16)]
        [(0, 272), (240, 528), (496, 600)]
    """
    found = []
    for first in range(0, rows, height):
        last = min(first + height, rows)
        start, stop = max(0, first - halo), min(rows, last + halo)
        top, bottom = first == 0, last == rows
        inner = slice(first - start - (not top), last - start + (not bottom))
        found.append(Band(start, stop, inner, top, bottom))
    return found

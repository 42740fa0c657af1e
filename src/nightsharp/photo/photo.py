"""A photograph in linear light, with what is needed to write it back."""

import os
from collections.abc import Iterator

import torch
from jaxtyping import Float
from torch import Tensor

from nightsharp.errors import PhotoError
from nightsharp.photo.codes import Codes
from nightsharp.photo.metadata import Light, Metadata
from nightsharp.photo.tone import ToneCurve

# Pixels per channel that are handled at once where a whole photo is gone through.
_BAND = 1 << 20


class Photo:
    """A photograph: linear-light pixels, perhaps transparency, and the metadata of its file.

    Light adds up in linear light, so that is what ``pixels`` holds; ``display`` gives the values as a screen wants
    them. The primaries are those of the file, its colour profile goes back unchanged. A photo that was read keeps the
    integers of its file until ``pixels`` is asked for; ``part`` turns a part of them into light and keeps nothing.

    Args:
        pixels: linear-light RGB, nominally in [0, 1]; floating-point files may exceed it. Upright. Or integers with
            their tone curve.
        alpha: opacity in [0, 1], not touched by any tone curve, or None.
        meta: what else is known of the file; an 8-bit PNG in sRGB when None.

    Raises:
        PhotoError: the pixels are none, or the alpha channel has another size.

    Example:
        >>> photo = Photo(torch.full((3, 4, 6), 0.2140411))
        >>> photo.height, photo.width
        (4, 6)
        >>> round(photo.display()[0, 0, 0].item(), 4)
        0.5
        >>> brighter = photo.with_pixels(photo.pixels * 2)
    """

    def __init__(
        self,
        pixels: Float[Tensor, "..."] | Codes,
        alpha: Float[Tensor, "..."] | None = None,
        meta: Metadata | None = None,
    ) -> None:
        shape = tuple(pixels.shape)
        if len(shape) != 3 or shape[0] != 3 or 0 in shape:
            raise PhotoError(f"the pixels are {_by(shape)}; a photo is (3, height, width), neither side 0.")
        if isinstance(pixels, Tensor) and not pixels.is_floating_point():
            raise PhotoError(f"the pixels are {pixels.dtype}; a photo is floating point. Divide by the white value.")
        if alpha is not None and tuple(alpha.shape) != (1, *shape[1:]):
            raise PhotoError(
                f"the alpha channel is {_by(tuple(alpha.shape))}, the pixels {_by(shape)}. Make both one size, "
                "or drop the alpha channel: Photo(pixels, None, photo.meta)."
            )
        self._held = pixels
        self._alpha = alpha
        self._meta = meta or Metadata()

    def __repr__(self) -> str:
        """Size and origin in a few words."""
        return f"Photo({self.width} x {self.height}, {self.meta})"

    @property
    def pixels(self) -> Float[Tensor, "3 height width"]:
        """All pixels in linear light; from the first look on they are held as floats."""
        if isinstance(self._held, Codes):
            self._held = self._held.whole()
        return self._held

    @property
    def alpha(self) -> Float[Tensor, "1 height width"] | None:
        """Opacity in [0, 1], or None."""
        return self._alpha

    @property
    def meta(self) -> Metadata:
        """What else is known of the file."""
        return self._meta

    @property
    def height(self) -> int:
        """Pixels down."""
        return self._held.shape[1]

    @property
    def width(self) -> int:
        """Pixels across."""
        return self._held.shape[2]

    @property
    def notes(self) -> tuple[str, ...]:
        """Words for the user on what of the file could not be kept or had to be guessed."""
        return self.meta.notes

    def part(
        self, rows: slice, columns: slice = slice(None), light: Light = "linear"
    ) -> Float[Tensor, "3 part_height part_width"]:
        """Some of the pixels, to be looked at, not to be written into.

        Args:
            rows: which rows.
            columns: which columns.
            light: ``"linear"``, or ``"display"`` for the values that ``display`` gives.

        Example:
            >>> Photo(torch.rand(3, 9, 9)).part(slice(2, 4)).shape
            torch.Size([3, 2, 9])
        """
        held = self._held
        values = held.light(rows, columns) if isinstance(held, Codes) else held[:, rows, columns]
        return values if light == "linear" else self.display_curve.encode(values.float())

    def bands(self) -> Iterator[slice]:
        """Rows from top to bottom, some million pixels at a time."""
        step = max(1, _BAND // self.width)
        for top in range(0, self.height, step):
            yield slice(top, min(top + step, self.height))

    def is_grey(self) -> bool:
        """Whether the three channels are equal everywhere."""
        if isinstance(self._held, Codes) and self._held.grey:
            return True

        def equal(light: Tensor) -> bool:
            return torch.equal(light[0], light[1]) and torch.equal(light[0], light[2])

        return all(equal(self.part(rows)) for rows in self.bands())

    def with_pixels(self, pixels: Float[Tensor, "3 height width"] | Codes) -> "Photo":
        """The same photo with other linear-light pixels.

        Args:
            pixels: linear light, nominally in [0, 1], or integers with their tone curve; of the same size where there
                is an alpha channel.

        Raises:
            PhotoError: the pixels are none, or do not fit the alpha channel.
        """
        return Photo(pixels, self.alpha, self.meta)

    def display(self) -> Float[Tensor, "3 height width"]:
        """The pixels through the photo's tone curve, as a screen and most networks want them, nominally in [0, 1].

        The curve is that of the colour profile, else sRGB; for a file in linear light it is sRGB as well.
        """
        return self.display_curve.encode(self.pixels.float())

    def with_display(self, display: Float[Tensor, "3 height width"]) -> "Photo":
        """The same photo with other pixels, given as ``display`` gives them.

        Args:
            display: display values, nominally in [0, 1].

        Raises:
            PhotoError: the pixels are none, or do not fit the alpha channel.

        Example:
            >>> photo = Photo(torch.rand(3, 5, 5, generator=torch.Generator().manual_seed(0)))
            >>> torch.allclose(photo.with_display(photo.display()).pixels, photo.pixels, atol=1e-6)
            True
        """
        if display.ndim != 3:
            raise PhotoError(f"the values are {_by(tuple(display.shape))}; a photo is (3, height, width).")
        return self.with_pixels(self.display_curve.decode(display.float()))

    def save(self, path: str | os.PathLike[str], overwrite: bool = False) -> tuple[str, ...]:
        """Write the photo whole or not at all; see ``write_photo``."""
        from nightsharp.photo.writing import write_photo

        return write_photo(self, path, overwrite=overwrite)

    @property
    def display_curve(self) -> ToneCurve:
        """The curve between ``pixels`` and ``display``."""
        return ToneCurve.srgb() if self.meta.curve.is_linear else self.meta.curve


def _by(shape: tuple[int, ...]) -> str:
    return " x ".join(str(side) for side in shape) or "a single number"

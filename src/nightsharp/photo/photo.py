"""A photograph in linear light, with what is needed to write it back."""

import os
from dataclasses import dataclass, field, replace

import torch  # noqa: F401 - the examples use it
from jaxtyping import Float
from torch import Tensor

from nightsharp.errors import PhotoError
from nightsharp.photo.metadata import Metadata
from nightsharp.photo.tone import ToneCurve


@dataclass(frozen=True, eq=False)
class Photo:
    """A photograph: linear-light pixels, perhaps transparency, and the metadata of its file.

    Light adds up in linear light, so that is what ``pixels`` holds; ``display`` gives the values as a screen wants
    them. The primaries are those of the file, its colour profile goes back unchanged.

    Args:
        pixels: linear-light RGB, nominally in [0, 1]; floating-point files may exceed it. Upright.
        alpha: opacity in [0, 1], not touched by any tone curve, or None.
        meta: what else is known of the file.

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

    pixels: Float[Tensor, "3 height width"]
    alpha: Float[Tensor, "1 height width"] | None = None
    meta: Metadata = field(default_factory=Metadata)

    def __post_init__(self) -> None:
        shape = tuple(self.pixels.shape)
        if len(shape) != 3 or shape[0] != 3 or 0 in shape:
            raise PhotoError(f"the pixels are {_by(shape)}; a photo is (3, height, width), neither side 0.")
        if not self.pixels.is_floating_point():
            raise PhotoError(
                f"the pixels are {self.pixels.dtype}; a photo is floating point. Divide by the white value."
            )
        if self.alpha is not None and tuple(self.alpha.shape) != (1, *shape[1:]):
            raise PhotoError(
                f"the alpha channel is {_by(tuple(self.alpha.shape))}, the pixels {_by(shape)}. Make both one size, "
                "or drop the alpha channel: replace(photo, pixels=..., alpha=None)."
            )

    @property
    def height(self) -> int:
        """Pixels down."""
        return self.pixels.shape[1]

    @property
    def width(self) -> int:
        """Pixels across."""
        return self.pixels.shape[2]

    @property
    def notes(self) -> tuple[str, ...]:
        """Words for the user on what of the file could not be kept or had to be guessed."""
        return self.meta.notes

    def with_pixels(self, pixels: Float[Tensor, "3 height width"]) -> "Photo":
        """The same photo with other linear-light pixels.

        Args:
            pixels: linear light, nominally in [0, 1]; of the same size where there is an alpha channel.

        Raises:
            PhotoError: the pixels are none, or do not fit the alpha channel.
        """
        return replace(self, pixels=pixels)

    def display(self) -> Float[Tensor, "3 height width"]:
        """The pixels through the photo's tone curve, as a screen and most networks want them, nominally in [0, 1].

        The curve is that of the colour profile, else sRGB; for a file in linear light it is sRGB as well.
        """
        return self._display_curve().encode(self.pixels.float())

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
        return self.with_pixels(self._display_curve().decode(display.float()))

    def save(self, path: str | os.PathLike[str], overwrite: bool = False) -> tuple[str, ...]:
        """Write the photo whole or not at all; see ``write_photo``."""
        from nightsharp.photo.writing import write_photo

        return write_photo(self, path, overwrite=overwrite)

    def _display_curve(self) -> ToneCurve:
        return ToneCurve.srgb() if self.meta.curve.is_linear else self.meta.curve


def _by(shape: tuple[int, ...]) -> str:
    return " x ".join(str(side) for side in shape) or "a single number"

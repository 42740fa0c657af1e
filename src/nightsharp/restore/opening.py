"""From what the user hands over to what is worked on, refused where it is no image."""

import os
from pathlib import Path

import torch
from torch import Tensor

from nightsharp.errors import PhotoError, UsageError
from nightsharp.methods._blocks import CLIPPED
from nightsharp.photo import Limits, Photo, read_photo, srgb_to_linear
from nightsharp.restore.given import Given, Light


def opened(
    photo: Photo | str | os.PathLike[str] | Tensor, *, light: Light | None = None, limits: Limits | None = None
) -> Given:
    """A photograph, a file or a tensor as the work takes it.

    Args:
        photo: a :class:`~nightsharp.Photo`, a file, or a tensor ``(1 or 3, height, width)``, range [0, 1].
        light: how the values in a file are to be read; None asks the file. Only for a file.
        limits: what a file may ask of this machine; None takes the preset for desktops. Only for a file.

    Raises:
        PhotoError: the photograph cannot be read, or is no image of 1 or 3 channels.
        LimitError: the photograph is larger than the limits.
        UsageError: a light for what is no file.
    """
    if isinstance(photo, str | os.PathLike):
        return Given(read_photo(photo, light=light, limits=limits), None, Path(photo))
    if light is not None:
        raise UsageError("light says how the values in a file are to be read. Leave it out for a Photo or a tensor.")
    if isinstance(photo, Photo):
        return Given(photo, None, None)
    if not isinstance(photo, Tensor):
        raise PhotoError(
            f"{type(photo).__module__}.{type(photo).__name__} is no photograph here. Give a file, a Photo, or a tensor "
            "(1 or 3, height, width), such as torch.from_numpy(array).permute(2, 0, 1) / 255."
        )
    if photo.ndim != 3 or photo.shape[0] not in (1, 3) or 0 in photo.shape:
        shape = " x ".join(str(n) for n in photo.shape)
        raise PhotoError(f"the tensor is {shape or 'a scalar'}; an image is (1 or 3, height, width).")
    if not photo.is_floating_point():
        raise PhotoError(f"the tensor holds {photo.dtype}; an image is floating point in [0, 1]. Convert it.")
    if not bool(photo.isfinite().all()):
        raise PhotoError("the tensor holds NaN or infinite values. Replace them first.")
    return Given(None, photo.detach(), None)


def clip_of(given: Given, light: Light) -> float:
    """The value from which a pixel counts as saturated, in the light that is worked in.

    Args:
        given: the photograph or tensor.
        light: in which it is worked; a tensor is as it came, whatever the light.
    """
    linear = given.photo is not None and light == "linear"
    return float(srgb_to_linear(torch.tensor(CLIPPED, dtype=torch.float64))) if linear else CLIPPED


def beyond_white(given: Given) -> list[str]:
    """A warning where a floating-point photograph is brighter than white, which is where the result ends."""
    photo = given.photo
    if photo is None or not photo.meta.floating:
        return []
    most = max(float(photo.part(rows).max()) for rows in photo.bands())
    if most <= 1:
        return []
    return [f"the photo has values up to {most:.3g}; those above 1 are cut off. Divide it by its white value before"]

"""What a set gives for each of its images."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor

from nightsharp.optics import Psf
from nightsharp.photo import read_photo


@dataclass(frozen=True)
class Pair:
    """A blurred image and what is known of it.

    Attributes:
        blurred: (1 or 3, height, width), range [0, 1], values as the file holds them (display light, unless the set
            says otherwise).
        sharp: the truth, of the same size; None for a set without truths.
        psf: the true PSF, in convolution orientation; None where it is unknown or not one for the whole image.
        more_truths: files of further truths (one for each position of the camera); the best one counts.
        events: the file of the events recorded with the image.
    """

    blurred: Float[Tensor, "channel height width"]
    sharp: Float[Tensor, "channels height width"] | None = None
    psf: Psf | None = None
    more_truths: tuple[Path, ...] = ()
    events: Path | None = None


@dataclass(frozen=True)
class Sample:
    """An image of a set before it is read.

    Attributes:
        name: unique in its set.
        group: the column in which its set's papers count it (a noise level, a category); empty for none.
        load: reads it, or makes it; the same every time.
        files: what it is read or made of; other content is another image.
    """

    name: str
    load: Callable[[], Pair]
    group: str = ""
    files: tuple[Path, ...] = ()


def read_image(file: Path) -> Float[Tensor, "channel height width"]:
    """The display values of a picture file, one channel when it is grey.

    Raises:
        PhotoError: the file cannot be read.
    """
    values = read_photo(file).display()
    grey = torch.equal(values[0], values[1]) and torch.equal(values[0], values[2])
    return values[:1] if grey else values

"""Frames that were recorded blurred and sharp, as GoPro and REDS have them, in place of synthesis."""

from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor

from nightsharp.errors import LimitError, PhotoError
from nightsharp.photo import read_photo
from nightsharp.synthesis import Pairs, generator_for

RECORDED = "recorded"
"""What a recipe writes as its pipeline."""

_ENDINGS = {".png", ".jpg", ".jpeg"}
_EVERY = 2


class RecordedFrames:
    """Random crops of every second frame under a folder, each from the blurred and the sharp frame at one place.

    A frame belongs here when a folder of its path ends in ``blur`` and the same path with ``sharp`` in its place holds
    a file too: ``sequence/blur/000001.png`` beside ``sequence/sharp/000001.png`` (GoPro),
    ``train_blur/000/00000000.png`` beside ``train_sharp/000/00000000.png`` (REDS).

    Args:
        folder: holds the frames.
        crop: side of the crops, pixels.
        seed: of order and places.

    Attributes:
        files: the sharp frames that are used.
        folder: holds the frames.

    Raises:
        PhotoError: there is no such pair in the folder.
    """

    def __init__(self, folder: Path, crop: int, seed: int) -> None:
        self.folder, self._crop, self._seed = folder, crop, seed
        found: dict[Path, list[Path]] = {}
        for file in sorted(folder.rglob("*")):
            blurred = _counterpart(file, folder)
            if file.suffix.lower() in _ENDINGS and blurred is not None and blurred.is_file():
                found.setdefault(file.parent, []).append(file)
        self.files = [file for frames in found.values() for file in frames[::_EVERY]]
        if not self.files:
            raise PhotoError(
                f"{folder} holds no frames with their blurred ones: it needs folders that end in 'sharp' and, with "
                "'blur' in the same place, files of the same names. Check the path."
            )

    def batch(self, number: int, size: int) -> Float[Tensor, "both 3 crop crop"]:
        """Crops ``number * size`` to ``(number + 1) * size - 1``: first all sharp ones, then all blurred ones.

        Args:
            number: of the batch, from 0.
            size: pairs in a batch.

        Raises:
            PhotoError: a frame cannot be read, is smaller than a crop, or its pair has another size.
        """
        pairs = [self._pair(index) for index in range(number * size, (number + 1) * size)]
        return torch.stack([pair[which] for which in (0, 1) for pair in pairs])

    def _pair(self, index: int) -> tuple[Tensor, Tensor]:
        turn, place = divmod(index, len(self.files))
        order = torch.randperm(len(self.files), generator=generator_for(self._seed, "order", turn))
        file = self.files[int(order[place])]
        blurred_file = _counterpart(file, self.folder)
        assert blurred_file is not None
        sharp, blurred = _display(file), _display(blurred_file)
        height, width = sharp.shape[-2:]
        if sharp.shape != blurred.shape or min(height, width) < self._crop:
            raise PhotoError(
                f"{file} is {height} x {width} and its blurred frame {blurred.shape[-2]} x {blurred.shape[-1]}; both "
                f"must be of one size, at least {self._crop} x {self._crop}. Take smaller crops or mend the folder."
            )
        generator = generator_for(self._seed, "crop", index)
        top = int(torch.randint(height - self._crop + 1, (), generator=generator))
        left = int(torch.randint(width - self._crop + 1, (), generator=generator))
        window = (..., slice(top, top + self._crop), slice(left, left + self._crop))
        return sharp[window], blurred[window]


class RecordedPairs:
    """What stands in a run where others have a synthesis: nothing is made, the PSF is not known."""

    def source_side(self, side: int) -> int:
        """The side of the crops that pairs of ``side`` pixels are made of.

        Args:
            side: of the pairs.
        """
        return side

    def pairs(self, sharp: Float[Tensor, "both 3 height width"], *, generator: torch.Generator) -> Pairs:
        """The pairs of what :meth:`RecordedFrames.batch` returned; a point stands for the PSF.

        Args:
            sharp: first all sharp crops, then all blurred ones.
            generator: not used.
        """
        sharp, blurred = sharp.chunk(2)
        point = sharp.new_ones(len(sharp), 1, 1, 1)
        return Pairs(sharp, blurred, blurred, point, point, torch.zeros_like(point))


def unit_of(name: str) -> str:
    """What is held out together: the sequence of a recorded frame, whose frames resemble each other, or one photograph.

    Args:
        name: of a file, from the folder of the run on.

    Example:
        >>> unit_of("one/sharp/000001.png"), unit_of("street.jpg")
        ('one/sharp', 'street.jpg')
    """
    parts = Path(name).parts[:-1]
    return str(Path(*parts)) if any(part.endswith("sharp") for part in parts) else name


def _counterpart(file: Path, folder: Path) -> Path | None:
    """Where the blurred frame of a sharp one would be; None where no folder of its path ends in ``sharp``."""
    parts = list(file.relative_to(folder).parts)
    for place, part in enumerate(parts[:-1]):
        if part.endswith("sharp"):
            parts[place] = part.removesuffix("sharp") + "blur"
            return folder.joinpath(*parts)
    return None


def _display(file: Path) -> Tensor:
    try:
        values = read_photo(file).display().clamp(0, 1)
    except LimitError as problem:
        raise PhotoError(f"{file} is too large for a frame: {problem}") from problem
    return values.expand(3, -1, -1)

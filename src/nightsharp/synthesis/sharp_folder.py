"""Crops of the sharp photographs in a folder."""

import os
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from nightsharp._endings import ENDINGS, photographs_below
from nightsharp.errors import LimitError, PhotoError, UsageError
from nightsharp.photo import Codes, probe, read_photo
from nightsharp.synthesis.seeds import generator_for

_CACHE = 1 << 30


class SharpFolder:
    """Random square crops of all photographs under a folder: crop ``i`` is the same in every run and worker.

    Crop ``i`` comes from photograph ``i mod n`` of a shuffled order that is drawn anew for each round through the
    folder. Any ``i >= 0`` may be asked for. A file that turns out to be damaged is replaced by the next one in the
    order and named in ``notes``.

    Args:
        folder: photographs that ``read_photo`` reads, in subfolders too; 8 or 16 bits, grey or colour.
        crop: side of the crops, pixels.
        seed: of order and places.
        light: ``"display"`` for values as a screen wants them, ``"linear"`` for linear light.
        cache: bytes of decoded photographs that are kept in memory.

    Attributes:
        files: the photographs that are used, sorted by name.
        notes: files left out and why, in words.

    Raises:
        PhotoError: the folder is none, holds no photograph, or none is as large as a crop.
        UsageError: ``crop`` is no positive number.

    Example:
        >>> import tempfile
        >>> from nightsharp.photo import Photo
        >>> place = Path(tempfile.mkdtemp())
        >>> written = Photo(torch.rand(3, 40, 50)).save(place / "street.png")
        >>> crops = SharpFolder(place, crop=32, seed=0)
        >>> crops[5].shape, len(crops)
        (torch.Size([3, 32, 32]), 1)
    """

    def __init__(
        self,
        folder: str | os.PathLike[str],
        crop: int,
        seed: int = 0,
        *,
        light: Literal["display", "linear"] = "display",
        cache: int = _CACHE,
    ) -> None:
        if crop < 1:
            raise UsageError(f"crop is {crop}; give the side of the crops in pixels.")
        self.folder = Path(folder)
        self.crop = crop
        self.seed = seed
        self.light = light
        self.notes: list[str] = []
        self.files = self._usable()
        self._cache: dict[Path, Codes] = {}
        self._room = cache
        self._order: tuple[int, list[int]] = (-1, [])

    def __len__(self) -> int:
        """How many photographs: the crops of one round."""
        return len(self.files)

    def __getitem__(self, index: int) -> Float[Tensor, "3 crop crop"]:
        """Crop ``index``, range [0, 1].

        Raises:
            PhotoError: no photograph in the folder can be decoded.
        """
        turn, place = divmod(index, len(self.files))
        if self._order[0] != turn:
            shuffled = torch.randperm(len(self.files), generator=generator_for(self.seed, "order", turn))
            self._order = (turn, shuffled.tolist())
        for step in range(len(self.files)):
            file = self.files[self._order[1][(place + step) % len(self.files)]]
            codes = self._decoded(file)
            if codes is not None:
                return self._cut(codes, generator_for(self.seed, "crop", index))
        raise PhotoError(f"{self.folder}: no photograph can be decoded. The first: {self.notes[0]}")

    def batch(self, number: int, size: int) -> Float[Tensor, "size 3 crop crop"]:
        """Crops ``number * size`` to ``(number + 1) * size - 1``, stacked.

        Args:
            number: of the batch, from 0.
            size: crops in a batch.
        """
        return torch.stack([self[index] for index in range(number * size, (number + 1) * size)])

    def _usable(self) -> list[Path]:
        """The photographs whose header says that a crop fits."""
        if not self.folder.is_dir():
            what = "is a file" if self.folder.exists() else "does not exist"
            raise PhotoError(f"the folder {self.folder} {what}. Give the folder that holds the sharp photographs.")
        found = photographs_below(self.folder)
        if not found:
            raise PhotoError(f"{self.folder} holds no photograph ({', '.join(ENDINGS)}). Check the path.")
        usable = []
        for file in found:
            try:
                header = probe(file)
            except (PhotoError, LimitError) as problem:
                self.notes.append(f"left out: {problem}")
                continue
            if min(header.width, header.height) < self.crop:
                self.notes.append(
                    f"left out: {file.name} is {header.width} x {header.height}, smaller than the crop of {self.crop}"
                )
            else:
                usable.append(file)
        if not usable:
            raise PhotoError(
                f"{self.folder}: none of {len(found)} photographs can be used for crops of {self.crop} x {self.crop}. "
                f"The first: {self.notes[0]}. Take smaller crops or larger photographs."
            )
        return usable

    def _decoded(self, file: Path) -> Codes | None:
        """The display values of a photograph as integers; None where it is damaged."""
        if file in self._cache:
            return self._cache[file]
        try:
            photo = read_photo(file)
        except (PhotoError, LimitError) as problem:
            note = f"left out: {problem}"
            if note not in self.notes:
                self.notes.append(note)
            return None
        largest, kind = (255, np.uint8) if photo.meta.depth == 8 else (65535, np.uint16)
        display = photo.display().clamp(0, 1).mul(largest).round().permute(1, 2, 0)
        codes = Codes(np.ascontiguousarray(display.numpy().astype(kind)), photo.display_curve)
        if codes.values.nbytes <= self._room:
            self._cache[file] = codes
            self._room -= codes.values.nbytes
        return codes

    def _cut(self, codes: Codes, generator: torch.Generator) -> Tensor:
        height, width = codes.values.shape[:2]
        top = int(torch.randint(height - self.crop + 1, (), generator=generator))
        left = int(torch.randint(width - self.crop + 1, (), generator=generator))
        rows, columns = slice(top, top + self.crop), slice(left, left + self.crop)
        if self.light == "linear":
            return codes.light(rows, columns)
        values = codes.values[rows, columns].transpose(2, 0, 1).astype(np.float32)
        return torch.from_numpy(values / np.float32(np.iinfo(codes.values.dtype).max))

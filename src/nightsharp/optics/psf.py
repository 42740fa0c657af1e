"""The point spread function: a kernel that has been checked at the door."""

import math
import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

import numpy as np
import scipy.ndimage
import torch
from jaxtyping import Float
from torch import Tensor

from nightsharp.errors import PsfError
from nightsharp.optics import _psf_files
from nightsharp.optics._psf_files import LARGEST_SIDE

# What a bicubic resize or an estimator may leave below zero, relative to the peak, before we call it not a PSF.
_TOLERATED_NEGATIVE = 0.05


@dataclass(frozen=True)
class PsfQuality:
    """What a look at a PSF tells.

    Attributes:
        support: height and width of the box that holds all taps above 1 % of the peak.
        offset: how far the centroid lies from the centre, (rows, columns) in pixels.
        spread: root mean square distance of the light from its centroid, pixels; 0 for no blur.
        pieces: number of separate islands above 5 % of the peak; more than one hints at a wrong estimate.
        touches_border: light on the outermost taps: the PSF is tight, or has been cut.
        warnings: the same in words, empty when nothing is odd.
    """

    support: tuple[int, int]
    offset: tuple[float, float]
    spread: float
    pieces: int
    touches_border: bool
    warnings: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Psf:
    """A point spread function: how one point of light was spread over the photograph.

    Blur is convolution with ``kernel``. Make one with :meth:`from_tensor` or :meth:`load`, which check and normalise.

    Attributes:
        kernel: (height, width) float32, non-negative, sum 1, centre at ``(height // 2, width // 2)``.
        notes: what had to be mended at the door, in words.
    """

    kernel: Float[Tensor, "height width"]
    notes: tuple[str, ...] = ()

    @classmethod
    def from_tensor(cls, values: "Tensor | np.ndarray", *, source: str = "the PSF") -> "Psf":
        """Check values and normalise them to sum 1.

        Args:
            values: two-dimensional (leading axes of length 1 are dropped), any positive scale.
            source: how an error message names it.

        Returns:
            The PSF, with a note where something was mended.

        Raises:
            PsfError: not two-dimensional, not real and finite, clearly negative somewhere, zero everywhere, or with a
                side over 2,001.

        Example:
            >>> Psf.from_tensor(torch.ones(3, 3)).kernel[0, 0]
            tensor(0.1111)
        """
        shape = " x ".join(str(n) for n in values.shape)
        sides = values.shape
        while len(sides) > 2 and sides[0] == 1:
            sides = sides[1:]
        if len(sides) != 2 or 0 in sides:
            raise PsfError(f"{source} has the shape {shape or 'of a scalar'}. A PSF is one two-dimensional array.")
        if max(sides) > LARGEST_SIDE:
            raise PsfError(f"{source} is {shape}; a side over {LARGEST_SIDE} is a picture rather than a PSF.")
        if isinstance(values, Tensor):
            if values.is_complex():
                raise PsfError(f"{source} holds complex numbers. A PSF holds light; did an OTF come instead?")
            kernel = values.detach().to("cpu", torch.float64).reshape(*sides)
        else:
            if values.dtype.kind not in "fiub":
                raise PsfError(f"{source} holds {values.dtype}, not real numbers. Check how it was written.")
            kernel = torch.from_numpy(np.array(values, dtype=np.float64).reshape(sides))
        if not bool(kernel.isfinite().all()):
            raise PsfError(f"{source} holds NaN or infinite values. Check how it was written.")
        notes = []
        peak, low = float(kernel.max()), float(kernel.min())
        if peak <= 0:
            raise PsfError(f"{source} has no positive value (largest {peak:g}). A PSF holds light.")
        if low < -_TOLERATED_NEGATIVE * peak:
            raise PsfError(
                f"{source} is negative where light cannot be (down to {low:g}, peak {peak:g}). "
                "Check that it is a PSF and not a filter."
            )
        if low < 0:
            notes.append(f"small negative values (down to {low / peak:.1%} of the peak) set to 0")
            kernel = kernel.clamp_min(0)
        # by the peak first: the sum of very large values would overflow
        kernel = kernel / peak
        total = float(kernel.sum())
        if abs(total * peak - 1) > 1e-3:
            notes.append(f"normalised (the sum was {total * peak:.4g})")
        kernel = (kernel / total).float()
        return cls(kernel / kernel.sum(), tuple(notes))

    @classmethod
    def load(cls, file: str | os.PathLike[str]) -> "Psf":
        """Read a PSF from a picture (brightness is weight), ``.npy``, ``.mat``, ``.txt``/``.csv``/``.dlm`` or ``.tif``.

        Colour channels are averaged, and transparent pixels count as dark.

        Args:
            file: the path, at most 64 MiB; a ``.mat`` file must hold one plausible two-dimensional array, or one that
                is called psf, kernel, k, f, h or filt.

        Returns:
            The PSF, with a note where something was mended.

        Raises:
            PsfError: the file is missing, unreadable, or holds no PSF.

        Example:
            >>> import tempfile
            >>> with tempfile.TemporaryDirectory() as folder:
            ...     saved = Psf.from_tensor(torch.eye(5)).save(folder + "/psf.npy")
            ...     print(Psf.load(saved))
            5 x 5, spread 2.0 px
        """
        values = _psf_files.read(Path(file))
        return cls.from_tensor(values, source=f"the PSF in {Path(file).name}")

    def save(self, file: str | os.PathLike[str]) -> Path:
        """Write the PSF: ``.npy`` and ``.tif`` exactly, ``.png`` as 16-bit grey with the peak at white.

        The file is written beside its final name and then moved there whole; an existing file is replaced.

        Args:
            file: the path; its folder must exist.

        Returns:
            The path written.

        Raises:
            PsfError: the ending is unknown or the place cannot be written.

        Example:
            >>> import tempfile
            >>> with tempfile.TemporaryDirectory() as folder:
            ...     Psf.from_tensor(torch.ones(3, 3)).save(folder + "/psf.png").name
            'psf.png'
        """
        return _psf_files.write(Path(file), self.kernel.numpy())

    def __str__(self) -> str:
        """Size and spread in a few words."""
        height, width = self.kernel.shape
        return f"{height} x {width}, spread {self.quality().spread:.1f} px"

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the kernel."""
        return self.kernel.shape[0], self.kernel.shape[1]

    def quality(self) -> PsfQuality:
        """Look for what is odd about the PSF.

        Returns:
            Measures, and warnings in words.

        Example:
            >>> Psf.from_tensor(torch.ones(3, 3)).quality().touches_border
            True
        """
        kernel = self.kernel.numpy()
        height, width = kernel.shape
        peak = kernel.max()
        rows, columns = np.nonzero(kernel > 0.01 * peak)
        row, column = self._centroid()
        offset = (row - height // 2, column - width // 2)
        y, x = np.mgrid[:height, :width]
        spread = math.sqrt(float((kernel * ((y - row) ** 2 + (x - column) ** 2)).sum()))
        islands = scipy.ndimage.label(kernel > 0.05 * peak, structure=np.ones((3, 3)))
        pieces = int(cast("tuple[np.ndarray, int]", islands)[1])
        rim = np.concatenate([kernel[0], kernel[-1], kernel[:, 0], kernel[:, -1]])
        # a one-pixel-wide kernel is all rim; only a side with room for an inside can have been cut
        touches = bool(rim.max() > 0.1 * peak) and min(height, width) > 1
        warnings = []
        if max(abs(o) for o in offset) > 1:
            warnings.append(f"the centroid is {offset[0]:+.1f}, {offset[1]:+.1f} px off the centre (the result shifts)")
        if pieces > 3:
            warnings.append(f"the light lies in {pieces} separate pieces")
        inside = kernel[1:-1, 1:-1]
        if inside.size and np.median(rim) > 0.5 * peak and inside.min() < 0.25 * peak:
            warnings.append("the rim is bright and the inside dark; is the picture a negative?")
        return PsfQuality(
            support=(int(np.ptp(rows)) + 1, int(np.ptp(columns)) + 1),
            offset=offset,
            spread=spread,
            pieces=pieces,
            touches_border=touches,
            warnings=tuple(warnings),
        )

    def centred(self) -> "Psf":
        """Move the centroid to the centre by whole pixels, so that restoring does not shift the picture.

        Returns:
            The PSF with odd sides, its centroid at most half a pixel from the centre.

        Example:
            >>> corner = torch.zeros(5, 5); corner[0, 1] = 1
            >>> Psf.from_tensor(corner).centred().kernel.shape
            torch.Size([1, 1])
        """
        tight = self.trim(0, keep_centre=False)
        height, width = tight.size
        row, column = (round(c) for c in tight._centroid())
        # odd sides around the centroid, wide enough for the farther end
        reach_y, reach_x = max(row, height - 1 - row), max(column, width - 1 - column)
        kernel = tight.kernel.new_zeros(2 * reach_y + 1, 2 * reach_x + 1)
        top, left = reach_y - row, reach_x - column
        kernel[top : top + height, left : left + width] = tight.kernel
        return replace(self, kernel=kernel)

    def trim(self, threshold: float = 0.01, *, keep_centre: bool = True) -> "Psf":
        """Drop taps below a part of the peak and crop to what is left.

        Args:
            threshold: part of the peak, in [0, 1); 0 keeps every positive tap.
            keep_centre: crop evenly about the centre, so that the picture does not shift; the sides become odd.

        Returns:
            The smaller PSF, normalised again.

        Raises:
            PsfError: the threshold is not in [0, 1).

        Example:
            >>> kernel = torch.zeros(9, 9); kernel[4, 3:6] = 1
            >>> Psf.from_tensor(kernel).trim().kernel.shape
            torch.Size([1, 3])
        """
        if not 0 <= threshold < 1:
            raise PsfError(f"the threshold is {threshold}; it is a part of the peak, from 0 to below 1.")
        kept = torch.where(self.kernel > threshold * self.kernel.max(), self.kernel, 0)
        box = []
        for axis, length in enumerate(kept.shape):
            used = torch.nonzero(kept.sum(1 - axis)).flatten()
            first, last = int(used[0]), int(used[-1])
            if keep_centre:
                reach = max(length // 2 - first, last - length // 2)
                first, last = length // 2 - reach, length // 2 + reach
            box.append((first, last))
        (top, bottom), (left, right) = box
        # an even side has one tap more before its centre than after it, so an even crop may reach one tap beyond it
        kept = torch.nn.functional.pad(kept, (0, 1, 0, 1))[top : bottom + 1, left : right + 1]
        return replace(self, kernel=kept / kept.sum())

    def pad(self, height: int, width: int) -> "Psf":
        """Surround with zeros to a size, the centre staying the centre.

        Args:
            height: rows of the result, not below the PSF's.
            width: columns of the result, not below the PSF's.

        Returns:
            The larger PSF.

        Raises:
            PsfError: the PSF is larger than the wanted size.

        Example:
            >>> Psf.from_tensor(torch.ones(1, 1)).pad(3, 5).kernel.shape
            torch.Size([3, 5])
        """
        kh, kw = self.size
        top, left = height // 2 - kh // 2, width // 2 - kw // 2
        if min(top, left) < 0 or top + kh > height or left + kw > width:
            raise PsfError(f"the PSF is {kh} x {kw} and cannot be padded to {height} x {width}. Use trim or crop.")
        kernel = self.kernel.new_zeros(height, width)
        kernel[top : top + kh, left : left + kw] = self.kernel
        return replace(self, kernel=kernel)

    def crop(self, height: int, width: int) -> "Psf":
        """Cut to a size about the centre; the light that falls outside is lost and the rest normalised.

        Args:
            height: rows of the result, from 1 up to the PSF's.
            width: columns of the result, from 1 up to the PSF's.

        Returns:
            The smaller PSF, normalised again.

        Raises:
            PsfError: the wanted size is not between 1 x 1 and the PSF's, or no light is left.

        Example:
            >>> Psf.from_tensor(torch.ones(5, 5)).crop(3, 3).kernel.sum()
            tensor(1.)
        """
        kh, kw = self.size
        top, left = kh // 2 - height // 2, kw // 2 - width // 2
        if min(height, width) < 1 or height > kh or width > kw:
            raise PsfError(f"the PSF is {kh} x {kw} and cannot be cropped to {height} x {width}. Use trim or pad.")
        kernel = self.kernel[top : top + height, left : left + width]
        if float(kernel.sum()) <= 0:
            raise PsfError(f"no light is left in the central {height} x {width} of the PSF. Centre it first.")
        return replace(self, kernel=kernel / kernel.sum())

    def resize(self, scale: float) -> "Psf":
        """The PSF of the same motion in a photograph resized by ``scale``.

        Each tap is a small square of even light; its image, ``scale`` pixels wide, is shared among the pixels it falls
        on in proportion to the area.

        Args:
            scale: > 0; 0.5 for a photograph at half size.

        Returns:
            The resized PSF, its sides odd.

        Raises:
            PsfError: the scale is not positive or the result too large.

        Example:
            >>> Psf.from_tensor(torch.ones(9, 9)).resize(0.5).kernel.shape
            torch.Size([5, 5])
        """
        if not 0 < scale <= LARGEST_SIDE / max(self.size):
            raise PsfError(
                f"a scale of {scale} does not fit a PSF of {self.size[0]} x {self.size[1]}: "
                f"it must be above 0, and the sides must stay within {LARGEST_SIDE}."
            )
        rows, columns = (_area_shares(length, scale) for length in self.size)
        kernel = rows @ self.kernel.double() @ columns.T
        return replace(self, kernel=(kernel / kernel.sum()).float())

    def rotate(self, degrees: float) -> "Psf":
        """Turn anticlockwise about the centre, with bilinear interpolation.

        Args:
            degrees: any finite angle; multiples of 90 are exact.

        Returns:
            The turned PSF, its sides odd and wide enough for every tap.

        Raises:
            PsfError: the angle is not finite.

        Example:
            >>> Psf.from_tensor(torch.ones(1, 5)).rotate(90).trim().kernel.shape
            torch.Size([5, 1])
        """
        if not math.isfinite(degrees):
            raise PsfError(f"the angle is {degrees}; give degrees.")
        turn = math.radians(degrees)
        cos, sin = math.cos(turn), math.sin(turn)
        matrix = np.array([[cos, sin], [-sin, cos]])
        reach = np.array([length // 2 for length in self.size])
        # a slanted tap reaches farther along the axes than an upright one
        slant = abs(cos) + abs(sin) - 1
        sides = [2 * math.ceil(float(r) + slant - 1e-9) + 1 for r in np.abs(matrix) @ reach]
        # a rim of zeros, so that rounding never reads beyond a kernel that is one pixel wide
        values = np.pad(self.kernel.numpy().astype(np.float64), 1)
        turned = scipy.ndimage.affine_transform(
            values,
            matrix,
            offset=(reach + 1 - matrix @ np.array([side // 2 for side in sides])).tolist(),
            output_shape=tuple(sides),
            order=1,
            mode="constant",
        )
        return replace(self, kernel=torch.from_numpy(turned / turned.sum()).float())

    def _centroid(self) -> tuple[float, float]:
        kernel = self.kernel.double()
        rows = torch.arange(kernel.shape[0], dtype=torch.float64)
        columns = torch.arange(kernel.shape[1], dtype=torch.float64)
        return float((kernel.sum(1) * rows).sum()), float((kernel.sum(0) * columns).sum())


def _area_shares(length: int, scale: float) -> Float[Tensor, "after before"]:
    """How much of each tap's image, ``scale`` wide, falls on each pixel after resizing."""
    reach = math.ceil(length // 2 * scale + scale / 2 - 0.5 - 1e-9)
    place = (torch.arange(length, dtype=torch.float64) - length // 2) * scale
    pixel = torch.arange(-reach, reach + 1, dtype=torch.float64)
    overlap = (1 + scale) / 2 - (pixel[:, None] - place).abs()
    return overlap.clamp(0, min(1, scale)) / scale

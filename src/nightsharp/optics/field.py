"""Blur that differs from place to place: a grid of PSFs and the interpolation between them."""

import os
from dataclasses import dataclass
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor

from nightsharp.errors import PsfError
from nightsharp.optics import _psf_files
from nightsharp.optics.blur import Blur, Boundary
from nightsharp.optics.psf import Psf


@dataclass(frozen=True, eq=False)
class PsfField:
    r"""PSFs over a grid of overlapping windows.

    The windows' centres divide each axis evenly; between two centres the weights pass linearly from one window to the
    next, beyond the outermost ones they stay, and everywhere they sum to 1.

    .. math:: A x = \sum_i k_i * (w_i \cdot x)

    Every point of light was spread by the PSF of its own place, the weighted mean of the PSFs around it.

    Attributes:
        kernels: non-negative, sum 1 each, centre at ``(k // 2, k // 2)``; the first row is the picture's top.

    Raises:
        PsfError: the kernels are not non-negative with sum 1.

    Example:
        >>> from nightsharp.optics import line
        >>> field = PsfField.of([[line(5), line(9)]])
        >>> field.grid, float(field.at(0, 31.5, (64, 64)).kernel.sum())
        ((1, 2), 1.0)

    Source: Hirsch et al., "Efficient filter flow for space-variant multiframe blind deconvolution", CVPR 2010, eq. (2).
    """

    kernels: Float[Tensor, "rows columns k k"]

    def __post_init__(self) -> None:
        """Check at the door."""
        sums = self.kernels.sum((-2, -1))
        if 0 in self.kernels.shape or not torch.allclose(sums, torch.ones_like(sums), atol=1e-3):
            raise PsfError("the kernels of a field must sum to 1 each. Make it with PsfField.of, which normalises.")
        if float(self.kernels.min()) < 0:
            raise PsfError(f"a kernel of the field is negative ({float(self.kernels.min()):g}). A PSF holds light.")

    @classmethod
    def of(cls, psfs: list[list[Psf]]) -> "PsfField":
        """A field from rows of PSFs of any sizes.

        Raises:
            PsfError: there are none, or the rows have different lengths.
        """
        if not psfs or not psfs[0] or len({len(row) for row in psfs}) != 1:
            raise PsfError(f"a field needs rows of equal length; there are {[len(row) for row in psfs]}.")
        side = max(max(psf.size) for row in psfs for psf in row) // 2 * 2 + 1
        return cls(torch.stack([torch.stack([psf.pad(side, side).kernel for psf in row]) for row in psfs]))

    @classmethod
    def load(cls, file: str | os.PathLike[str]) -> "PsfField":
        """Read a field from ``.npy``: an array (rows, columns, k, k), the first row the picture's top.

        Args:
            file: the path, at most 64 MiB.

        Raises:
            PsfError: the file is missing, unreadable, or holds no field.

        Example:
            >>> import tempfile
            >>> from nightsharp.optics import line
            >>> with tempfile.TemporaryDirectory() as folder:
            ...     PsfField.load(PsfField.of([[line(5), line(9)]]).save(folder + "/roll.npy")).grid
            (1, 2)
        """
        path = Path(file)
        _check_ending(path, "read from")
        values = _psf_files.read(path)
        if values.ndim != 4 or values.shape[2] != values.shape[3]:
            shape = " x ".join(map(str, values.shape)) or "a single number"
            raise PsfError(
                f"{path.name} is {shape}; a field is rows x columns x k x k. A single PSF is read by Psf.load."
            )
        return cls(torch.from_numpy(values).float())

    def save(self, file: str | os.PathLike[str]) -> Path:
        """Write the field as ``.npy``, exactly; an existing file is replaced whole.

        Args:
            file: the path; its folder must exist.

        Returns:
            The path written.

        Raises:
            PsfError: the ending is another or the place cannot be written.
        """
        path = Path(file)
        _check_ending(path, "written as")
        return _psf_files.write(path, self.kernels.cpu().numpy())

    @property
    def grid(self) -> tuple[int, int]:
        """Rows and columns of windows."""
        return self.kernels.shape[0], self.kernels.shape[1]

    def weights(self, size: tuple[int, int]) -> tuple[Float[Tensor, "rows height"], Float[Tensor, "columns width"]]:
        """How much each row and each column of windows counts at each pixel row and column.

        Args:
            size: height and width of the picture.
        """
        return _hats(self.grid[0], size[0]), _hats(self.grid[1], size[1])

    def at(self, row: float, column: float, size: tuple[int, int]) -> Psf:
        """The PSF at a place.

        Args:
            row: pixels from the top.
            column: pixels from the left.
            size: height and width of the picture.
        """
        down, across = self.weights(size)
        share = (
            down[:, round(min(max(row, 0), size[0] - 1))][:, None] * across[:, round(min(max(column, 0), size[1] - 1))]
        )
        return Psf.from_tensor((share[..., None, None] * self.kernels).sum((0, 1)))

    def mean(self) -> Psf:
        """The PSF of the picture as a whole."""
        return Psf.from_tensor(self.kernels.mean((0, 1)))

    def blur(
        self, image: Float[Tensor, "batch channel height width"], boundary: Boundary = "replicate"
    ) -> Float[Tensor, "batch channel h w"]:
        """Blur each point of light by the PSF of its place.

        Args:
            image: any range.
            boundary: what lies beyond the border, as for :class:`Blur`.

        Raises:
            PsfError: the PSFs are larger than the image.
        """
        down, across = (weight.to(image) for weight in self.weights((image.shape[-2], image.shape[-1])))
        parts = (
            Blur(kernel[None, None], boundary)(image * (down[i][:, None] * across[j]))
            for i, row in enumerate(self.kernels)
            for j, kernel in enumerate(row)
        )
        return sum(parts, torch.zeros((), dtype=image.dtype, device=image.device))

    def adjoint(
        self, image: Float[Tensor, "batch channel h w"], boundary: Boundary = "replicate"
    ) -> Float[Tensor, "batch channel height width"]:
        """The transpose of :meth:`blur`: ``<A x, y> = <x, A^T y>``.

        Args:
            image: in the space of the blurred image.
            boundary: as for :meth:`blur`.
        """
        grown = self.kernels.shape[-1] - 1 if boundary == "valid" else 0
        size = (image.shape[-2] + grown, image.shape[-1] + grown)
        down, across = (weight.to(image) for weight in self.weights(size))
        parts = (
            Blur(kernel[None, None], boundary).adjoint(image) * (down[i][:, None] * across[j])
            for i, row in enumerate(self.kernels)
            for j, kernel in enumerate(row)
        )
        return sum(parts, torch.zeros((), dtype=image.dtype, device=image.device))


def centres(count: int, length: int) -> Float[Tensor, " count"]:
    """Where the windows of an axis have their middle, in pixels.

    Example:
        >>> centres(2, 100).tolist()
        [24.5, 74.5]
    """
    return (torch.arange(count) + 0.5) * (length / count) - 0.5


def _check_ending(file: Path, done: str) -> None:
    if file.suffix.lower() != ".npy":
        raise PsfError(f"{file.name}: a field is {done} .npy; {file.suffix or 'no ending'} is not one.")


def _hats(count: int, length: int) -> Tensor:
    """Piecewise linear weights that are 1 at a window's centre and 0 at its neighbours'."""
    place = torch.arange(length, dtype=torch.float32)
    step = length / count
    position = ((place + 0.5) / step - 0.5).clamp(0, count - 1)
    return (1 - (position - torch.arange(count)[:, None]).abs()).clamp_min(0)

"""Blur as a linear operator with an exact adjoint, under four rules for what lies beyond the border."""

from typing import Final, Literal, get_args

import torch
from jaxtyping import Complex, Float
from torch import Tensor

from nightsharp.errors import PsfError, UsageError
from nightsharp.optics.border import border_index
from nightsharp.optics.fourier import check_fits, fast_size, psf_to_otf
from nightsharp.optics.psf import Psf

Boundary = Literal["circular", "replicate", "reflect", "valid"]


class Blur:
    r"""The operator A of ``y = A x``: convolution with a PSF and a rule for the border.

    .. math:: y[p] = \sum_q k[q]\; x[p - q + c], \qquad c = (k_h // 2,\ k_w // 2)

    ``circular`` wraps around, ``replicate`` repeats the edge pixel, ``reflect`` mirrors without repeating it, and
    ``valid`` keeps only the pixels that need nothing from outside, so that the output is smaller by the PSF's size - 1.

    The largest singular value of A is at most 1 for ``circular`` and ``valid``. ``replicate`` and ``reflect`` read
    border pixels several times and exceed it: ``reflect`` by a percent or two, ``replicate`` up to about 2 where the
    PSF spans half the image. A gradient step on them needs that margin.

    Args:
        psf: one PSF for all, or a tensor ``(batch or 1, channel or 1, kh, kw)`` with one each. It is copied, so that
            later changes to the tensor do not reach the operator, unless it requires a gradient.
        boundary: the rule for the border.

    Raises:
        UsageError: the boundary rule is unknown.

    Example:
        >>> box = torch.full((1, 1, 3, 3), 1 / 9)
        >>> blur = Blur(box, boundary="replicate")
        >>> sharp = torch.rand(1, 3, 16, 20)
        >>> blurred = blur(sharp)
        >>> blurred.shape
        torch.Size([1, 3, 16, 20])
        >>> other = torch.rand(1, 3, 16, 20)
        >>> torch.allclose((blurred * other).sum(), (sharp * blur.adjoint(other)).sum(), rtol=1e-5)
        True
    """

    def __init__(self, psf: Psf | Float[Tensor, "#batch #channel kh kw"], boundary: Boundary = "circular") -> None:
        if boundary not in get_args(Boundary):
            raise UsageError(f"boundary {boundary!r} is unknown. Choose one of {', '.join(get_args(Boundary))}.")
        kernel = psf.kernel[None, None] if isinstance(psf, Psf) else psf
        if not kernel.requires_grad:
            # out of inference mode, so that the operator may serve training later
            with torch.inference_mode(False):
                kernel = kernel.clone()
        self.kernel: Final[Tensor] = kernel
        self.boundary: Boundary = boundary
        self._otfs: dict[tuple[object, ...], Tensor] = {}

    def otf(
        self, size: tuple[int, int], like: Tensor | None = None
    ) -> Complex[Tensor, "#batch #channel height half_width"]:
        """The transfer function for images of ``size``, computed once per size, dtype and device.

        Args:
            size: (height, width) of the circular transform.
            like: a tensor whose dtype and device the OTF takes; the PSF's own when None.

        Returns:
            The half spectrum, ``(batch or 1, channel or 1, height, width // 2 + 1)``.

        Raises:
            PsfError: the PSF is larger than ``size``.
        """
        like = self.kernel if like is None else like
        if self.kernel.requires_grad:
            return psf_to_otf(self.kernel.to(like), size)
        key = (size, like.dtype, like.device)
        if key not in self._otfs:
            with torch.inference_mode(False):
                self._otfs[key] = psf_to_otf(self.kernel.to(like), size)
        return self._otfs[key]

    def __call__(self, image: Float[Tensor, "batch channel height width"]) -> Float[Tensor, "batch channel h w"]:
        """Blur: ``A x``."""
        return self.forward(image)

    def forward(self, image: Float[Tensor, "batch channel height width"]) -> Float[Tensor, "batch channel h w"]:
        """Blur an image.

        Args:
            image: any range.

        Returns:
            ``A x``, the same size (``valid``: smaller by ``kh - 1``, ``kw - 1``).

        Raises:
            PsfError: the PSF is larger than the image, or there are PSFs for another number of images or channels.
        """
        self._check(image)
        if self.boundary == "circular":
            return self._convolve(image, (image.shape[-2], image.shape[-1]))
        check_fits(self._size(), (image.shape[-2], image.shape[-1]))
        if self.boundary == "valid":
            return self._valid(image)
        rows, columns = self._indices(image)
        return self._valid(image.index_select(-2, rows).index_select(-1, columns))

    def adjoint(self, image: Float[Tensor, "batch channel h w"]) -> Float[Tensor, "batch channel height width"]:
        """The transpose: ``A^T y``, so that ``<A x, y> = <x, A^T y>``.

        Args:
            image: in the space of the blurred image.

        Returns:
            ``A^T y``, in the space of the sharp image (``valid``: larger by ``kh - 1``, ``kw - 1``).

        Raises:
            PsfError: the PSF is larger than the image, or there are PSFs for another number of images or channels.
        """
        self._check(image)
        if self.boundary == "circular":
            return self._convolve(image, (image.shape[-2], image.shape[-1]), adjoint=True)
        if self.boundary == "valid":
            return self._valid_adjoint(image)
        check_fits(self._size(), (image.shape[-2], image.shape[-1]))
        rows, columns = self._indices(image)
        spread = self._valid_adjoint(image)
        narrow = spread.new_zeros(*spread.shape[:-1], image.shape[-1]).index_add(-1, columns, spread)
        return narrow.new_zeros(*narrow.shape[:-2], *image.shape[-2:]).index_add(-2, rows, narrow)

    def _check(self, image: Tensor) -> None:
        """One PSF may serve many images; broadcasting the other way would break the adjoint."""
        for axis, things in enumerate(("images", "channels")):
            psfs, count = self.kernel.shape[axis], image.shape[axis]
            if psfs not in (1, count):
                raise PsfError(
                    f"there are PSFs for {psfs} {things}, but {count} came. Give one PSF for all, or one each."
                )

    def _size(self) -> tuple[int, int]:
        return self.kernel.shape[-2], self.kernel.shape[-1]

    def _convolve(self, image: Tensor, size: tuple[int, int], adjoint: bool = False) -> Tensor:
        otf = self.otf(size, like=image)
        return torch.fft.irfft2(torch.fft.rfft2(image, s=size) * (otf.conj() if adjoint else otf), s=size)

    def _margins(self) -> tuple[int, int, int, int]:
        """Rows before and after, columns before and after, that a pixel needs around it."""
        kh, kw = self._size()
        return kh - 1 - kh // 2, kh // 2, kw - 1 - kw // 2, kw // 2

    def _indices(self, image: Tensor) -> tuple[Tensor, Tensor]:
        top, bottom, left, right = self._margins()
        rule = "reflect" if self.boundary == "reflect" else "replicate"
        rows = border_index(image.shape[-2], top, bottom, rule)
        columns = border_index(image.shape[-1], left, right, rule)
        return rows.to(image.device), columns.to(image.device)

    def _valid(self, image: Tensor) -> Tensor:
        height, width = image.shape[-2:]
        top, bottom, left, right = self._margins()
        # wrapped values fall only on the rim that the crop removes, so a larger, faster transform is as exact
        whole = self._convolve(image, fast_size(height, width))
        return whole[..., top : height - bottom, left : width - right]

    def _valid_adjoint(self, image: Tensor) -> Tensor:
        top, bottom, left, right = self._margins()
        height, width = image.shape[-2] + top + bottom, image.shape[-1] + left + right
        padded = torch.nn.functional.pad(image, (left, right, top, bottom))
        return self._convolve(padded, fast_size(height, width), adjoint=True)[..., :height, :width]

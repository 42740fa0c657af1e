"""The PSF as a learned method is handed it: checked, and of a shape that networks were trained with."""

import torch
from jaxtyping import Float
from torch import Tensor

from nightsharp.errors import PsfError
from nightsharp.optics.fourier import check_fits


def given_psf(psf: Float[Tensor, "#batch 1 kh kw"], size: tuple[int, int]) -> Float[Tensor, "#batch 1 k k"]:
    """Check kernels and surround them with zeros to an odd square of at least 3, the centre staying the centre.

    Args:
        psf: any positive scale, centre at ``(kh // 2, kw // 2)``.
        size: height and width of the image.

    Raises:
        PsfError: a kernel holds NaN, infinite or negative values, or no light, or is larger than the image.

    Example:
        >>> given_psf(torch.ones(1, 1, 2, 5), (64, 64)).shape
        torch.Size([1, 1, 5, 5])
    """
    kh, kw = psf.shape[-2:]
    check_fits((kh, kw), size)
    if not bool(psf.isfinite().all()):
        raise PsfError(f"the PSF ({kh} x {kw}) holds NaN or infinite values. Check how it was made.")
    if float(psf.min()) < 0:
        raise PsfError(f"the PSF is negative where light cannot be (down to {float(psf.min()):g}). Clip it at 0.")
    if float(psf.sum(dim=(-2, -1)).min()) <= 0:
        raise PsfError(f"the PSF ({kh} x {kw}) is zero everywhere. A PSF holds light.")
    side = max(3, kh + 1 - kh % 2, kw + 1 - kw % 2)
    top, left = side // 2 - kh // 2, side // 2 - kw // 2
    return torch.nn.functional.pad(psf, (left, side - kw - left, top, side - kh - top))

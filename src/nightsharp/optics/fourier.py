"""The Fourier side of blur: fast transform sizes and the optical transfer function."""

import torch
from jaxtyping import Complex, Float
from scipy.fft import next_fast_len
from torch import Tensor

from nightsharp.errors import PsfError


def fast_size(height: int, width: int) -> tuple[int, int]:
    """The smallest size not below (height, width) whose real FFT is quick.

    Args:
        height: pixels, >= 1.
        width: pixels, >= 1.

    Returns:
        Height and width, each an even product of 2, 3 and 5 (odd ones take up to twice as long).

    Example:
        >>> fast_size(509, 641)
        (512, 648)
    """
    # scipy's stub says None where the function returns an int
    rows, columns = (2 * int(next_fast_len((length + 1) // 2, real=True) or 0) for length in (height, width))
    return rows, columns


def check_fits(psf_size: tuple[int, int], image_size: tuple[int, int]) -> None:
    """Refuse a PSF that is larger than the image it should blur.

    Args:
        psf_size: height and width of the PSF.
        image_size: height and width of the image.

    Raises:
        PsfError: the PSF is larger.

    Example:
        >>> check_fits((5, 9), (64, 80))
    """
    if psf_size[0] > image_size[0] or psf_size[1] > image_size[1]:
        raise PsfError(
            f"the PSF is {psf_size[0]} x {psf_size[1]}, larger than the image ({image_size[0]} x {image_size[1]}). "
            "Cut away its dark rim, or check that it belongs to this photo."
        )


def psf_to_otf(
    psf: Float[Tensor, "*batch kh kw"], size: tuple[int, int]
) -> Complex[Tensor, "*batch height half_width"]:
    r"""The optical transfer function: the real FFT of a PSF whose centre sits at the origin.

    .. math:: H = \mathcal F[\,\mathrm{shift}(k)\,], \qquad k\ \text{centred at}\ (k_h // 2,\ k_w // 2)

    Args:
        psf: convolution kernels, centre at ``(kh // 2, kw // 2)``.
        size: (height, width) of the images that the OTF multiplies.

    Returns:
        The half spectrum, ``(..., height, width // 2 + 1)``.

    Raises:
        PsfError: the PSF is larger than ``size``.

    Example:
        >>> identity = torch.zeros(3, 3); identity[1, 1] = 1
        >>> torch.allclose(psf_to_otf(identity, (8, 8)).abs(), torch.ones(8, 5))
        True
    """
    kh, kw = psf.shape[-2:]
    check_fits((kh, kw), size)
    padded = torch.nn.functional.pad(psf, (0, size[1] - kw, 0, size[0] - kh))
    return torch.fft.rfft2(torch.roll(padded, (-(kh // 2), -(kw // 2)), dims=(-2, -1)))

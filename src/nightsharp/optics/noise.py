"""How noisy a photograph is, measured from the photograph itself."""

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

# The response of white noise of unit variance to the mask below, and the median of |N(0, 1)|.
_MASK_NORM = 6.0
_MEDIAN_TO_SIGMA = 0.674489750196

# A pixel votes when its neighbourhood is this many sigma away from black and white; the sigma is found on the way.
_CLEAR_OF_CLIPPING = 2.5
_PASSES = 4
_FEWEST_VOTES = 64
_ENOUGH_PIXELS = 2**19


def estimate_sigma(image: Float[Tensor, "batch channel height width"]) -> Float[Tensor, "batch channel 1 1"]:
    r"""The standard deviation of the noise in each channel.

    The image is convolved with the difference of two Laplacians, which cancels whatever is locally quadratic; the
    median of the absolute response then ignores what edges remain.

    .. math:: \hat\sigma = \frac{\mathrm{median}\,|N * y|}{6 \cdot 0.6745}, \qquad
        N = \begin{pmatrix} 1 & -2 & 1 \\ -2 & 4 & -2 \\ 1 & -2 & 1 \end{pmatrix}

    Only the flattest quarter of the pixels votes, by the Sobel gradient, and of these only the ones whose 3 x 3 mean is
    clear of the ends of the range, where noise is clipped. Gradient, mean and :math:`N` are orthogonal, so on Gaussian
    noise this choice does not bias the answer. Noise that a camera has smoothed or compressed away is not seen.

    Args:
        image: range [0, 1], at least 3 x 3 (a smaller one is called noise-free).

    Returns:
        Sigma per image and channel, in the image's range; 0 where every pixel is clipped.

    Example:
        >>> noisy = 0.5 + 0.02 * torch.randn(1, 1, 128, 128, generator=torch.Generator().manual_seed(0))
        >>> abs(float(estimate_sigma(noisy)) - 0.02) < 0.001
        True

    Source: Immerkaer, "Fast noise variance estimation", 1996, with Donoho's median rule; leaving edges out by the
    gradient as in Tai and Yang, "A fast method for image noise estimation using Laplacian operator and adaptive edge
    detection", 2008.
    """
    if min(image.shape[-2:]) < 3:
        return image.new_zeros(*image.shape[:2], 1, 1)
    step = row_step(image.shape[-2], image.shape[-1])
    return sigma_of_rows(image[..., :-2:step, :], image[..., 1:-1:step, :], image[..., 2::step, :])


def row_step(height: int, width: int) -> int:
    """Of a large image, every how many-th row is looked at, with its two neighbours.

    Example:
        >>> row_step(512, 512), row_step(4096, 4096)
        (1, 32)
    """
    return max(1, height * width // _ENOUGH_PIXELS)


def sigma_of_rows(
    above: Float[Tensor, "batch channel rows width"],
    row: Float[Tensor, "batch channel rows width"],
    below: Float[Tensor, "batch channel rows width"],
) -> Float[Tensor, "batch channel 1 1"]:
    """``estimate_sigma`` from some rows of an image and the rows above and below each.

    Args:
        above: the rows above; range [0, 1], at least 3 wide.
        row: the rows themselves.
        below: the rows below.

    Example:
        >>> image = torch.rand(1, 1, 64, 64)
        >>> rows = image[..., :-2, :], image[..., 1:-1, :], image[..., 2:, :]
        >>> torch.equal(sigma_of_rows(*rows), estimate_sigma(image))
        True
    """

    def look(down: tuple[int, int, int], across: tuple[int, int, int]) -> Tensor:
        rows = down[0] * above + down[1] * row + down[2] * below
        return (across[0] * rows[..., :-2] + across[1] * rows[..., 1:-1] + across[2] * rows[..., 2:]).flatten(2)

    above, row, below = above.detach(), row.detach(), below.detach()
    response = look((1, -2, 1), (1, -2, 1)).abs()
    steepness = look((1, 2, 1), (-1, 0, 1)).square() + look((-1, 0, 1), (1, 2, 1)).square()
    mean = look((1, 1, 1), (1, 1, 1)) / 9
    sigma = row.new_zeros(*row.shape[:2], 1)
    for _ in range(_PASSES):
        margin = _CLEAR_OF_CLIPPING * sigma
        clear = (mean > margin) & (mean < 1 - margin)
        flatter = clear & (steepness <= _median(steepness, clear))
        votes = flatter & (steepness <= _median(steepness, flatter))
        enough = votes.sum(-1, keepdim=True) >= min(_FEWEST_VOTES, votes.shape[-1] // 4)
        sigma = torch.where(enough, _median(response, votes) / (_MASK_NORM * _MEDIAN_TO_SIGMA), sigma)
    return sigma.nan_to_num(0.0)[..., None]


def _median(values: Tensor, chosen: Tensor) -> Tensor:
    """The lower median of the chosen values of each row; NaN where none is."""
    # NumPy selects several times faster than torch.nanmedian does
    rows = [
        _lower_median(row[kept].cpu().numpy())
        for row, kept in zip(values.flatten(0, 1), chosen.flatten(0, 1), strict=True)
    ]
    return values.new_tensor(rows).reshape(*values.shape[:2], 1)


def _lower_median(values: np.ndarray) -> float:
    middle = (values.size - 1) // 2
    return float(np.partition(values, middle)[middle]) if values.size else np.nan

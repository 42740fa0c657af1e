"""The Wiener step of DWDN and INFWIDE, step by step, one channel of one image at a time."""

import torch
from torch import Tensor
from torch.nn.functional import pad, unfold


def median(x: Tensor) -> Tensor:
    """The 3 x 3 median of (1, 1, height, width) by sorting, mirrored at the border."""
    height, width = x.shape[-2:]
    views = unfold(pad(x, (1, 1, 1, 1), mode="reflect"), 3)
    return views.median(dim=1).values.reshape(1, 1, height, width)


def nsr(g: Tensor, pixels: int) -> Tensor:
    """Noise variance over signal standard deviation, for ``pixels`` believed to be there."""
    d = median(g) - g
    mu_d = d.sum() / pixels
    var_d = (d - mu_d).square().sum() / (pixels - 1)
    mu_g = g.sum() / pixels
    std_g = ((g - mu_g).square().sum() / (pixels - 1)).sqrt()
    return 8 / 30 * var_d / std_g


def otf(kernel: Tensor, rows: int, columns: int) -> Tensor:
    """The full complex transform of a kernel whose centre is moved to the origin."""
    kh, kw = kernel.shape
    field = kernel.new_zeros(rows, columns)
    field[:kh, :kw] = kernel
    return torch.fft.fft2(field.roll((-(kh // 2), -(kw // 2)), (0, 1)))


def wiener(features: Tensor, psf: Tensor, *, faithful: bool = True) -> Tensor:
    """Every channel of every image in a loop.

    Args:
        features: (batch, channel, height, width).
        psf: (batch, 1, kh, kw).
        faithful: count height squared pixels.
    """
    out = torch.zeros_like(features)
    for n in range(features.shape[0]):
        kernel = psf[n, 0] / psf[n, 0].sum()
        k = kernel.shape[0]
        for channel in range(features.shape[1]):
            g = pad(features[n : n + 1, channel : channel + 1], (k, k, k, k), mode="replicate")
            rows, columns = g.shape[-2:]
            ratio = nsr(g, rows * rows if faithful else rows * columns)
            o = otf(kernel, rows, columns)
            spectrum = torch.fft.fft2(g[0, 0])
            y = torch.fft.ifft2(o.conj() * spectrum / (o.abs() ** 2 + ratio)).real
            out[n, channel] = y[k:-k, k:-k]
    return out

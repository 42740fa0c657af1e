"""The PSF step: least squares on gradients, non-negative, on the PSF's own small window."""

import math

import numpy as np
import scipy.ndimage
import skimage.measure
import torch
from jaxtyping import Float
from torch import Tensor

from nightsharp.methods.map_psf.observation import gradients
from nightsharp.optics.fourier import fast_size

_STEPS = 60


def kernel_step(
    latent: Float[Tensor, "rows columns"],
    blurred: Float[Tensor, "rows columns"],
    start: Float[Tensor, "k k"],
    *,
    least_edge: float,
    ridge: float,
) -> Float[Tensor, "k k"]:
    r"""Minimise over non-negative PSFs, by accelerated projected gradients (FISTA).

    .. math:: \min_{k \ge 0} \| \nabla x * k - \nabla y \|_2^2 + \gamma \| k \|_2^2

    Only gradients of x at edges vote. The normal equations need the autocorrelation of :math:`\nabla x` and its
    correlation with :math:`\nabla y` within the PSF's window, computed once; each step is a transform of that window.

    Args:
        latent: the sharp image x on the canvas.
        blurred: the photograph y on the canvas, unknown pixels filled.
        start: where to start; its odd side k is the window.
        least_edge: gradients of x shorter than this are left out; 0 takes all.
        ridge: gamma, in units of squared gradients summed over the image.

    Returns:
        The PSF, non-negative, not normalised.

    Source: Cho and Lee, SIGGRAPH Asia 2009, eq. (9), gradients only; Beck and Teboulle 2009 for the iteration.
    """
    side, size = start.shape[-1], (latent.shape[0], latent.shape[1])
    across, down = gradients(latent)
    if least_edge > 0:
        weak = across.square() + down.square() < least_edge**2
        across, down = across.masked_fill_(weak, 0), down.masked_fill_(weak, 0)
    seen = [torch.fft.rfft2(g) for g in gradients(blurred)]
    sharp = [torch.fft.rfft2(g) for g in (across, down)]
    auto = torch.fft.irfft2(sum((s.abs().square() for s in sharp), torch.zeros(())), s=size)
    cross = torch.fft.irfft2(sum((s.conj() * b for s, b in zip(sharp, seen, strict=True)), torch.zeros(())), s=size)
    window = torch.roll(cross, (side // 2, side // 2), (0, 1))[:side, :side]
    spectrum = _windowed_spectrum(auto, side)
    small = fast_size(3 * side, 3 * side)

    slope = float(spectrum.max()) + ridge
    kernel = ahead = start
    momentum = 1.0
    for _ in range(_STEPS):
        normal = torch.fft.irfft2(torch.fft.rfft2(ahead, s=small) * spectrum, s=small)[:side, :side]
        following = (ahead - (normal + ridge * ahead - window) / slope).clamp_min(0)
        grown = (1 + math.sqrt(1 + 4 * momentum**2)) / 2
        ahead = following + (momentum - 1) / grown * (following - kernel)
        kernel, momentum = following, grown
    return kernel


def edge_quota(latent: Float[Tensor, "rows columns"], inner: tuple[int, int], quota: int) -> float:
    """The gradient length that keeps at least ``quota`` edges in each of four directions.

    Source: Cho and Lee, SIGGRAPH Asia 2009, sec. 4.2.
    """
    across, down = (g[: inner[0] - 1, : inner[1] - 1].flatten() for g in gradients(latent))
    length = torch.hypot(across, down)
    sector = (torch.atan2(down, across) % math.pi / (math.pi / 4)).floor().clamp(0, 3)
    least = []
    for direction in range(4):
        ordered = length[sector == direction].sort(descending=True).values
        if len(ordered):
            least.append(float(ordered[min(quota, len(ordered) - 1)]))
    return min(least)


def cleaned(kernel: Float[Tensor, "k k"], least_tap: float = 0.02, least_piece: float = 0.02) -> Float[Tensor, "k k"]:
    """Drop faint taps and small islands, and normalise; a kernel without light becomes a point.

    Args:
        kernel: non-negative.
        least_tap: taps below this part of the peak are noise.
        least_piece: islands with less than this part of the light are noise; the brightest always stays.
    """
    kernel = torch.where(kernel < least_tap * kernel.max(), 0, kernel)
    if float(kernel.sum()) <= 0:
        point = torch.zeros_like(kernel)
        point[kernel.shape[0] // 2, kernel.shape[1] // 2] = 1
        return point
    kernel = kernel / kernel.sum()
    pieces = np.asarray(skimage.measure.label(kernel.numpy() > 0, connectivity=2))
    light = np.bincount(pieces.flat, weights=kernel.numpy().flat)
    for piece, part in enumerate(light):
        if part < min(least_piece, light.max()):
            kernel = kernel.masked_fill(torch.from_numpy(pieces == piece), 0)
    return kernel / kernel.sum()


def centred(kernel: Float[Tensor, "k k"]) -> Float[Tensor, "k k"]:
    """Move the centroid to the middle by whole pixels; what leaves the window is lost."""
    side = kernel.shape[0]
    place = torch.arange(side).to(kernel) - side // 2
    down, across = (-round(float((kernel.sum(1 - axis) * place).sum())) for axis in (0, 1))
    moved = torch.nn.functional.pad(kernel, (across, -across, down, -down))
    return moved / moved.sum()


def window(kernel: Float[Tensor, "height width"], side: int) -> Float[Tensor, "side side"]:
    """The same PSF in a square window, centred; what leaves the window is lost."""
    before = [(side - n) // 2 for n in kernel.shape]
    after = [side - n - b for n, b in zip(kernel.shape, before, strict=True)]
    fitted = torch.nn.functional.pad(kernel, (before[1], after[1], before[0], after[0]))
    return centred(fitted / fitted.sum())


def enlarged(kernel: Float[Tensor, "k k"], ratio: float, side: int) -> Float[Tensor, "side side"]:
    """The same PSF on the next finer scale, in its larger window."""
    return window(torch.from_numpy(scipy.ndimage.zoom(kernel.numpy(), ratio, order=1)).clamp_min(0), side)


def _windowed_spectrum(auto: Tensor, side: int) -> Tensor:
    """The autocorrelation within the lags that a window of ``side`` can see, as a (real) spectrum."""
    reach = side - 1
    lags = torch.roll(auto, (reach, reach), (0, 1))[: 2 * side - 1, : 2 * side - 1]
    small = fast_size(3 * side, 3 * side)
    padded = torch.nn.functional.pad(lags, (0, small[1] - lags.shape[1], 0, small[0] - lags.shape[0]))
    return torch.fft.rfft2(torch.roll(padded, (-reach, -reach), (0, 1))).real

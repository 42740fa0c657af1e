"""Coarse to fine: the PSF starts as a few pixels on a small picture and grows with it."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from nightsharp.methods.map_psf.kernel import centred, cleaned, edge_quota, enlarged, kernel_step
from nightsharp.methods.map_psf.latent import CAMERA_SOFTNESS, latent_step, noise_weight
from nightsharp.methods.map_psf.observation import Canvas, Observation

RATIO = math.sqrt(0.5)
_COARSEST = 5
_ALTERNATIONS = 8
# On a coarse scale a wrong tap grows into a wrong branch, so only clear ones stay; on the finest a faint tail counts.
_COARSE_TAPS, _FINE_TAPS = (0.03, 0.05), (0.02, 0.02)
# A reduced picture has been averaged and sampled anew; less of the camera's softness is left in it.
_COARSE_SOFTNESS = 0.7
# On the finest scale, once the PSF's shape stands: all gradients vote and the prior fades.
_REFINEMENTS = 12
_REFINE_FROM, _REFINE_TO = 1e-3, 2e-4
_EDGE_FALL = math.sqrt(1.1)
_RIDGE, _FINAL_RIDGE = 10.0, 1.0


@dataclass(frozen=True)
class Prior:
    """What kind of sharp image is expected.

    Attributes:
        weight: lambda of the first alternation.
        fall: by which lambda is divided from one alternation to the next.
        softness: of the camera, sigma in pixels.
    """

    weight: float
    fall: float
    softness: float


NATURAL = Prior(weight=4e-3, fall=1.05, softness=CAMERA_SOFTNESS)
"""Photographs of the world."""

GRAPHIC = Prior(weight=2e-2, fall=1.08, softness=0.4)
"""Print, screens, line art: flat areas between hard edges, and scenes in which the first prior found no way."""


@dataclass(frozen=True)
class Scale:
    """What one scale ended with.

    Attributes:
        scale: side of the picture relative to the region that was estimated on.
        kernel: the PSF in the pixels of that scale.
    """

    scale: float
    kernel: Float[Tensor, "k k"]


@dataclass(frozen=True)
class Fit:
    """A PSF and the sharp image that together explain an observation.

    Attributes:
        scales: the PSF on every scale, coarsest first.
        canvas: the observation on the finest scale.
        latent: the sharp image there.
        filled: the observation with its unknown pixels predicted.
        noise: standard deviation of the noise that was assumed there.
    """

    scales: tuple[Scale, ...]
    canvas: Canvas
    latent: Float[Tensor, "rows columns"]
    filled: Float[Tensor, "rows columns"]
    noise: float

    @property
    def kernel(self) -> Float[Tensor, "k k"]:
        """The PSF on the finest scale."""
        return self.scales[-1].kernel


def sides(size: int) -> list[int]:
    """The odd window of each scale, finest first."""
    count = max(0, math.floor(math.log(_COARSEST / size) / math.log(RATIO))) + 1
    return [math.ceil(size * RATIO**level) // 2 * 2 + 1 for level in range(count)]


def alternations(size: int) -> int:
    """How many alternations :func:`coarse_to_fine` takes for a PSF of that size."""
    return _ALTERNATIONS * len(sides(size)) + _REFINEMENTS


def coarse_to_fine(seen: Observation, size: int, prior: Prior, noise: float, tick: Callable[[], None]) -> Fit:
    """Alternate the sharp-image step and the PSF step on every scale, from the coarsest to the finest.

    Args:
        seen: the observation, scaled to a contrast of about 0.2.
        size: side of the PSF's window on the finest scale, odd.
        prior: what kind of sharp image is expected.
        noise: standard deviation of the noise, in the observation's range.
        tick: called before each alternation; may raise to stop.

    Returns:
        The PSF with all that was found on the way.
    """
    scales: list[Scale] = []
    weight, least_edge = prior.weight, 0.0
    canvas, kernel = Canvas.around(seen, size), _pair(size)
    for level, side in reversed(list(enumerate(sides(size)))):
        canvas = Canvas.around(seen.shrunk(RATIO**level), side - 1)
        kernel = enlarged(scales[-1].kernel, 1 / RATIO, side) if scales else _pair(side)
        softness = prior.softness * (_COARSE_SOFTNESS if level else 1)
        # averaging to a smaller picture takes the noise down with the scale
        least_weight = noise_weight(noise * RATIO**level)
        taps = _COARSE_TAPS if level else _FINE_TAPS
        for _ in range(_ALTERNATIONS):
            tick()
            latent, filled = latent_step(canvas, kernel, max(weight, least_weight), softness)
            least_edge = least_edge or edge_quota(latent, canvas.inner, 2 * side)
            kernel = kernel_step(latent, filled, kernel, least_edge=least_edge, ridge=_RIDGE)
            kernel = cleaned(kernel, *taps)
            weight, least_edge = weight / prior.fall, least_edge / _EDGE_FALL
        for part in torch.linspace(0, 1, 0 if level else _REFINEMENTS).tolist():
            tick()
            fading = _REFINE_FROM * (_REFINE_TO / _REFINE_FROM) ** part
            latent, filled = latent_step(canvas, kernel, max(fading, least_weight), softness)
            kernel = kernel_step(latent, filled, kernel, least_edge=0, ridge=_FINAL_RIDGE)
            kernel = cleaned(kernel, *taps)
        kernel = centred(kernel)
        scales.append(Scale(RATIO**level, kernel))
    latent, filled = latent_step(canvas, kernel, max(_REFINE_TO, noise_weight(noise)), prior.softness)
    return Fit(tuple(scales), canvas, latent, filled, noise)


def _pair(side: int) -> Tensor:
    """Two neighbouring pixels: a single one would be a fixed point of the alternation."""
    kernel = torch.zeros(side, side)
    kernel[side // 2, side // 2 - 1 : side // 2 + 1] = 0.5
    return kernel

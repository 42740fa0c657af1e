"""Coarse to fine: the PSF starts as a few pixels on a small picture and grows with it."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

import torch
from jaxtyping import Float
from torch import Tensor

from nightsharp.methods.map_psf.kernel import centred, cleaned, edge_quota, enlarged, kernel_step
from nightsharp.methods.map_psf.latent import latent_step, noise_weight
from nightsharp.methods.map_psf.observation import Canvas, Observation

RATIO = math.sqrt(0.5)
_COARSEST = 5
_ALTERNATIONS = 8
# On a coarse scale a wrong tap grows into a wrong branch, so only clear ones stay; on the finest a faint tail counts.
_COARSE_TAPS, _FINE_TAPS = (0.03, 0.05), (0.02, 0.02)
# A reduced picture has been averaged and sampled anew; less of the camera's softness is left in it.
_COARSE_SOFTNESS = 0.7
# On the finest scale, once the PSF's shape stands: all gradients vote and the prior fades.
_REFINEMENTS = 6
_REFINE_FROM, _REFINE_TO = 3e-4, 1e-4
_EDGE_FALL = math.sqrt(1.1)
# A PSF whose shape stands is asked again, so many times over, by more edges: gradients down to this part of those that
# led to it.
_ROUNDS, _LESSER_EDGES = 2, 1 / 3
# All gradients carry more noise than the few strong ones, so the finish is held more firmly.
_RIDGE, _FINAL_RIDGE = 10.0, 30.0


@dataclass(frozen=True)
class Prior:
    """What kind of sharp image is expected.

    Attributes:
        name: in words.
        weight: lambda of the first alternation.
        fall: by which lambda is divided from one alternation to the next.
        softness: of the camera, sigma in pixels.
        tones: how much more than an edge a pixel costs that is neither ink nor paper; 0 where any tone may be.
    """

    name: str
    weight: float
    fall: float
    softness: float
    tones: float = 0.0


FIRM = Prior("firm", weight=2e-2, fall=1.08, softness=0.4)
"""Few hard edges: print, screens, buildings, and scenes in which the gentle prior finds no way."""

GENTLE = Prior("gentle", weight=1e-2, fall=1.08, softness=0.4)
"""More of the detail votes: often the more exact PSF, more often none at all."""

# 16 rendered pages, blurred by shakes of up to 41 pixels, windows of 51: 15 ended near the true PSF (similarity above
# 0.8), one without the tones, 13 where the weight fell by 1.08; another 16: 11.
PRINT = Prior("two-tone", weight=2e-2, fall=1.04, softness=0.4, tones=10.0)
"""Letters on paper: two tones. Its edges are as many as a photograph's, but no flat parts lie between them."""


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
        prior: what kind of sharp image was expected.
        noise: standard deviation of the noise that was assumed there.
    """

    scales: tuple[Scale, ...]
    canvas: Canvas
    prior: Prior
    noise: float

    @property
    def kernel(self) -> Float[Tensor, "k k"]:
        """The PSF on the finest scale."""
        return self.scales[-1].kernel

    @cached_property
    def latent(self) -> Float[Tensor, "rows columns"]:
        """The sharp image on the finest scale; of most fits nobody asks for it."""
        weight = max(_REFINE_TO, noise_weight(self.noise))
        return latent_step(self.canvas, self.kernel, weight, self.prior.softness, self.prior.tones)[0]


def sides(size: int) -> list[int]:
    """The odd window of each scale, finest first."""
    count = max(0, math.floor(math.log(_COARSEST / size) / math.log(RATIO))) + 1
    return [math.ceil(size * RATIO**level) // 2 * 2 + 1 for level in range(count)]


def alternations(size: int) -> int:
    """How many alternations :func:`coarse_to_fine` takes for a PSF of that size."""
    return _ALTERNATIONS * len(sides(size)) + _REFINEMENTS


def polishes() -> int:
    """How many alternations :func:`polished` takes."""
    return _ALTERNATIONS + _REFINEMENTS


def finishes() -> int:
    """How many alternations :func:`finished` takes."""
    return _ROUNDS * polishes()


def coarse_to_fine(
    seen: Observation, size: int, prior: Prior, noise: float, tick: Callable[[], None], *, upright: bool = False
) -> Fit:
    """Alternate the sharp-image step and the PSF step on every scale, from the coarsest to the finest.

    Args:
        seen: the observation, scaled to a contrast of about 0.2.
        size: side of the PSF's window on the finest scale, odd.
        prior: what kind of sharp image is expected.
        noise: standard deviation of the noise, in the observation's range.
        tick: called before each alternation; may raise to stop.
        upright: start from two pixels one above the other rather than side by side.

    Returns:
        The PSF with all that was found on the way.
    """
    scales: list[Scale] = []
    canvas = Canvas.around(seen, size - 1)
    climb = _Climb(prior, noise, tick)
    for level, side in reversed(list(enumerate(sides(size)))):
        canvas = Canvas.around(seen.shrunk(RATIO**level), side - 1)
        kernel = enlarged(scales[-1].kernel, 1 / RATIO, side) if scales else _pair(side, upright=upright)
        kernel = climb.alternate(canvas, kernel, level)
        if not level:
            kernel = climb.refine(canvas, kernel)
        scales.append(Scale(RATIO**level, centred(kernel)))
    return Fit(tuple(scales), canvas, prior, noise)


def polished(
    seen: Observation, start: Float[Tensor, "k k"], prior: Prior, noise: float, tick: Callable[[], None]
) -> Fit:
    """Take up a PSF that is known roughly, on the finest scale only.

    Args:
        seen: the observation, scaled to a contrast of about 0.2.
        start: the PSF to begin with; its odd side is the window.
        prior: what kind of sharp image is expected.
        noise: standard deviation of the noise, in the observation's range.
        tick: called before each alternation; may raise to stop.
    """
    canvas = Canvas.around(seen, start.shape[0] - 1)
    climb = _Climb(prior, noise, tick)
    kernel = _on_the_finest(canvas, start, climb)
    return Fit((Scale(1.0, centred(kernel)),), canvas, prior, noise)


def finished(fit: Fit, tick: Callable[[], None]) -> Fit:
    """Take up a PSF whose shape stands, on the finest scale only and in the light in which it was found.

    What the coarser scales left in it, stripes and stumps, stays as long as the few strongest edges vote, and stays
    when all gradients vote and the prior is weak, since it explains the sharp image that was made with it. Between the
    two there are edges enough to tell.

    Args:
        fit: what was found; all but its finest scale stays.
        tick: called before each alternation; may raise to stop.
    """
    kernel = fit.kernel
    for _ in range(_ROUNDS):
        kernel = _on_the_finest(fit.canvas, kernel, _Climb(fit.prior, fit.noise, tick, _LESSER_EDGES))
    return replace(fit, scales=(*fit.scales[:-1], Scale(1.0, centred(kernel))))


def _on_the_finest(canvas: Canvas, kernel: Tensor, climb: "_Climb") -> Tensor:
    # the prior as it stands at the end of a climb
    climb.weight /= climb.prior.fall ** (_ALTERNATIONS * (len(sides(kernel.shape[0])) - 1))
    return climb.refine(canvas, climb.alternate(canvas, kernel, 0))


class _Climb:
    """The prior's weight and the least edge, which fall from one alternation to the next over all scales."""

    def __init__(self, prior: Prior, noise: float, tick: Callable[[], None], part: float = 1.0) -> None:
        self.prior, self.noise, self.tick = prior, noise, tick
        self.weight, self.least_edge = prior.weight, 0.0
        # of the least edge that a PSF yet to be found would begin with
        self.part = part

    def alternate(self, canvas: Canvas, kernel: Tensor, level: int) -> Tensor:
        """The alternations of one scale, in which strong edges vote."""
        side = kernel.shape[0]
        softness = self.prior.softness * (_COARSE_SOFTNESS if level else 1)
        # averaging to a smaller picture takes the noise down with the scale
        least_weight = noise_weight(self.noise * RATIO**level)
        taps = _COARSE_TAPS if level else _FINE_TAPS
        for _ in range(_ALTERNATIONS):
            self.tick()
            latent, filled = latent_step(canvas, kernel, max(self.weight, least_weight), softness, self.prior.tones)
            self.least_edge = self.least_edge or self.part * edge_quota(latent, canvas.inner, 2 * side)
            kernel = kernel_step(latent, filled, kernel, least_edge=self.least_edge, ridge=_RIDGE)
            kernel = cleaned(kernel, *taps)
            self.weight, self.least_edge = self.weight / self.prior.fall, self.least_edge / _EDGE_FALL
        return kernel

    def refine(self, canvas: Canvas, kernel: Tensor) -> Tensor:
        """The last alternations on the finest scale, in which all gradients vote and the prior fades."""
        for part in torch.linspace(0, 1, _REFINEMENTS).tolist():
            self.tick()
            weight = max(_REFINE_FROM * (_REFINE_TO / _REFINE_FROM) ** part, noise_weight(self.noise))
            latent, filled = latent_step(canvas, kernel, weight, self.prior.softness, self.prior.tones)
            kernel = cleaned(kernel_step(latent, filled, kernel, least_edge=0, ridge=_FINAL_RIDGE), *_FINE_TAPS)
        return kernel


def _pair(side: int, *, upright: bool = False) -> Tensor:
    """Two neighbouring pixels: a single one would be a fixed point of the alternation."""
    kernel = torch.zeros(side, side)
    kernel[side // 2, side // 2 - 1 : side // 2 + 1] = 0.5
    return kernel.T.contiguous() if upright else kernel

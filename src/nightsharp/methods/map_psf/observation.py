"""What the estimator looks at: the luma of an informative region, at one scale, on a canvas with room around it."""

from dataclasses import dataclass, replace

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from nightsharp.methods._blocks import dilate
from nightsharp.optics.fourier import fast_size

_LUMA = (0.2126, 0.7152, 0.0722)
# A gradient above this part of the strongest ones counts as an edge when regions compete; a lamp must not win alone.
_EDGE_QUANTILE = 0.98
# A coarse pixel is clipped when more than this part of it was.
_CLIPPED_PART = 0.02
# Slope around bright areas over the steep slopes elsewhere. Measured: blurred white paper 0.27 to 0.64, clipped lamps
# in real and synthetic night photographs 0.74 to 9.
_CUT_OFF = 0.7
# Of the mean light; where less falls, noise is not pulled up further.
_LEAST_LIGHT = 0.2


@dataclass(frozen=True)
class Observation:
    """One channel of a photograph and where its sensor was saturated.

    Attributes:
        light: the luma, any scale.
        clipped: where the record says only "at least this bright".
    """

    light: Float[Tensor, "height width"]
    clipped: Bool[Tensor, "height width"]

    @classmethod
    def of(cls, blurred: Float[Tensor, "channel height width"], saturation: float) -> "Observation":
        """The luma of a photograph; a pixel is clipped when any of its channels is.

        White paper is as bright as the range allows without being clipped, and its pixels are as good as any.
        """
        if blurred.shape[0] == 3:
            light = (blurred * blurred.new_tensor(_LUMA)[:, None, None]).sum(0)
        else:
            light = blurred.mean(0)
        clipped = (blurred >= saturation).any(0)
        return cls(light, clipped if _cut_off(light, clipped) else torch.zeros_like(clipped))

    def informative(self, side: int) -> "Observation":
        """The window of at most ``side`` x ``side`` with the most edges that are not clipped.

        Each edge counts once, however strong: many edges in all directions pin a PSF down, one lamp does not.
        """
        height, width = self.light.shape
        if height <= side and width <= side:
            return self
        across, down = gradients(self.light)
        strength = torch.hypot(across, down).masked_fill(self.clipped, 0)
        strength[-1], strength[:, -1] = 0, 0
        limit = torch.quantile(strength[::4, ::4].flatten(), _EDGE_QUANTILE).clamp_min(1e-6)
        # the product of both directions favours corners over a bundle of parallel lines
        votes = [(g.abs() / limit).clamp_max(1).masked_fill(strength == 0, 0) for g in (across, down)]
        window = (min(side, height), min(side, width))
        step = max(1, side // 16)
        sums = [_window_means(v, window, step) for v in votes]
        score = sums[0] * sums[1]
        best = int(score.argmax())
        top, left = (best // score.shape[1]) * step, (best % score.shape[1]) * step
        rows, columns = slice(top, top + window[0]), slice(left, left + window[1])
        return Observation(self.light[rows, columns], self.clipped[rows, columns])

    def levelled(self) -> tuple["Observation", float]:
        """The same under even light, divided by the smooth surface that fits it best, and how many times it falls.

        A lamp or a window beside a page falls off over it by a factor of two and more; ink and paper do not.
        """
        # in double precision: what the last digits of a sum depend on must not decide where a search ends
        sides = [torch.linspace(-1, 1, side, dtype=torch.float64) for side in self.light.shape]
        down, across = torch.meshgrid(*sides, indexing="ij")
        basis = torch.stack([torch.ones_like(down), down, across, down * across, down**2, across**2])
        known, light = ~self.clipped, self.light.double()
        if int(known.sum()) < len(basis):
            return self, 1.0
        seen = basis[:, known]
        weights = torch.linalg.solve(seen @ seen.T, seen @ light[known])
        surface = torch.tensordot(weights, basis, dims=1).to(self.light)
        surface = surface.clamp_min(_LEAST_LIGHT * surface.mean().clamp_min(1e-6))
        return replace(self, light=self.light * (surface.mean() / surface)), float(surface.max() / surface.min())

    def shrunk(self, scale: float) -> "Observation":
        """The same at a smaller scale, anti-aliased."""
        if scale == 1:
            return self
        size = [max(3, round(n * scale)) for n in self.light.shape]
        light, clipped = (
            torch.nn.functional.interpolate(x[None, None], size=size, mode="bicubic", antialias=True)[0, 0]
            for x in (self.light, self.clipped.to(self.light))
        )
        return Observation(light, clipped > _CLIPPED_PART)


@dataclass(frozen=True)
class Canvas:
    """An observation laid out for circular transforms; beyond its border and under clipped lamps the light is unknown.

    Attributes:
        light: the observation; around it a ramp from each edge to the opposite one, so that wrapping makes no step.
        known: where a pixel was recorded and not clipped.
        clipped: where the record is only a lower bound.
        inner: (height, width) of the observation, which starts at the canvas's origin.
    """

    light: Float[Tensor, "rows columns"]
    known: Bool[Tensor, "rows columns"]
    clipped: Bool[Tensor, "rows columns"]
    inner: tuple[int, int]

    @classmethod
    def around(cls, seen: Observation, margin: int) -> "Canvas":
        """Lay an observation out with at least ``margin`` pixels of room."""
        height, width = seen.light.shape
        size = fast_size(height + margin, width + margin)
        light = _ramp(_ramp(seen.light, size[0]).T, size[1]).T.contiguous()
        known = torch.zeros(size, dtype=torch.bool, device=light.device)
        clipped = known.clone()
        clipped[:height, :width] = seen.clipped
        known[:height, :width] = ~seen.clipped
        return cls(light, known, clipped, (height, width))

    @property
    def size(self) -> tuple[int, int]:
        """Rows and columns of the whole canvas."""
        return self.light.shape[0], self.light.shape[1]

    def filled(self, predicted: Float[Tensor, "rows columns"]) -> Float[Tensor, "rows columns"]:
        """The record where it is known; elsewhere what the present estimate predicts, not below a clipped value."""
        lower = torch.where(self.clipped, torch.maximum(predicted, self.light), predicted)
        return torch.where(self.known, self.light, lower)


def gradients(
    image: Float[Tensor, "height width"],
) -> tuple[Float[Tensor, "height width"], Float[Tensor, "height width"]]:
    """Forward differences to the right and downwards, wrapping around.

    Example:
        >>> gradients(torch.tensor([[0.0, 1.0], [0.0, 1.0]]))[0].tolist()
        [[1.0, -1.0], [1.0, -1.0]]
    """
    return torch.roll(image, -1, 1) - image, torch.roll(image, -1, 0) - image


def _window_means(
    values: Float[Tensor, "height width"], window: tuple[int, int], step: int
) -> Float[Tensor, "rows columns"]:
    """The mean in each window, one every ``step`` pixels."""
    cells = tuple(step if side % step == 0 else 1 for side in window)
    # cells are summed once, and not anew in each of the windows that share them
    small = torch.nn.functional.avg_pool2d(values[None, None], cells)
    of_cells = tuple(side // cell for side, cell in zip(window, cells, strict=True))
    strides = tuple(step // cell for cell in cells)
    return torch.nn.functional.avg_pool2d(small, of_cells, strides)[0, 0]


def _cut_off(light: Tensor, clipped: Tensor) -> bool:
    """Whether bright areas end the way a full sensor does: blurred white fades in softly, a clipped lamp is cut off."""
    across, down = gradients(light)
    slope = torch.hypot(across, down)
    touching, around = (dilate(clipped.to(light), reach) > 0 for reach in (1, 2))
    rim = slope[around & ~touching]
    if not len(rim):
        return bool(clipped.any())
    steep = torch.quantile(slope[~clipped][:: max(1, slope.numel() // 2**20)], 0.95)
    return bool(rim.mean() > _CUT_OFF * steep)


def _ramp(image: Tensor, length: int) -> Tensor:
    """Extend the rows to ``length`` by a straight ramp from the last one to the first."""
    part = torch.linspace(0, 1, length - image.shape[0] + 2).to(image)[1:-1, None]
    return torch.cat([image, (1 - part) * image[-1] + part * image[0]])

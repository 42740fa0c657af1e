"""The part of a photograph that is looked at, as the priors want it."""

from dataclasses import dataclass, replace

from jaxtyping import Float
from torch import Tensor

from nightsharp.methods.map_psf.observation import Observation
from nightsharp.optics import estimate_sigma

SIDE = 384
"""Of the region in which a PSF is looked for, pixels.

Four of Pan's low-illumination images, mean: 28.2 dB, and 26.2 when the PSF was fitted once more on 640, where more of
the scene is lamps and their trails.
"""

# The contrast for which the priors were set, and the most by which a photograph is raised to it: its noise comes along.
_CONTRAST, _MOST_GAIN = 0.17, 20


@dataclass(frozen=True)
class Region:
    """The most informative part of a photograph at the contrast for which the priors were set.

    Attributes:
        seen: its luma.
        noise: standard deviation of its noise, on the same scale.
    """

    seen: Observation
    noise: float

    @classmethod
    def of(
        cls,
        photo: Float[Tensor, "channel height width"],
        saturation: float,
        *,
        sigma: float | None = None,
        side: int = SIDE,
    ) -> "Region":
        """Choose and scale it.

        Args:
            photo: 1 or 3 channels, range [0, 1].
            saturation: the value from which a pixel counts as clipped.
            sigma: standard deviation of the noise; that of the luma, which averages the channels', when None.
            side: of the region, at most.
        """
        seen = Observation.of(photo, saturation).informative(side)
        known = seen.light[~seen.clipped]
        spread = float(known.std(correction=0)) if len(known) else 0.0
        gain = _CONTRAST / max(spread, _CONTRAST / _MOST_GAIN)
        measured = float(estimate_sigma(seen.light[None, None])) if sigma is None else sigma
        return cls(replace(seen, light=seen.light * gain), gain * measured)

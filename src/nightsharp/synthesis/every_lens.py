"""PSFs of every kind: shake of three laws, lines, defocus, softness, and next to none."""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from nightsharp.errors import RecipeError
from nightsharp.optics.splat import splat
from nightsharp.synthesis.apertures import apertures, soft, softened
from nightsharp.synthesis.mixture import by_kind, drawn_kinds, log_uniform, uniform
from nightsharp.synthesis.trajectories.hand import HeldCamera, hand_paths
from nightsharp.synthesis.trajectories.markovian import markovian_paths
from nightsharp.synthesis.trajectories.rotating import rotating_paths
from nightsharp.synthesis.trajectories.scaling import densified, scaled_to

# hand, rotating velocity, Markovian, line, defocus, soft, hardly any
_SHARES = (0.3, 0.25, 0.1, 0.1, 0.13, 0.06, 0.06)
_SMALLEST = 3


@dataclass(frozen=True)
class EveryLens:
    """Draws PSFs of all kinds and sizes: from 3 pixels to the largest, small ones as often as large ones by ratio.

    The centroid of a PSF lies at its centre. Half of the motion PSFs are softened by a lens.

    Attributes:
        largest: side of the PSFs, odd, 5 to 255.

    Raises:
        RecipeError: ``largest`` is even or outside its range.

    Example:
        >>> EveryLens(31)(4, torch.Generator().manual_seed(0)).shape
        torch.Size([4, 1, 31, 31])
    """

    largest: int = 61

    def __post_init__(self) -> None:
        """Check at the door."""
        if not 5 <= self.largest <= 255 or self.largest % 2 == 0:
            raise RecipeError(f"largest_psf is {self.largest}; give an odd number of pixels from 5 to 255.")

    def __call__(self, count: int, generator: torch.Generator) -> Float[Tensor, "count 1 k k"]:
        """Draw PSFs."""
        kinds = drawn_kinds(count, _SHARES, generator=generator)
        # a path that reaches half a pixel less than the square keeps its bilinear taps inside
        reach = log_uniform(_SMALLEST, self.largest, count, generator=generator) / 2 - 0.5

        def moved(paths: Tensor, chosen: Tensor) -> Tensor:
            kernels = splat(scaled_to(paths, reach[chosen]), self.largest).float()
            sigma = uniform(0.3, 0.9, len(chosen), generator=generator)
            sharp_lens = torch.rand(len(chosen), generator=generator) < 0.5
            return softened(kernels, sigma.masked_fill(sharp_lens, 0))

        def hand(chosen: Tensor) -> Tensor:
            return moved(densified(hand_paths(_held(len(chosen), generator), generator=generator), 4), chosen)

        def rotating(chosen: Tensor) -> Tensor:
            return moved(densified(rotating_paths(len(chosen), generator=generator), 4), chosen)

        def markovian(chosen: Tensor) -> Tensor:
            return moved(markovian_paths(len(chosen), generator=generator), chosen)

        def line(chosen: Tensor) -> Tensor:
            angle = uniform(0, math.pi, len(chosen), generator=generator)
            way = torch.linspace(-1, 1, 8 * self.largest)[:, None]
            return moved(way * torch.stack([angle.sin(), angle.cos()], dim=1)[:, None], chosen)

        def defocus(chosen: Tensor) -> Tensor:
            many = len(chosen)
            blades = torch.randint(5, 10, (many,), generator=generator).float()
            blades = blades.masked_fill(torch.rand(many, generator=generator) < 0.5, 0)
            turn = uniform(0, 2 * math.pi, many, generator=generator)
            # defocus as large as the largest shake leaves nothing to find
            return softened(
                apertures(0.5 + 0.7 * reach[chosen], blades, turn, self.largest),
                uniform(0, 0.6, many, generator=generator),
            )

        def softness(chosen: Tensor) -> Tensor:
            return soft(0.4 + reach[chosen] / 5, self.largest)

        def hardly_any(chosen: Tensor) -> Tensor:
            return soft(uniform(0, 0.5, len(chosen), generator=generator), self.largest)

        return by_kind(kinds, (hand, rotating, markovian, line, defocus, softness, hardly_any))


def _held(count: int, generator: torch.Generator) -> HeldCamera:
    """Telephones and cameras at night; the path is brought to its size afterwards, so only its shape matters."""
    focal = log_uniform(1500, 6000, count, generator=generator)
    return HeldCamera(
        exposure=log_uniform(1 / 30, 1.0, count, generator=generator),
        focal=focal,
        place=(torch.rand(count, 2, generator=generator) - 0.5) * focal[:, None],
        distance=log_uniform(1.0, 30.0, count, generator=generator),
        unsteadiness=torch.ones(count),
    )

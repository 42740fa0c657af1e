"""PSFs as an estimator would find them: turned, stretched, moved, softened, speckled."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import affine_grid, grid_sample

from nightsharp.synthesis.apertures import softened
from nightsharp.synthesis.mixture import uniform


@dataclass(frozen=True)
class Doubt:
    """Tells a method the true PSF of some pairs and a wrong one of the others.

    A wrong one is up to 4 degrees turned, 5 % stretched, 0.6 pixels moved and 0.9 pixels softened; its taps are off by
    up to 30 %, weak ones are lost, and specks of light appear where there were none.

    Attributes:
        share: of the pairs whose PSF is wrong, 0 to 1.

    Example:
        >>> true = torch.zeros(2, 1, 9, 9); true[..., 4, 2:7] = 0.2
        >>> told = Doubt(1.0)(true, torch.Generator().manual_seed(0))
        >>> bool((told != true).any()), bool((told.sum((-2, -1)) - 1).abs().max() < 1e-5)
        (True, True)
    """

    share: float

    def __call__(self, psf: Float[Tensor, "batch 1 k k"], generator: torch.Generator) -> Float[Tensor, "batch 1 k k"]:
        """What the method is told."""
        wrong = (torch.rand(len(psf), generator=generator) < self.share).nonzero()[:, 0]
        if not len(wrong):
            return psf
        told = psf.clone()
        told[wrong.to(psf.device)] = _mistaken(psf[wrong.to(psf.device)].cpu(), generator).to(psf)
        return told


def _mistaken(psf: Tensor, generator: torch.Generator) -> Tensor:
    count, side = len(psf), psf.shape[-1]

    def around(most: float) -> Tensor:
        # small mistakes are more frequent than large ones
        return uniform(-1, 1, count, generator=generator) ** 3 * most

    turn, stretch = torch.deg2rad(around(4)), 1 + around(0.05)
    cosine, sine = turn.cos() * stretch, turn.sin() * stretch
    down, right = (around(0.6) * 2 / side for _ in range(2))
    turning = torch.stack([torch.stack([cosine, -sine, right], -1), torch.stack([sine, cosine, down], -1)], 1)
    moved = grid_sample(psf, affine_grid(turning, list(psf.shape), align_corners=False), align_corners=False)
    wide = softened(moved.clamp_min(0) + 1e-12, around(0.9).abs())
    peak = wide.amax((-2, -1), keepdim=True)
    rough = around(0.3).abs()[:, None, None, None]
    taps = wide * (1 + rough * torch.randn(psf.shape, generator=generator))
    specks = torch.rand(psf.shape, generator=generator) < 2 / side**2
    taps = taps + specks * (around(0.15).abs()[:, None, None, None] * peak)
    lost = around(0.05).abs()[:, None, None, None] * peak
    taps = torch.where(taps < lost, 0, taps)
    return taps / taps.sum((-2, -1), keepdim=True)

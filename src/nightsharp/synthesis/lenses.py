"""PSF generators by name."""

from nightsharp.errors import RecipeError
from nightsharp.synthesis.every_lens import EveryLens
from nightsharp.synthesis.pipeline import Lens
from nightsharp.synthesis.recipes.dwdn import motion_psfs
from nightsharp.synthesis.trajectories.markovian import markovian_psfs
from nightsharp.synthesis.trajectories.rotating import rotating_psfs

LENSES: dict[str, Lens] = {
    "every": EveryLens(),
    "rotating": lambda count, generator: rotating_psfs(count, generator=generator),
    "markovian": lambda count, generator: markovian_psfs(count, generator=generator),
    "motion": motion_psfs,
}


def lens(kind: str) -> Lens:
    """A PSF generator.

    Args:
        kind: ``"every"`` (night's: all kinds, 61 x 61), ``"rotating"`` (INFWIDE's, 37 x 37), ``"markovian"``
            (DeblurGAN's, 65 x 65) or ``"motion"`` (dwdn's, 35 x 35).

    Raises:
        RecipeError: the kind is unknown.

    Example:
        >>> import torch
        >>> lens("motion")(2, torch.Generator().manual_seed(0)).shape
        torch.Size([2, 1, 35, 35])
    """
    if kind not in LENSES:
        raise RecipeError(f"PSFs of kind {kind!r} are unknown. Choose one of {', '.join(LENSES)}.")
    return LENSES[kind]

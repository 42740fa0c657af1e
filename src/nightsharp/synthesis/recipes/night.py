"""Everything mixed: what a method meets that must work on any photograph."""

from nightsharp.errors import RecipeError
from nightsharp.synthesis.doubt import Doubt
from nightsharp.synthesis.every_lens import EveryLens
from nightsharp.synthesis.night_camera import night_camera
from nightsharp.synthesis.night_look import night_look
from nightsharp.synthesis.pipeline import Pipeline

_WRONG_PSFS = 0.4
_MONOCHROME = 0.3


def night(largest_psf: float = 61) -> Pipeline:
    """Our own data: PSFs, light, lamps, noise and storage of every kind, colour or not, a PSF that may be wrong.

    No border is assumed: sharp crops are larger than the pairs by ``largest_psf - 1``. Lamps are brighter than white
    before the blur, so that their streaks are cut off afterwards, as a sensor does.

    Args:
        largest_psf: side of the PSFs, odd, 5 to 255.

    Raises:
        RecipeError: ``largest_psf`` is even, no whole number, or outside its range.

    Example:
        >>> import torch
        >>> recipe = night(largest_psf=31)
        >>> side = recipe.source_side(64)
        >>> pairs = recipe.pairs(torch.rand(2, 3, side, side), generator=torch.Generator().manual_seed(0))
        >>> side, pairs.blurred.shape, pairs.assumed_psf.shape
        (94, torch.Size([2, 3, 64, 64]), torch.Size([2, 1, 31, 31]))
    """
    if not float(largest_psf).is_integer():
        raise RecipeError(f"largest_psf is {largest_psf}; give an odd number of pixels.")
    lens = EveryLens(int(largest_psf))
    return Pipeline(
        name="night",
        lens=lens,
        camera=night_camera,
        look=night_look,
        belief=Doubt(_WRONG_PSFS),
        margin=lens.largest // 2,
        monochrome=_MONOCHROME,
    )

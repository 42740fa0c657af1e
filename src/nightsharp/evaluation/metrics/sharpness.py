"""How sharp an image is, without a truth."""

from jaxtyping import Float
from skimage.measure import blur_effect
from torch import Tensor

from nightsharp.errors import PhotoError
from nightsharp.evaluation.metrics._arrays import grey

_WINDOW = 11


def sharpness(image: Float[Tensor, "channel height width"]) -> float:
    """One minus the blur effect: how much the differences between neighbours change when the image is blurred again.

    Args:
        image: grey or colour (its luma is looked at).

    Returns:
        0 (blurred) to 1 (sharp). Noise counts as sharp.

    Raises:
        PhotoError: the image is smaller than the blur's window.

    Example:
        >>> import torch
        >>> 0.8 < sharpness(torch.rand(1, 64, 64)) <= 1
        True

    Source: Crete, Dolmiere, Ladret and Nicolas, 2007; the computation is scikit-image's.
    """
    values = grey(image)
    if min(values.shape) < _WINDOW:
        raise PhotoError(
            f"the image is {values.shape[0]} x {values.shape[1]}; sharpness needs {_WINDOW} x {_WINDOW} at least."
        )
    # one number where, as here, its axes are combined
    return 1.0 - float(blur_effect(values, h_size=_WINDOW))  # pyright: ignore[reportArgumentType]

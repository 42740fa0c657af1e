"""A batch of training pairs."""

from dataclasses import dataclass, fields

import torch
from jaxtyping import Float
from torch import Tensor


@dataclass(frozen=True, eq=False)
class Pairs:
    r"""Sharp images, what a camera recorded of them, and what is known of the blur.

    .. math:: y = \mathrm{record}(k * x)

    Attributes:
        sharp: x, what a method should find, range [0, 1]; lamps beyond white are cut off at 1.
        clean: ``k * x`` before noise, range [0, 1]. Lamps were spread before they were cut off, so a trail of light is
            brighter here than the PSF makes it of ``sharp``.
        blurred: y, as recorded.
        psf: k, non-negative, sum 1, centre at ``(k // 2, k // 2)``.
        assumed_psf: the PSF that a method is given: k itself, or k as an estimator would miss it.
        sigma: root mean square of ``blurred - clean`` where ``clean`` is not saturated: the noise, in the range of
            ``blurred``.

    Example:
        >>> image, psf = torch.rand(2, 3, 8, 8), torch.ones(2, 1, 1, 1)
        >>> pairs = Pairs(image, image, image, psf, psf, torch.zeros(2, 1, 1, 1))
        >>> len(pairs), pairs.to("cpu").blurred.shape
        (2, torch.Size([2, 3, 8, 8]))
    """

    sharp: Float[Tensor, "batch channel height width"]
    clean: Float[Tensor, "batch channel height width"]
    blurred: Float[Tensor, "batch channel height width"]
    psf: Float[Tensor, "batch 1 k k"]
    assumed_psf: Float[Tensor, "batch 1 k k"]
    sigma: Float[Tensor, "batch 1 1 1"]

    def __len__(self) -> int:
        """How many pairs."""
        return self.sharp.shape[0]

    def to(self, device: torch.device | str) -> "Pairs":
        """The same pairs on a device.

        Args:
            device: where to.
        """
        return Pairs(*(getattr(self, field.name).to(device, non_blocking=True) for field in fields(self)))

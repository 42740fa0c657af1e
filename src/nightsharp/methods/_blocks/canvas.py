"""The canvas: a photograph with room around it for the light that came from outside, and what each pixel is worth."""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Complex, Float
from torch import Tensor

from nightsharp.optics import psf_to_otf
from nightsharp.optics.fourier import check_fits, fast_size

CLIPPED = 0.98
"""From this value on (display range) a pixel is taken as saturated; JPEG and demosaicing pull clipped lamps below 1."""


def trust(
    blurred: Float[Tensor, "batch channel height width"], clip: float | None = CLIPPED
) -> Float[Tensor, "batch channel height width"]:
    """The weight of each pixel in a data term: 1, and 0 where the sensor was saturated.

    A saturated pixel says only "at least this bright"; as an equation it is wrong, and one wrong lamp rings through
    the whole picture.

    Args:
        blurred: range [0, 1].
        clip: the value from which a pixel counts as saturated; None trusts all.

    Example:
        >>> trust(torch.tensor([[[[0.2, 0.99]]]])).tolist()
        [[[[1.0, 0.0]]]]
    """
    if clip is None:
        return torch.ones_like(blurred)
    return (blurred < clip).to(blurred.dtype)


@dataclass(frozen=True)
class Canvas:
    """A photograph on a larger field, ready for Fourier transforms.

    The field has room for one PSF between each edge and, around the wrap, the opposite one. Out there nothing was
    recorded, so the weight is 0 and the latent image is free: the border needs no assumption (Almeida and Figueiredo
    2013). The field starts as a smooth passage from edge to opposite edge, so that the first steps ring little.

    Attributes:
        observed: the photograph in the top left corner, the passage around it.
        known: the trust in each pixel, at most 1; 0 around the photograph.
        saturated: where the record says only "at least this bright".
        otf: transfer function for the canvas.
        point: the PSF is one pixel, which blurs nothing, so that A is the identity.
        inner: (height, width) of the photograph.
    """

    observed: Float[Tensor, "batch channel rows columns"]
    known: Float[Tensor, "batch channel rows columns"]
    saturated: Bool[Tensor, "batch channel rows columns"]
    otf: Complex[Tensor, "#batch 1 rows half"]
    point: bool
    inner: tuple[int, int]

    @classmethod
    def around(
        cls,
        blurred: Float[Tensor, "batch channel height width"],
        psf: Float[Tensor, "#batch 1 kh kw"],
        clip: float | None = CLIPPED,
        weight: Float[Tensor, "batch channel height width"] | None = None,
    ) -> "Canvas":
        """Lay a photograph out.

        Args:
            blurred: range [0, 1].
            psf: convolution kernels, sum 1, not larger than the image.
            clip: the value from which a pixel counts as saturated; None trusts all.
            weight: how far each pixel can be trusted beside the others, in [0, 1]; fully when None.

        Raises:
            PsfError: the PSF is larger than the image.
        """
        height, width = blurred.shape[-2:]
        kh, kw = psf.shape[-2:]
        check_fits((kh, kw), (height, width))
        rows, columns = fast_size(height + kh + 1, width + kw + 1)
        observed = _passage(_passage(blurred, rows).mT, columns).mT.contiguous()
        known = torch.zeros_like(observed)
        known[..., :height, :width] = 1 if weight is None else weight
        saturated = trust(observed, clip) == 0
        saturated[..., height:, :] = False
        saturated[..., width:] = False
        otf = psf_to_otf(psf.to(blurred), (rows, columns))
        return cls(observed, known, saturated, otf, max(kh, kw) == 1, (height, width))

    def lacking(self, estimate: Float[Tensor, "batch channel height width"]) -> Tensor:
        r"""The residual :math:`e = w\,(y - k * x)` of an estimate, on the canvas.

        It is 0 where nothing was recorded, so that a division of it knows no border; where the sensor was saturated it
        is what the estimate lacks to reach the recorded value, and 0 when it exceeds it.

        Args:
            estimate: x, as large as the photograph.
        """
        height, width = self.inner
        size = (self.observed.shape[-2], self.observed.shape[-1])
        # what stands beyond the estimate matters within one PSF of its edge; the canvas' own passage is as good a guess
        # as any, and ``restore`` gives the estimate a rim of its own there
        guess = self.observed.clone()
        guess[..., :height, :width] = estimate
        lacking = self.observed - torch.fft.irfft2(torch.fft.rfft2(guess) * self.otf, s=size)
        return torch.where(self.saturated, lacking.clamp_min(0), lacking) * self.known

    def cut(self, image: Float[Tensor, "batch channel rows columns"]) -> Float[Tensor, "batch channel height width"]:
        """The part of the canvas that the photograph covers."""
        height, width = self.inner
        return image[..., :height, :width].contiguous()


def _passage(image: Tensor, rows: int) -> Tensor:
    """Extend downwards to ``rows``, passing smoothly from the last row to the first."""
    room = rows - image.shape[-2]
    way = torch.arange(1, room + 1, dtype=image.dtype, device=image.device)[:, None] / (room + 1)
    ease = way.square() * (3 - 2 * way)
    return torch.cat([image, torch.lerp(image[..., -1:, :], image[..., :1, :], ease)], dim=-2)

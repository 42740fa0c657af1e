"""The factor that a Richardson-Lucy step multiplies with."""

import torch
from jaxtyping import Float
from torch import Tensor

from nightsharp.methods._blocks import Canvas

# A latent pixel that hardly any recorded pixel sees keeps its value: without this its factor would be 0 / 0.
_UNSEEN = 1e-3
_DARKEST = 1e-6


class Correction:
    r"""Back-projection of the ratio, normalised by how much of each latent pixel was recorded.

    .. math:: \frac{A^\top (w\, r)}{A^\top w}, \qquad r = \frac{y + o}{A x + o}

    Args:
        canvas: the photograph, its weights and its OTF.
        pedestal: the offset o, per image.
    """

    def __init__(self, canvas: Canvas, pedestal: Float[Tensor, "batch 1 1 1"]) -> None:
        self._canvas = canvas
        self._size = (canvas.observed.shape[-2], canvas.observed.shape[-1])
        self._adjoint = canvas.otf.conj().resolve_conj()
        self._pedestal = pedestal
        self._seen = (canvas.observed + pedestal) * canvas.known
        self._one_sided = bool(canvas.saturated.any())
        self._share = self.share(canvas.known)

    def blur(self, latent: Float[Tensor, "batch channel rows columns"]) -> Float[Tensor, "batch channel rows columns"]:
        """A x on the canvas."""
        return torch.fft.irfft2(torch.fft.rfft2(latent).mul_(self._canvas.otf), s=self._size)

    def share(self, weight: Float[Tensor, "#batch #channel rows columns"]) -> Float[Tensor, "batch _ rows columns"]:
        """A^T w: how much of each latent pixel was recorded, by weight."""
        return torch.fft.irfft2(torch.fft.rfft2(weight) * self._adjoint, s=self._size).add_(_UNSEEN)

    def ratio(self, latent: Float[Tensor, "batch channel rows columns"]) -> Float[Tensor, "batch channel rows columns"]:
        """Seen over predicted, 0 where nothing was recorded; at a clipped pixel 1 if predicted bright enough."""
        ratio = self._seen / self.blur(latent).add_(self._pedestal).clamp_min_(_DARKEST)
        if self._one_sided:
            # the ratio carries the weight, so 1 is the weight itself
            ratio = torch.where(self._canvas.saturated, torch.maximum(ratio, self._canvas.known), ratio)
        return ratio

    def __call__(
        self,
        ratio: Float[Tensor, "batch channel rows columns"],
        share: Float[Tensor, "#batch #channel rows columns"] | None = None,
    ) -> Float[Tensor, "batch channel rows columns"]:
        """The factor for a weighted ratio and the share of its weights; those of the canvas when None."""
        back = torch.fft.irfft2(torch.fft.rfft2(ratio).mul_(self._adjoint), s=self._size)
        return back.add_(_UNSEEN).clamp_min_(0).div_(self._share if share is None else share)

"""What can be measured on a result without its truth."""

import math
from dataclasses import dataclass
from types import EllipsisType

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn import functional

from nightsharp.methods._blocks import dilate
from nightsharp.methods.wiener import wiener
from nightsharp.optics import Blur, Psf, estimate_sigma
from nightsharp.restore.guard.mark import Mark, find_mark

# how far the input's local range is looked for, pixels
_REACH = 12
_NOISES_ALLOWED = 4.0
_PART_OF_BLUR_ALLOWED = 0.5
# 8-bit rounding in the darks, as a floor of what can be asked
_FLOOR = 1 / 255
_BOX = 5
# the wrap of a division reaches one PSF far; less than this beside it says nothing
_ROOM = 64
_LEAST_NOISE = 0.002
_NOISIER = 1.5
# the part of a tile's votes that can speak for it
_ENOUGH = 0.25


@dataclass(frozen=True)
class Scores:
    """Everything that is known about one tile.

    Attributes:
        mark: the mark of the PSF in the spectrum of the input.
        overshoot: log of the root mean square by which the result leaves the input's local range, over the contrast.
        mirror: log of the gradients' sparsity in a Wiener division by the PSF over that in one by the PSF turned upside
            down; negative speaks for the PSF, positive for its mirror image, 0 for neither.
        sparsity: log of (mean over root mean square of the gradients), result against input; ringing raises it.
        unexplained: log of the re-blur residual over the residual of doing nothing.
        smoothness: part of the re-blur residual's energy that a 5 x 5 mean leaves; white noise leaves 1/25.
        noise: log of the noise's standard deviation over the residual of doing nothing; 0 where that is all noise, and
            then any restoration is cleaner than the input.
        misfit: mean absolute re-blur residual where nothing is saturated.
        allowed: the largest misfit that counts as explained.
        overshoot_map: the overshoot squared, at every pixel.
        misfit_map: the absolute residual at every pixel, 0 where it has no vote.
        votes: where the residual has a vote.
    """

    mark: Mark
    mirror: float
    overshoot: float
    sparsity: float
    unexplained: float
    smoothness: float
    noise: float
    misfit: float
    allowed: float
    overshoot_map: Float[Tensor, "1 1 height width"]
    misfit_map: Float[Tensor, "1 1 height width"]
    votes: Float[Tensor, "1 1 height width"]


@dataclass(frozen=True)
class Input:
    """What the scores of a tile need of the input and the PSF alone: looked at once, whatever results are judged.

    Attributes:
        grey: mean of the channels.
        psf: with its centroid at its centre.
        white: the brightest that the result is compared at.
        contrast: standard deviation of ``grey``.
        mark: the mark of the PSF in the spectrum.
        mirror: see ``Scores``.
        ceiling: the largest value about each pixel.
        floor: the smallest value about each pixel.
        inside: where the re-blurred result needs nothing from beyond the border.
        reblur: what blurs a result as the input was, inside.
        votes: where the residual has a vote, inside.
        count: sum of the votes.
        lost: root mean square of the residual of doing nothing.
        noise: standard deviation of the noise of ``grey``.
        allowed: the largest misfit that counts as explained.
    """

    grey: Float[Tensor, "1 1 height width"]
    psf: Psf
    white: float
    contrast: float
    mark: Mark
    mirror: float
    ceiling: Float[Tensor, "1 1 height width"]
    floor: Float[Tensor, "1 1 height width"]
    inside: tuple[EllipsisType, slice, slice]
    reblur: Blur
    votes: Float[Tensor, "1 1 inner_height inner_width"]
    count: float
    lost: float
    noise: float
    allowed: float

    @classmethod
    def of(
        cls,
        blurred: Float[Tensor, "1 channel height width"],
        psf: Psf,
        sigma: Float[Tensor, "1 channel 1 1"],
        clip: float | None,
        weight: Float[Tensor, "1 channel height width"] | None = None,
    ) -> "Input | None":
        """Look at a tile.

        Args:
            blurred: the input, moved to where the result lies (see ``follow``).
            psf: as ``follow`` gives it, its centroid at its centre.
            sigma: the noise that the method worked with.
            clip: from this value on a pixel counts as saturated; None trusts all.
            weight: how far each pixel can be trusted beside the others, in (0, 1]; fully when None.

        Returns:
            What was seen, or None where the tile has no room for the PSF or its mark.
        """
        height, width = blurred.shape[-2:]
        kh, kw = psf.size
        if kh >= height - 2 * _BOX or kw >= width - 2 * _BOX:
            return None
        usable = torch.ones_like(blurred[:, :1], dtype=torch.bool)
        if clip is not None:
            usable = (blurred < clip).all(1, keepdim=True)
        grey = blurred.mean(1, keepdim=True)
        noise = float(estimate_sigma(blurred).mean())
        mark = find_mark(grey, usable, psf, noise)
        if mark is None:
            return None
        reach = max(1, min(max(kh, kw) // 2 + 1, _REACH))
        top, left = kh - 1 - kh // 2, kw - 1 - kw // 2
        inside = (..., slice(top, top + height - kh + 1), slice(left, left + width - kw + 1))
        votes = (1 - dilate((~usable).float(), max(kh, kw) // 2))[inside]
        if weight is not None:
            votes = votes * weight.mean(1, keepdim=True)[inside]
        reblur = Blur(psf, boundary="valid")
        idle = (reblur(grey) - grey[inside]).mul_(votes)
        count = float(votes.sum().clamp_min(1))
        return cls(
            grey=grey,
            psf=psf,
            white=max(1.0, float(blurred.max())),
            contrast=float(grey.std(correction=0)) + 1e-6,
            mark=mark,
            mirror=_mirror(grey, psf, noise),
            ceiling=dilate(grey, reach),
            floor=-dilate(-grey, reach),
            inside=inside,
            reblur=reblur,
            votes=votes,
            count=count,
            lost=math.sqrt(float(idle.square().sum()) / count),
            noise=float(estimate_sigma(grey)),
            allowed=max(
                _NOISES_ALLOWED * float(sigma.mean()), _PART_OF_BLUR_ALLOWED * float(idle.abs().sum()) / count, _FLOOR
            ),
        )

    def scores(
        self,
        sharp: Float[Tensor, "1 channel height width"],
        believed: Bool[Tensor, "1 1 height width"] | None = None,
    ) -> Scores:
        """Measure a result.

        Args:
            sharp: the result, finite, of the input's size.
            believed: where it is what the method made of the input; there alone the re-blurred result has to explain
                the input. Everywhere when None, or where that leaves too little.
        """
        height, width = sharp.shape[-2:]
        _, rows, columns = self.inside
        found = sharp.clamp_max(self.white).mean(1, keepdim=True)
        over = (found - self.ceiling).clamp_min_(0) + (self.floor - found).clamp_min_(0)
        over = over.square_()
        # a lamp beyond white is what explains its trail
        residual = self.reblur(sharp.mean(1, keepdim=True))
        votes, count = self.votes, self.count
        if believed is not None:
            left = votes * (1 - dilate((~believed).float(), max(self.psf.size) // 2))[self.inside]
            if float(left.sum()) > _ENOUGH * count:
                votes, count = left, float(left.sum())
        residual = residual.sub_(self.grey[self.inside]).mul_(votes)
        missed = math.sqrt(float(residual.square().sum()) / count)
        edges = (columns.start, width - columns.stop, rows.start, height - rows.stop)
        return Scores(
            mark=self.mark,
            mirror=self.mirror,
            overshoot=math.log(math.sqrt(float(over.mean())) / self.contrast + 1e-4),
            sparsity=math.log(_sparsity(found) / _sparsity(self.grey)),
            unexplained=_nepers(missed, self.lost),
            smoothness=_smoothness(residual),
            noise=_nepers(self.noise, self.lost),
            misfit=float(residual.abs().sum()) / count,
            allowed=self.allowed,
            overshoot_map=over / self.contrast**2,
            misfit_map=functional.pad(residual.abs_(), edges),
            votes=functional.pad(votes, edges),
        )


def follow(
    image: Float[Tensor, "1 channel height width"], psf: Psf
) -> tuple[Float[Tensor, "1 channel height width"], Psf]:
    """Move an image by the whole pixels that a PSF's centroid lies off its centre, as a restoration moves.

    Returns:
        The image, and the PSF with its centroid within half a pixel of its centre, which blurs as much.

    Example:
        >>> image = torch.arange(4.0).reshape(1, 1, 1, 4)
        >>> moved, psf = follow(image, Psf.from_tensor(torch.tensor([[0.0, 0.0, 1.0]])))
        >>> moved.flatten().tolist(), psf.quality().offset
        ([1.0, 2.0, 3.0, 3.0], (0.0, 0.0))
    """
    row, column = (round(offset) for offset in psf.quality().offset)
    if not row and not column:
        return image, psf
    # zeros on one side carry the centre towards it
    room = (max(0, -2 * column), max(0, 2 * column), max(0, -2 * row), max(0, 2 * row))
    rows = (torch.arange(image.shape[-2]) + row).clamp(0, image.shape[-2] - 1)
    columns = (torch.arange(image.shape[-1]) + column).clamp(0, image.shape[-1] - 1)
    moved = image[..., rows.to(image.device), :][..., columns.to(image.device)]
    return moved, Psf(functional.pad(psf.kernel, room))


def _mirror(grey: Tensor, psf: Psf, noise: float) -> float:
    """The spectrum's power is blind to a PSF turned by 180 degrees; the edges of the division are not."""
    kernel = psf.centred().kernel[None, None].to(grey)
    height, width = grey.shape[-2:]
    if torch.allclose(kernel, kernel.flip((-2, -1)), atol=1e-6):
        return 0.0
    rim = max(kernel.shape[-2:]) // 2
    if min(height, width) - 2 * rim < _ROOM:
        return 0.0
    inside = (..., slice(rim, height - rim), slice(rim, width - rim))
    level = _NOISIER * max(noise, _LEAST_NOISE)
    upright, turned = (
        _sparsity(wiener(grey, taps, sigma=level, clip=None, iterations=1)[inside])
        for taps in (kernel, kernel.flip((-2, -1)))
    )
    return math.log(upright / turned)


def _nepers(one: float, other: float) -> float:
    return math.log((one + 1e-5) / (other + 1e-5))


def _smoothness(residual: Tensor) -> float:
    centred = residual - residual.mean()
    smooth = functional.avg_pool2d(functional.avg_pool2d(centred, (_BOX, 1), 1), (1, _BOX), 1)
    return float(smooth.square().mean()) / (float(centred.square().mean()) + 1e-12)


def _sparsity(image: Tensor) -> float:
    corner = image[..., :-1, :-1]
    steepness = (image[..., 1:, :-1] - corner).square() + (image[..., :-1, 1:] - corner).square() + 1e-10
    return float(steepness.sqrt().mean() / steepness.mean().sqrt())

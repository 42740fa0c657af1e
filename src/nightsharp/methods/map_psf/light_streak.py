"""The PSF that small lamps draw: under camera shake each becomes a bright trail on dark ground, in the PSF's shape."""

import math
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from nightsharp.errors import PsfError
from nightsharp.methods._blocks import CLIPPED
from nightsharp.methods.map_psf.confidence import similarity
from nightsharp.methods.map_psf.kernel import centred, cleaned, kernel_step
from nightsharp.methods.map_psf.latent import latent_step, noise_weight
from nightsharp.methods.map_psf.observation import Canvas
from nightsharp.methods.map_psf.region import Region
from nightsharp.methods.map_psf.sharpening import Sharpening
from nightsharp.methods.map_psf.trails import LARGEST_SIDE, Box, cut_trail, find_trails, largest_blob
from nightsharp.optics import Blur, Psf, gaussian
from nightsharp.optics.fourier import fast_size

_MOST_TRAILS, _AT_ONCE = 60, 4
# Trails this similar are one and the same cut twice; this similar, two lamps that saw the same shake.
_SAME, _ALIKE = 0.93, 0.85
# The part of the distinct trails that is averaged and judged again, and the least number.
_PROMISING, _AT_LEAST = 3, 3
# Lamps that agree: so many halve the doubt.
_HALVING = 3
# Few lamps with a good score must not beat many with a fair one. Mean similarity of the first on 32 synthetic night
# images: 0.60, of the best of four 0.64.
_WEIGHT_OF_SCORE = 4
# The gain by which well supported trails were mostly right, on the same images and on 21 real ones by eye.
_EVEN_GAIN = 0.25
# Below this a PSF sharpens nothing; the estimator's own bound.
_LEAST_SCORE = 1.04
# No lamp is a point and no lens is perfect; sigma in pixels of what is taken out of a trail. Mean similarity to the
# true PSF on 32 synthetic night images: 0.599 with nothing taken out, 0.631 with 1; few steps, so that a trail without
# width does not ring.
_LAMP, _LAMP_STEPS = 1.0, 5
_FAINT = 0.03
# The photograph has the last word on the trail: so many alternations, the prior fading as in the estimator.
# 11 synthetic night images of 420 pixels, mean: blurred 21.0 dB, restored with the trail 18.1, with this 22.5. It must
# still explain the trail as that of a lamp of some width: 0.96 to 0.99 where it was right, below 0.9 where not.
_REFINE_REGION, _REFINEMENTS, _REFINE_FROM, _REFINE_TO = 400, 12, 4e-3, 2e-4
_WIDTHS, EXPLAINS = (0.5, 1.0, 1.5, 2.0, 3.0), 0.92
# A trail in a box stands this many standard deviations of the ground above it.
_NOISES = 6.0
# The parts of its peak at which it is cut out: the lowest at which it stands alone.
_LEVELS = (0.05, 0.1, 0.2, 0.3)


@dataclass(frozen=True, eq=False)
class StreakCandidate:
    """A kernel that some lamps of a photograph drew.

    Attributes:
        kernel: an odd side, sum 1, centroid in the middle.
        score: how few gradients the sharp image needs: a point's sparsity over this kernel's; above 1 it sharpens.
        boxes: the trails that agree on it, the most typical first; a lamp may have been cut out at several levels.
    """

    kernel: Float[Tensor, "k k"]
    score: float
    boxes: tuple[Box, ...]

    @property
    def rank(self) -> float:
        """The score weighed by how many trails agree: one blob may look like anything, many do not by chance."""
        return self.score**_WEIGHT_OF_SCORE * self.support

    @property
    def support(self) -> float:
        """From 0 to 1, by how many trails agree."""
        return 1 - 0.5 ** (len(self.boxes) / _HALVING)


@dataclass(frozen=True, eq=False)
class StreakEstimate:
    """What the lamps of a photograph tell about its blur.

    Attributes:
        psf: the PSF.
        confidence: how far to trust it, in [0, 1]; it grows with what the PSF sharpens and with the trails that agree.
        boxes: of the lamps whose trails were averaged, one for each, as (left, top, width, height).
    """

    psf: Psf
    confidence: float
    boxes: tuple[Box, ...]


def from_light_streak(
    photo: Float[Tensor, "channel height width"],
    box: Box | None = None,
    *,
    clip: float = CLIPPED,
    display: Float[Tensor, "channel height width"] | None = None,
) -> StreakEstimate | None:
    """Read the PSF off the trail of a lamp.

    Trails of several lamps that agree are averaged by their median, which leaves out what only one of them shows; the
    lamp's own disc is taken out as a Gaussian of one pixel. Clipped trails are read in the channel clipped least. A few
    alternations of the blind estimator, on its finest scale, then let the edges of the photograph correct the trail.

    Args:
        photo: 1 or 3 channels, range [0, 1], in linear light: there a trail's brightness is the time the lamp spent.
        box: (left, top, width, height) around one trail with some dark ground; None looks for trails.
        clip: the value from which a pixel counts as saturated.
        display: the same photograph in display light, where the edges by which PSFs are judged weigh evenly; ``photo``
            itself when None.

    Returns:
        The PSF, or None where no trail was found that sharpens the photograph; with a box always a PSF.

    Raises:
        PsfError: the box does not lie in the photograph, is too large, or holds no trail on dark ground; or a value is
            not finite.

    Example:
        >>> from nightsharp.optics import Blur, line
        >>> night = torch.zeros(1, 64, 64); night[0, 30, 30] = 5
        >>> trail = from_light_streak(Blur(line(9))(night[None])[0], (20, 20, 24, 20))
        >>> trail.psf.quality().support
        (1, 9)

    Source: Hu et al., "Deblurring low-light images with light streaks", CVPR 2014 (the idea).
    """
    _check(photo)
    photo, display = photo.cpu(), None if display is None else display.cpu()
    if box is not None:
        kernel = _without_lamp(_in_box(photo, box, clip))
        judged = photo if display is None else display
        return _estimate(StreakCandidate(kernel, Sharpening(judged, clip)(kernel), (box,)), judged, clip)
    candidates = streak_candidates(photo, clip=clip, display=display)
    if not candidates or candidates[0].score <= _LEAST_SCORE:
        return None
    return _estimate(candidates[0], photo if display is None else display, clip)


def streak_candidates(
    blurred: Float[Tensor, "channel height width"],
    *,
    clip: float = CLIPPED,
    display: Float[Tensor, "channel height width"] | None = None,
    most: int = 4,
) -> list[StreakCandidate]:
    """The kernels that the lamps of a photograph propose, the most promising first; none where there are no lamps.

    Args:
        blurred: 1 or 3 channels, range [0, 1], best in linear light.
        clip: the value from which a pixel counts as saturated.
        display: the same in display light, for judging; ``blurred`` itself when None.
        most: how many at most.

    Example:
        >>> streak_candidates(torch.full((1, 64, 64), 0.5))
        []
    """
    trails = find_trails(blurred, clip, _MOST_TRAILS)
    if not trails:
        return []
    kernels = [trail.kernel for trail in trails]
    alike = _agreement(kernels)
    distinct: list[int] = []
    for n in range(len(trails)):
        if all(float(alike[n, other]) < _SAME for other in distinct):
            distinct.append(n)
    judge = Sharpening(blurred if display is None else display, clip)
    scores = {n: judge(_square(kernels[n])) for n in distinct}
    seeds = sorted(distinct, key=lambda n: -scores[n])[: max(_AT_LEAST, len(distinct) // _PROMISING)]
    found: list[StreakCandidate] = []
    for seed in seeds:
        agreeing = [n for n in alike[seed].argsort(descending=True).tolist() if alike[seed, n] > _ALIKE]
        kernel = _without_lamp(_consensus([kernels[n] for n in agreeing]))
        # one lamp may have been cut at several levels
        boxes = tuple(dict.fromkeys(trails[n].box for n in agreeing))
        found.append(StreakCandidate(kernel, judge(kernel), boxes))
    found.sort(key=lambda candidate: -candidate.rank)
    kept: list[StreakCandidate] = []
    for candidate in found:
        if all(similarity(candidate.kernel, other.kernel) < _SAME for other in kept):
            kept.append(candidate)
    return kept[:most]


def _estimate(candidate: StreakCandidate, photo: Tensor, clip: float) -> StreakEstimate:
    confidence = 1 - math.exp(-max(0.0, candidate.score - 1) * candidate.support / _EVEN_GAIN)
    kernel = _refined(candidate.kernel, photo, clip)
    if explains(kernel, candidate.kernel) < EXPLAINS:
        kernel = candidate.kernel
    return StreakEstimate(Psf.from_tensor(kernel).centred(), confidence, _lamps(candidate.boxes))


def _lamps(boxes: tuple[Box, ...]) -> tuple[Box, ...]:
    """One box for each lamp: of those about the same place the first, which is the most typical."""

    def holds(box: Box, other: Box) -> bool:
        row, column = other[1] + other[3] / 2, other[0] + other[2] / 2
        return box[0] <= column <= box[0] + box[2] and box[1] <= row <= box[1] + box[3]

    lamps: list[Box] = []
    for box in boxes:
        if not any(holds(box, lamp) or holds(lamp, box) for lamp in lamps):
            lamps.append(box)
    return tuple(lamps)


def _refined(kernel: Float[Tensor, "k k"], photo: Tensor, clip: float) -> Float[Tensor, "s s"]:
    region = Region.of(photo, clip, side=_REFINE_REGION)
    room = kernel.shape[0] // 4 + 2
    kernel = torch.nn.functional.pad(kernel, (room,) * 4)
    if kernel.shape[0] > min(region.seen.light.shape) // 2:
        return kernel
    canvas = Canvas.around(region.seen, kernel.shape[0] - 1)
    for part in torch.linspace(0, 1, _REFINEMENTS).tolist():
        weight = _REFINE_FROM * (_REFINE_TO / _REFINE_FROM) ** part
        latent, filled = latent_step(canvas, kernel, max(weight, noise_weight(region.noise)))
        kernel = centred(cleaned(kernel_step(latent, filled, kernel, least_edge=0, ridge=1.0)))
    return kernel


def explains(kernel: Float[Tensor, "s s"], trail: Float[Tensor, "k k"]) -> float:
    """How well a lamp of the best width under this kernel draws the trail, in [0, 1]; ``EXPLAINS`` and more is well."""
    drawn = []
    for width in _WIDTHS:
        lamp = gaussian(width).kernel[None, None]
        reach = max(lamp.shape)
        drawn.append(Blur(lamp, "circular")(torch.nn.functional.pad(kernel, (reach,) * 4)[None, None])[0, 0])
    return max(similarity(image.clamp_min(0), trail) for image in drawn)


def _in_box(photo: Tensor, box: Box, clip: float) -> Tensor:
    left, top, width, height = box
    rows, columns = photo.shape[-2:]
    named = f"the box {left},{top},{width},{height}"
    if min(width, height) < 3:
        raise PsfError(f"{named} is {width} x {height}; at least 3 x 3 pixels hold a trail. Draw it around one.")
    if min(left, top) < 0 or left + width > columns or top + height > rows:
        raise PsfError(
            f"{named} does not lie in the photograph ({columns} x {rows}). Give left,top,width,height in pixels."
        )
    if max(width, height) > 2 * LARGEST_SIDE:
        raise PsfError(f"{named} is larger than {2 * LARGEST_SIDE} pixels. Draw it closely around one trail.")
    values = photo.numpy()
    light = values[:, top : top + height, left : left + width].mean(0)
    rim = np.concatenate([light[0], light[-1], light[1:-1, 0], light[1:-1, -1]])
    ground = float(np.median(rim))
    # the median of |N(0, 1)| is 0.67
    noise = float(np.median(np.abs(rim - ground))) / 0.67
    peak = float(light.max()) - ground
    blob = None
    for part in _LEVELS:
        blob = largest_blob(light - ground, max(part * peak, _NOISES * noise))
        if blob is None or not _reaches_edge(blob):
            break
    if peak <= 0 or blob is None:
        raise PsfError(f"{named} holds no trail: nothing in it stands out from its ground. Choose a brighter lamp.")
    if _reaches_edge(blob):
        raise PsfError(f"the trail in {named} reaches the edge of the box. Draw it with dark ground all around.")
    trail = cut_trail(values, box, blob, clip)
    if trail is None:
        raise PsfError(f"the ground in {named} is as bright as the trail. Choose a lamp on dark ground.")
    return trail.kernel


def _reaches_edge(blob: np.ndarray) -> bool:
    return bool(blob[0].any() or blob[-1].any() or blob[:, 0].any() or blob[:, -1].any())


def _agreement(kernels: list[Tensor]) -> Float[Tensor, "n n"]:
    """The similarity of each kernel with each."""
    widest = max(max(kernel.shape) for kernel in kernels)
    size = fast_size(2 * widest, 2 * widest)
    spectra = torch.stack([torch.fft.rfft2(kernel / kernel.norm(), s=size) for kernel in kernels])
    alike = torch.zeros(len(kernels), len(kernels))
    for n, one in enumerate(spectra):
        # a few at once, for their memory
        parts = spectra[n:].split(_AT_ONCE)
        alike[n, n:] = torch.cat([torch.fft.irfft2(one * part.conj(), s=size).amax((1, 2)) for part in parts])
    return torch.maximum(alike, alike.T)


def _consensus(kernels: list[Tensor]) -> Float[Tensor, "h w"]:
    """The median of kernels, each moved to where it fits the first best."""
    side = 2 * max(max(kernel.shape) for kernel in kernels)
    first = torch.fft.rfft2(kernels[0], s=(side, side))
    moved = []
    for kernel in kernels:
        match = torch.fft.irfft2(first * torch.fft.rfft2(kernel, s=(side, side)).conj(), s=(side, side))
        place = int(match.argmax())
        laid = torch.nn.functional.pad(kernel, (0, side - kernel.shape[1], 0, side - kernel.shape[0]))
        moved.append(torch.roll(laid, (place // side, place % side), (0, 1)))
    # kernels wider than the first one may have wrapped around its corner
    middle = torch.roll(torch.stack(moved).median(0).values, (side // 4, side // 4), (0, 1))
    return Psf.from_tensor(middle).centred().kernel


def _without_lamp(trail: Float[Tensor, "h w"]) -> Float[Tensor, "k k"]:
    """Take the lamp's own disc out of its trail, by Richardson-Lucy."""
    lamp = Blur(gaussian(_LAMP), "circular")
    room = max(lamp.kernel.shape)
    seen = torch.nn.functional.pad(trail, (room,) * 4)[None, None]
    thin = seen + 1e-8
    for _ in range(_LAMP_STEPS):
        thin = thin * lamp.adjoint(seen / lamp(thin).clamp_min(1e-9))
    return _square(Psf.from_tensor(thin[0, 0].clamp_min(0)).trim(_FAINT).centred().kernel)


def _square(kernel: Float[Tensor, "h w"]) -> Float[Tensor, "k k"]:
    side = max(kernel.shape)
    return Psf.from_tensor(kernel).pad(side, side).kernel


def _check(photo: Tensor) -> None:
    if photo.shape[0] not in (1, 3):
        raise PsfError(f"the photograph has {photo.shape[0]} channels. A trail is read from grey (1) or colour (3).")
    if not bool(photo.isfinite().all()):
        raise PsfError("the photograph holds NaN or infinite values. Check how it was decoded.")

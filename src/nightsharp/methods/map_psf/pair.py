"""The PSF from a sharp and a blurred photograph of the same scene, for calibration shots."""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from nightsharp.errors import PsfError
from nightsharp.methods._blocks import CLIPPED, dilate
from nightsharp.methods.map_psf.kernel import cleaned
from nightsharp.methods.map_psf.observation import gradients
from nightsharp.optics import Psf, estimate_sigma, psf_to_otf
from nightsharp.optics.fourier import fast_size

LARGEST_SIZE = 101
# A side of the photographs must hold the PSF's window this many times.
_ROOM = 4
_LEAST_SIDE = 32
_ROUGH_STEPS, _STEPS, _POWER_STEPS, _SAFETY = 60, 150, 12, 1.05
# Taps and islands below this part are noise; in the wide window, which has many more taps, more of them are.
_ROUGH_TAP, _LEAST_TAP, _LEAST_PIECE = 0.1, 0.02, 0.02
_ROUGH_SMOOTHING = 1.5
_MARGIN = 4
# Both are smoothed alike, which leaves the PSF as it is and takes noise out of the equations; sigma in pixels per
# noise over contrast.
_SMOOTHING, _MOST_SMOOTHING = 6.0, 1.5
# Part of the blurred photograph's gradients, smoothed alike, that the sharp one explains, noise aside. Levin's 32
# captured pairs: 0.96 to 0.99; another scene, or the same turned by 1 degree: up to 0.4.
_LEAST_EXPLAINED = 0.6
# Where less than this part of the gradients is more than noise, there is nothing to explain.
_LEAST_SIGNAL = 0.1


@dataclass(frozen=True, eq=False)
class PairEstimate:
    r"""What a sharp and a blurred shot tell: :math:`y = a\,(k * x) + b`.

    Attributes:
        psf: the PSF k, its centroid in the middle.
        gain: a, the exposure of the blurred shot relative to the sharp one.
        offset: b, in the range of the photographs.
        shift: (rows, columns) by which the blurred shot lies off the sharp one, PSF centred.
        explained: part of the blurred shot's gradients that the sharp one explains, noise aside, at most 1.
    """

    psf: Psf
    gain: float
    offset: float
    shift: tuple[int, int]
    explained: float


def from_pair(
    sharp: Float[Tensor, "channel height width"],
    blurred: Float[Tensor, "other rows columns"],
    *,
    size: int | None = None,
    clip: float = CLIPPED,
) -> PairEstimate:
    r"""Find the PSF that turns a sharp photograph into a blurred one.

    .. math:: \min_{k \ge 0} \| \nabla (g * x) * k - \nabla (g * y) \|_2^2

    A shift of the whole picture is found first and taken out. Gradients do not see the offset, and the sum of k is the
    gain. The narrow Gaussian g grows with the noise. A pixel has a vote where its whole window was recorded and not
    clipped.

    Args:
        sharp: 1 or 3 channels, range [0, 1], best in linear light: from a tripod, in light enough to be sharp.
        blurred: the same size; its exposure may differ.
        size: side of the PSF's window, 3 to 101 (made odd); None finds it.
        clip: the value from which a pixel counts as saturated.

    Returns:
        The PSF with gain, offset and shift.

    Raises:
        PsfError: the shapes differ, a value is not finite, the photographs are too small, or one does not explain the
            other: another scene, a turned or zoomed camera, something that moved.

    Example:
        >>> from skimage.data import camera
        >>> from nightsharp.optics import Blur, line
        >>> sharp = torch.from_numpy(camera()[None, 40:168, 160:288] / 255).float()
        >>> blurred = Blur(line(9), boundary="replicate")(0.5 * sharp[None])[0]
        >>> found = from_pair(sharp, blurred)
        >>> round(found.gain, 2), found.shift
        (0.5, (0, 0))

    Source: the PSF step of Cho and Lee, SIGGRAPH Asia 2009, with the sharp image known; Yuan et al., "Image deblurring
    with blurred/noisy image pairs", SIGGRAPH 2007 (the use of a pair).
    """
    _check(sharp, blurred, size)
    sharp, blurred = sharp.cpu(), blurred.cpu()
    x, y = sharp.mean(0), blurred.mean(0)
    noise = [float(estimate_sigma(image[None, None])) for image in (x, y)]
    contrast = [max(float(image.std(correction=0)), 1e-6) for image in (x, y)]
    relative = math.hypot(*(n / c for n, c in zip(noise, contrast, strict=True)))

    smooth = min(_MOST_SMOOTHING, _SMOOTHING * relative)
    hidden = (sharp >= clip).any(0), (blurred >= clip).any(0)
    most = min(LARGEST_SIZE, min(x.shape) // _ROOM)
    wide = most if size is None else min(most, 2 * size)

    # the correlation peaks at the PSF's brightest tap; the wide window shows where its middle and its ends are
    shift = _shift(x, y)
    first = _Equations.of(x, y, hidden, shift, max(smooth, _ROUGH_SMOOTHING), wide // 2 * 2 - 1)
    rough = cleaned(first.solve(_ROUGH_STEPS), _ROUGH_TAP, _ROUGH_TAP)
    off = _off_centre(rough)
    shift = (shift[0] + off[0], shift[1] + off[1])
    support = max(Psf.from_tensor(rough).centred().size)
    side = (size if size is not None else min(most, support + 2 * _MARGIN)) // 2 * 2 + 1
    equations = _Equations.of(x, y, hidden, shift, smooth, side)
    kernel = equations.solve(_STEPS)
    gain = float(kernel.sum())
    explained = equations.explained(kernel, noise[1] * _noise_left(equations.valid.shape, smooth))
    if gain <= 0 or explained < _LEAST_EXPLAINED:
        raise PsfError(
            f"the sharp photograph explains {max(0.0, explained):.0%} of the blurred one's edges, where "
            f"a pair explains {_LEAST_EXPLAINED:.0%} or more. Use two shots of one still scene from a "
            "tripod, same focus and zoom."
        )
    shape = cleaned(kernel, _LEAST_TAP, _LEAST_PIECE)
    off = _off_centre(shape)
    return PairEstimate(
        psf=Psf.from_tensor(shape).centred(),
        gain=gain,
        offset=equations.offset(kernel),
        shift=(shift[0] + off[0], shift[1] + off[1]),
        explained=min(1.0, explained),
    )


@dataclass(frozen=True, eq=False)
class _Equations:
    """Least squares for the PSF, one equation for each pixel whose whole window was recorded.

    Attributes:
        spectra: of the derivatives of the smoothed sharp shot, on a canvas with room for the window.
        seen: the derivatives of the smoothed blurred shot there.
        valid: which equations hold.
        images: both shots where they overlap.
        usable: where in them the window was recorded.
        side: of the window, odd.
    """

    spectra: list[Tensor]
    seen: list[Tensor]
    valid: Bool[Tensor, "rows columns"]
    images: tuple[Tensor, Tensor]
    usable: Bool[Tensor, "height width"]
    side: int

    @classmethod
    def of(
        cls, x: Tensor, y: Tensor, hidden: tuple[Tensor, Tensor], shift: tuple[int, int], smooth: float, side: int
    ) -> "_Equations":
        x, y = _overlap(x, y, shift)
        sharp_hidden, blurred_hidden = _overlap(*hidden, shift)
        height, width = x.shape
        if min(height, width) < max(_LEAST_SIDE, 2 * side):
            raise PsfError(
                f"the photographs overlap by {height} x {width} pixels only, shifted by {shift[0]}, {shift[1]}. "
                "Keep the camera still between the shots, or give larger ones."
            )
        soft = math.ceil(3 * smooth) if smooth else 0
        usable = ~(_near(sharp_hidden, side // 2 + soft) | _near(blurred_hidden, soft))
        if not bool(usable.any()):
            raise PsfError("the photographs are clipped almost everywhere. Expose less.")
        size = fast_size(height + side, width + side)
        gap = (0, size[1] - width, 0, size[0] - height)
        sharp, blurred = (_smoothed(torch.nn.functional.pad(image - image.mean(), gap), smooth) for image in (x, y))
        fits = torch.nn.functional.pad(usable, gap)
        valid = fits & torch.roll(fits, -1, 0) & torch.roll(fits, -1, 1)
        spectra = [torch.fft.rfft2(g) for g in gradients(sharp)]
        return cls(spectra, [g * valid for g in gradients(blurred)], valid, (x, y), usable, side)

    def solve(self, steps: int) -> Float[Tensor, "k k"]:
        """Minimise over non-negative kernels by accelerated projected gradients (FISTA, Beck and Teboulle 2009)."""
        wanted = self._adjoint(self.seen)
        direction, slope = wanted, 1.0
        for _ in range(_POWER_STEPS):
            direction = direction / direction.norm().clamp_min(1e-12)
            direction = self._adjoint(self._apply(direction))
            slope = float(direction.norm())
        slope = max(_SAFETY * slope, 1e-12)
        kernel = ahead = torch.zeros_like(wanted)
        momentum = 1.0
        for _ in range(steps):
            following = (ahead - (self._adjoint(self._apply(ahead)) - wanted) / slope).clamp_min(0)
            grown = (1 + math.sqrt(1 + 4 * momentum**2)) / 2
            ahead = following + (momentum - 1) / grown * (following - kernel)
            kernel, momentum = following, grown
        return kernel

    def offset(self, kernel: Float[Tensor, "k k"]) -> float:
        """b of ``y = a (k * x) + b``."""
        x, y = self.images
        gap = (0, self.valid.shape[1] - x.shape[1], 0, self.valid.shape[0] - x.shape[0])
        spectrum = torch.fft.rfft2(torch.nn.functional.pad(x, gap)) * psf_to_otf(kernel, self._size)
        guess = torch.fft.irfft2(spectrum, s=self._size)[: x.shape[0], : x.shape[1]]
        return float((y - guess)[self.usable].mean())

    def explained(self, kernel: Float[Tensor, "k k"], noise: float) -> float:
        """Part of the squared gradients of the blurred shot that the sharp one gives under this kernel.

        Args:
            kernel: the solution.
            noise: root mean square of what noise gives to both smoothed derivatives of a pixel together.
        """
        by_noise = noise**2 * float(self.valid.sum())
        energy = sum(float(g.square().sum()) for g in self.seen)
        left = sum(float((g - s).square().sum()) for g, s in zip(self._apply(kernel), self.seen, strict=True))
        # flat shots have no energy at all
        if energy - by_noise <= _LEAST_SIGNAL * energy:
            return 0.0
        return 1 - max(0.0, left - by_noise) / (energy - by_noise)

    @property
    def _size(self) -> tuple[int, int]:
        return self.valid.shape[0], self.valid.shape[1]

    def _apply(self, kernel: Tensor) -> list[Tensor]:
        otf = psf_to_otf(kernel, self._size)
        return [torch.fft.irfft2(s * otf, s=self._size) * self.valid for s in self.spectra]

    def _adjoint(self, images: list[Tensor]) -> Tensor:
        spectra = (s.conj() * torch.fft.rfft2(i) for s, i in zip(self.spectra, images, strict=True))
        whole = torch.fft.irfft2(sum(spectra, torch.zeros(())), s=self._size)
        return torch.roll(whole, (self.side // 2, self.side // 2), (0, 1))[: self.side, : self.side]


def _smoothed(image: Tensor, sigma: float) -> Tensor:
    if sigma == 0:
        return image
    size = (image.shape[0], image.shape[1])
    down, across = torch.fft.fftfreq(size[0])[:, None], torch.fft.rfftfreq(size[1])[None]
    soft = torch.exp(-2 * (math.pi * sigma) ** 2 * (down.square() + across.square()))
    return torch.fft.irfft2(torch.fft.rfft2(image) * soft, s=size)


def _noise_left(size: tuple[int, ...], sigma: float) -> float:
    """Root mean square of both smoothed derivatives of white noise of unit variance."""
    down, across = torch.fft.fftfreq(size[0])[:, None], torch.fft.fftfreq(size[1])[None]
    soft = torch.exp(-2 * (math.pi * sigma) ** 2 * (down.square() + across.square()))
    slope = 4 - 2 * torch.cos(2 * math.pi * down) - 2 * torch.cos(2 * math.pi * across)
    return math.sqrt(float((soft.square() * slope).mean()))


def _near(mask: Tensor, reach: int) -> Tensor:
    """Pixels within ``reach`` of the mask or of the border."""
    framed = torch.nn.functional.pad(mask.float(), (1, 1, 1, 1), value=1.0)
    return dilate(framed, reach)[1:-1, 1:-1] > 0


def _off_centre(kernel: Float[Tensor, "k k"]) -> tuple[int, int]:
    """Whole pixels from the middle to the centroid."""
    place = torch.arange(kernel.shape[0]).to(kernel) - kernel.shape[0] // 2
    down, across = (round(float((kernel.sum(1 - axis) * place).sum() / kernel.sum())) for axis in (0, 1))
    return down, across


def _shift(x: Tensor, y: Tensor) -> tuple[int, int]:
    """Whole pixels by which y lies off x: the peak of the correlation of their gradients."""
    size = fast_size(2 * x.shape[0], 2 * x.shape[1])
    match = torch.zeros(size)
    for one, other in zip(gradients(x), gradients(y), strict=True):
        inner = (slice(0, -1), slice(0, -1))
        spectra = [torch.fft.rfft2(g[inner], s=size) for g in (one, other)]
        match += torch.fft.irfft2(spectra[0].conj() * spectra[1], s=size)
    place = int(match.argmax())
    found = (place // size[1], place % size[1])
    down, across = (f - n if f > n // 2 else f for f, n in zip(found, size, strict=True))
    return down, across


def _overlap(one: Tensor, other: Tensor, shift: tuple[int, int]) -> tuple[Tensor, Tensor]:
    """The parts of two images that show the same, the other lying off the one by ``shift``."""
    for axis, s in enumerate(shift):
        length = one.shape[axis] - abs(s)
        one, other = one.narrow(axis, max(0, -s), max(0, length)), other.narrow(axis, max(0, s), max(0, length))
    return one, other


def _check(sharp: Tensor, blurred: Tensor, size: int | None) -> None:
    if sharp.shape[-2:] != blurred.shape[-2:]:
        raise PsfError(
            f"the sharp photograph is {sharp.shape[-1]} x {sharp.shape[-2]}, the blurred one {blurred.shape[-1]} x "
            f"{blurred.shape[-2]}. Give two shots of one camera, cropped alike."
        )
    for image in (sharp, blurred):
        if image.shape[0] not in (1, 3):
            raise PsfError(f"a photograph has {image.shape[0]} channels. A pair is grey (1) or colour (3).")
        if not bool(image.isfinite().all()):
            raise PsfError("a photograph holds NaN or infinite values. Check how it was decoded.")
    least = min(sharp.shape[-2:])
    if least < _LEAST_SIDE:
        raise PsfError(f"the photographs have a side of {least} pixels; a pair needs {_LEAST_SIDE} or more.")
    if size is not None and not 3 <= size <= min(LARGEST_SIZE, least // 2):
        raise PsfError(
            f"a PSF size of {size} does not fit: it goes from 3 to {LARGEST_SIZE}, and to half the photographs' "
            f"shorter side ({least}). Leave it out to have it found."
        )

"""The job users run: look at what is known, choose the route, restore, check, report."""

import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from jaxtyping import Float
from torch import Tensor

from nightsharp.errors import Cancelled, PhotoError, UsageError
from nightsharp.methods import MethodSpec
from nightsharp.methods._blocks import CLIPPED, Cancel, measured_contrast, model_error
from nightsharp.methods.map_psf import PsfEstimate
from nightsharp.methods.map_psf import estimate_psf as find_psf
from nightsharp.optics import Psf, estimate_sigma
from nightsharp.optics.fourier import check_fits
from nightsharp.photo import Limits, Photo, read_photo, srgb_to_linear
from nightsharp.restore.formula import parse_psf
from nightsharp.restore.guard import Verdict, judge_psf, judge_result
from nightsharp.restore.noise import noise_in_linear_light
from nightsharp.restore.report import describe_file, describe_psf, describe_run, peak_memory
from nightsharp.restore.restoration import Restoration
from nightsharp.restore.route import choose_route
from nightsharp.restore.tiles import WHOLE_UP_TO, Place, in_tiles

StageProgress = Callable[[str, int, int], None]
"""Called with (what is being done, steps done, steps at most)."""

Light = Literal["linear", "display"]

PSF_LIGHT: Light = "display"
"""The domain in which the PSF is estimated."""

# The PSF of an image this small cannot be told from its content.
_SMALLEST_SIDE = 32
_MARGIN = 16


@dataclass(frozen=True)
class _Given:
    """What came in: a photograph with its file, or a bare tensor."""

    photo: Photo | None
    tensor: Tensor | None
    file: Path | None

    def values(self, light: Light) -> Float[Tensor, "1 channel height width"]:
        """The pixels in the wanted light; grey is one channel, a tensor is as it came."""
        if self.photo is None:
            assert self.tensor is not None
            return self.tensor.float()[None]
        pixels = self.photo.pixels if light == "linear" else self.photo.display()
        grey = torch.equal(pixels[0], pixels[1]) and torch.equal(pixels[0], pixels[2])
        return pixels[None, :1] if grey else pixels[None]


def deblur(
    photo: Photo | str | os.PathLike[str] | Float[Tensor, "channel height width"],
    *,
    method: str | None = None,
    psf: Psf | Tensor | str | os.PathLike[str] | None = None,
    strength: float = 1.0,
    psf_size: int | None = None,
    light: Light | None = None,
    limits: Limits | None = None,
    guard: bool = True,
    progress: StageProgress | None = None,
    cancel: Cancel | None = None,
) -> Restoration:
    r"""Take the blur out of a photograph.

    Solves :math:`y = k * x + n` for the sharp x. A known PSF k is used; an unknown one is estimated from y first.

    Args:
        photo: a :class:`~nightsharp.Photo`, a file, or a tensor ``(1 or 3, height, width)``, range [0, 1], which is
            taken as it is, without colour conversion.
        method: one of :func:`~nightsharp.list_methods`; None or ``"auto"`` chooses.
        psf: what is known of the blur: a :class:`~nightsharp.Psf`, a tensor ``(kh, kw)``, a file, or a formula such as
            ``"line:15,30"``; None or ``"auto"`` estimates it.
        strength: > 0; below 1 gentler, above 1 sharper and noisier.
        psf_size: the largest side of an estimated PSF, pixels, odd; None chooses.
        light: how the values in a file are to be read; None asks the file. Only for a file.
        limits: what a file may ask of this machine; None takes the preset for desktops. Only for a file.
        guard: keep the input where the result does not explain it.
        progress: called with (stage, steps done, steps at most).
        cancel: asked between steps; True stops.

    Returns:
        The :class:`~nightsharp.Restoration`; its values are finite and of the input's size.

    Raises:
        PhotoError: the photograph cannot be read, or is no image of 1 or 3 channels.
        PsfError: the PSF is none, or larger than the photograph.
        UsageError: the method or formula is unknown, or an option does not belong here.
        LimitError: the photograph is larger than the limits.
        Cancelled: ``cancel`` said so.

    Example:
        >>> blurred = torch.rand(1, 48, 64, generator=torch.Generator().manual_seed(0))
        >>> out = deblur(blurred, method="wiener", psf="line:4,0")
        >>> out.sharp.shape, out.photo, out.report["route"]["reason"]
        (torch.Size([1, 48, 64]), None, 'PSF given -> wiener (asked for)')
    """
    started = time.perf_counter()
    if not 0 < strength < float("inf"):
        raise UsageError(f"strength is {strength}; it must be above 0, and 1 is the default.")
    known, source = _known_psf(psf)
    route = choose_route(method, psf_given=known is not None)
    _tell(progress, "reading", 0, 1)
    given = _open(photo, light=light, limits=limits)
    warnings: list[str] = []
    timing: dict[str, float] = {"read": time.perf_counter() - started}

    confidence = None
    if known is None:
        mark = time.perf_counter()
        estimate = _estimate(given, size=psf_size, progress=progress, cancel=cancel)
        known, confidence = (Psf.from_tensor(torch.ones(1, 1)), 0.0) if estimate is None else estimate
        timing["psf"] = time.perf_counter() - mark
    warnings += known.quality().warnings

    blurred = given.values(route.method.light)
    check_fits(known.size, (blurred.shape[-2], blurred.shape[-1]))
    clip = _clip(given, route.method.light)
    measured = estimate_sigma(blurred)
    # measured once, so that all tiles agree; it holds what an inexact PSF leaves unexplained besides the noise
    if given.photo is not None and route.method.light == "linear":
        sigma, weight = noise_in_linear_light(blurred)
    else:
        sigma, weight = (measured.square() + model_error(blurred).square()).sqrt(), None

    mark = time.perf_counter()
    verdict = judge_psf(known, confidence) if guard else None
    if verdict is None:
        sharp = _restore(route.method, blurred, known, sigma, weight, strength, clip, progress, cancel)
        verdict = judge_result(blurred, sharp, known, sigma, clip) if guard else _unguarded(sharp)
    else:
        sharp = blurred
    if verdict.kept == "input":
        sharp = blurred
        warnings.append(verdict.words)
    timing["restore"] = time.perf_counter() - mark

    restored, values = _give_back(given, sharp, route.method.light, untouched=verdict.kept == "input")
    timing["total"] = time.perf_counter() - started
    report: dict[str, Any] = {
        "version": describe_run(),
        "input": None if given.file is None else describe_file(given.file),
        "size": {"width": values.shape[-1], "height": values.shape[-2], "channels": values.shape[0]},
        "method": route.method.name,
        "light": route.method.light if given.photo is not None else "as given",
        "strength": strength,
        "route": {"estimator": route.estimator, "method": route.method.name, "reason": route.reason},
        "psf": describe_psf(known, source or f"estimated by {route.estimator}", confidence),
        "noise_sigma": [round(s, 6) for s in measured.flatten().tolist()],
        "guard": {
            "on": guard,
            "kept": verdict.kept,
            "words": verdict.words,
            "misfit": verdict.misfit,
            "allowed": verdict.allowed,
        },
        "seconds": {name: round(seconds, 3) for name, seconds in timing.items()},
        "peak_memory_bytes": peak_memory(),
        "notes": [] if given.photo is None else list(given.photo.notes),
        "warnings": warnings,
    }
    return Restoration(photo=restored, sharp=values, psf=known, method=route.method.name, report=report)


def estimate_psf(
    photo: Photo | str | os.PathLike[str] | Float[Tensor, "channel height width"],
    *,
    size: int | None = None,
    light: Light | None = None,
    limits: Limits | None = None,
    progress: StageProgress | None = None,
    cancel: Cancel | None = None,
) -> PsfEstimate:
    """Find the PSF of a photograph from the photograph alone.

    Args:
        photo: a :class:`~nightsharp.Photo`, a file, or a tensor ``(1 or 3, height, width)``, range [0, 1].
        size: the largest side of the PSF, pixels, odd; None chooses.
        light: how the values in a file are to be read; None asks the file. Only for a file.
        limits: what a file may ask of this machine; None takes the preset for desktops. Only for a file.
        progress: called with (stage, steps done, steps at most).
        cancel: asked between steps; True stops.

    Returns:
        The PSF, how far to trust it, and the noise that was found.

    Raises:
        PhotoError: the photograph cannot be read, is no image of 1 or 3 channels, or is too small to tell.
        LimitError: the photograph is larger than the limits.
        Cancelled: ``cancel`` said so.

    Example:
        >>> estimate_psf(torch.rand(1, 8, 8))
        Traceback (most recent call last):
        nightsharp.errors.PhotoError: the photo is 8 x 8; a PSF needs at least 32 x 32 pixels to show. ...
    """
    given = _open(photo, light=light, limits=limits)
    height, width = given.values("linear").shape[-2:]
    if min(height, width) < _SMALLEST_SIDE:
        raise PhotoError(
            f"the photo is {width} x {height}; a PSF needs at least {_SMALLEST_SIDE} x {_SMALLEST_SIDE} pixels to "
            "show. Give a larger part of it."
        )
    return _run_estimator(given, size=size, progress=progress, cancel=cancel)


def _open(photo: Photo | str | os.PathLike[str] | Tensor, *, light: Light | None, limits: Limits | None) -> _Given:
    if isinstance(photo, str | os.PathLike):
        return _Given(read_photo(photo, light=light, limits=limits), None, Path(photo))
    if light is not None:
        raise UsageError("light says how the values in a file are to be read. Leave it out for a Photo or a tensor.")
    if isinstance(photo, Photo):
        return _Given(photo, None, None)
    if photo.ndim != 3 or photo.shape[0] not in (1, 3) or 0 in photo.shape:
        shape = " x ".join(str(n) for n in photo.shape)
        raise PhotoError(f"the tensor is {shape or 'a scalar'}; an image is (1 or 3, height, width).")
    if not photo.is_floating_point():
        raise PhotoError(f"the tensor holds {photo.dtype}; an image is floating point in [0, 1]. Convert it.")
    if not bool(photo.isfinite().all()):
        raise PhotoError("the tensor holds NaN or infinite values. Replace them first.")
    return _Given(None, photo.detach(), None)


def _known_psf(psf: Psf | Tensor | str | os.PathLike[str] | None) -> tuple[Psf | None, str | None]:
    """The PSF that was given, and where it came from."""
    match psf:
        case None:
            return None, None
        case Psf():
            return psf, "given"
        case Tensor():
            return Psf.from_tensor(psf), "given"
        case str():
            parsed = parse_psf(psf)
            return parsed, None if parsed is None else psf
        case _:
            return Psf.load(psf), os.fspath(psf)


def _estimate(
    given: _Given, *, size: int | None, progress: StageProgress | None, cancel: Cancel | None
) -> tuple[Psf, float] | None:
    """The PSF and its confidence; None where the photograph is too small to show one."""
    if min(given.values("linear").shape[-2:]) < _SMALLEST_SIDE:
        return None
    estimate = _run_estimator(given, size=size, progress=progress, cancel=cancel)
    return estimate.psf, float(estimate.confidence)


def _run_estimator(
    given: _Given, *, size: int | None, progress: StageProgress | None, cancel: Cancel | None
) -> PsfEstimate:
    return find_psf(
        given.values(PSF_LIGHT)[0],
        size=size,
        saturation=_clip(given, PSF_LIGHT),
        progress=_stage(progress, "estimating the PSF"),
        cancel=cancel,
    )


def _clip(given: _Given, light: Light) -> float:
    """The value from which a pixel counts as saturated, in the light that is worked in."""
    linear = given.photo is not None and light == "linear"
    return float(srgb_to_linear(torch.tensor(CLIPPED, dtype=torch.float64))) if linear else CLIPPED


def _restore(
    method: MethodSpec,
    blurred: Tensor,
    psf: Psf,
    sigma: Tensor,
    weight: Tensor | None,
    strength: float,
    clip: float,
    progress: StageProgress | None,
    cancel: Cancel | None,
) -> Tensor:
    """Run the method, on the whole image or in tiles that share the noise level of the whole."""
    function = method.load()
    kernel = psf.kernel[None, None].to(blurred)
    height, width = blurred.shape[-2:]
    spread = measured_contrast(blurred)
    lock, done = threading.Lock(), dict[int, float]()

    def piece(tile: Tensor, place: Place) -> Tensor:
        def advance(step: int, most: int) -> None:
            with lock:
                done[place.number] = step / max(most, 1)
                _tell(progress, "restoring", round(100 * sum(done.values())), 100 * place.count)

        def stop() -> bool:
            return place.stopping.is_set() or (cancel is not None and cancel())

        if stop():
            raise Cancelled(f"stopped at tile {place.number} of {place.count}; nothing was written.")
        part = None if weight is None else weight[..., place.rows, place.columns]
        restored = function(
            tile,
            kernel,
            sigma=sigma,
            strength=strength,
            clip=clip,
            contrast=spread,
            weight=part,
            progress=advance,
            cancel=stop,
        )
        advance(1, 1)
        return restored

    if height * width <= WHOLE_UP_TO:
        return piece(blurred, Place(0, 1, slice(None), slice(None), threading.Event()))
    kh, kw = psf.size
    return in_tiles(blurred, piece, halo=(kh + _MARGIN, kw + _MARGIN))


def _unguarded(sharp: Tensor) -> Verdict:
    if not bool(sharp.isfinite().all()):
        return Verdict("input", "the result held values that are no numbers; the photo is kept as it is")
    return Verdict("result", "switched off")


def _give_back(given: _Given, sharp: Tensor, light: Light, *, untouched: bool) -> tuple[Photo | None, Tensor]:
    if given.photo is None:
        assert given.tensor is not None
        return None, given.tensor.clone() if untouched else sharp[0].to(given.tensor)
    if untouched:
        return given.photo, given.photo.pixels
    pixels = sharp[0].clamp(0, 1).expand(3, -1, -1).contiguous()
    photo = given.photo.with_pixels(pixels) if light == "linear" else given.photo.with_display(pixels)
    return photo, photo.pixels


def _stage(progress: StageProgress | None, name: str) -> Callable[[int, int], None] | None:
    return None if progress is None else lambda done, most: progress(name, done, most)


def _tell(progress: StageProgress | None, name: str, done: int, most: int) -> None:
    if progress is not None:
        progress(name, done, most)

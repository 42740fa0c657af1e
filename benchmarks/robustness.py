"""PSNR of each method against noise, PSF error, saturation and PSF size, on three pictures that anyone has."""

from collections.abc import Callable

import numpy as np
import skimage.data
import torch
from torch import Tensor

from nightsharp.evaluation import Protocol
from nightsharp.evaluation.benchmarks.synthetic import blurred_pair
from nightsharp.evaluation.scores import score
from nightsharp.optics import Psf, shake
from nightsharp.restore import deblur
from nightsharp.restore.function import usable_methods
from nightsharp.synthesis.seeds import generator_for

PICTURES = ("camera", "astronaut", "coffee")
SIDE = 256
PROTOCOL = Protocol(quantise=True, border=15, reach=2, step=0.5)
SETTING = (
    f"scikit-image's {', '.join(PICTURES)}, the middle {SIDE} x {SIDE} of each (the truth reaches beyond it, so no "
    "border is invented), a random shake of about 15 px unless it is what varies, 1 % Gaussian noise unless it is what "
    "varies, 8 bits; every method with its defaults and the PSF given"
)

_NOISE, _EXTENT = 0.01, 15.0


def measure(every: int = 1) -> list[dict[str, object]]:
    """One curve for each way in which a photograph is worse; mean PSNR over the pictures at each point."""
    print(f"robustness: {SETTING}\n  {PROTOCOL}")
    methods = [spec.name for spec in usable_methods() if spec.needs_psf]
    pictures = PICTURES[::every]
    curves: list[dict[str, object]] = []
    for name, label, values, case in CURVES:
        series: dict[str, list[float]] = {method: [] for method in ("input", *methods)}
        for value in values:
            found: dict[str, list[float]] = {method: [] for method in series}
            for picture in pictures:
                blurred, sharp, psf = case(picture, value)
                found["input"].append(_psnr(blurred, sharp))
                for method in methods:
                    restored = deblur(blurred, method=method, psf=psf, guard=False).sharp
                    found[method].append(_psnr(restored, sharp))
            for method, list_of_values in found.items():
                series[method].append(round(float(np.mean(list_of_values)), 3))
        curves.append({"curve": name, "label": label, "x": list(values), "psnr": series})
        print(f"  {name}: " + "  ".join(f"{method} {series[method]}" for method in series))
    return curves


def _psnr(result: Tensor, sharp: Tensor) -> float:
    return score(result, sharp, PROTOCOL, ["psnr"])[0]["psnr"]


def _wide(picture: str, psf: Psf) -> Tensor:
    """The middle of the picture with as much around it as the PSF reaches."""
    values = np.atleast_3d(getattr(skimage.data, picture)())
    image = torch.from_numpy(values.astype(np.float32) / 255).permute(2, 0, 1)
    kh, kw = psf.size
    top, left = (image.shape[1] - SIDE - kh) // 2, (image.shape[2] - SIDE - kw) // 2
    return image[:, top : top + SIDE + kh - 1, left : left + SIDE + kw - 1]


def _shake(extent: float) -> Psf:
    return shake(extent, generator=generator_for(0, "robustness", f"{extent:g}"))


def _noise(picture: str, percent: float) -> tuple[Tensor, Tensor, Psf]:
    psf = _shake(_EXTENT)
    return _made(picture, psf, psf, percent / 100)


def _psf_error(picture: str, degrees: float) -> tuple[Tensor, Tensor, Psf]:
    psf = _shake(_EXTENT)
    return _made(picture, psf, psf.rotate(degrees) if degrees else psf, _NOISE)


def _size(picture: str, extent: float) -> tuple[Tensor, Tensor, Psf]:
    psf = _shake(extent)
    return _made(picture, psf, psf, _NOISE)


def _saturation(picture: str, percent: float) -> tuple[Tensor, Tensor, Psf]:
    """The brightest pixels lie beyond white when the blur happens; the truth is clipped as a photograph is."""
    psf = _shake(_EXTENT)
    wide = _wide(picture, psf)
    gain = 1 / float(wide.amax(0).quantile(1 - percent / 100)) if percent else 1.0
    return _made(picture, psf, psf, _NOISE, gain=max(gain, 1.0))


def _made(picture: str, psf: Psf, given: Psf, noise: float, gain: float = 1.0) -> tuple[Tensor, Tensor, Psf]:
    source = generator_for(0, "robustness", picture, f"{noise:g}")
    pair = blurred_pair(gain * _wide(picture, psf), psf, noise=noise, boundary="valid", generator=source)
    assert pair.sharp is not None
    return pair.blurred, pair.sharp.clamp(0, 1), given


Case = Callable[[str, float], tuple[Tensor, Tensor, Psf]]
CURVES: list[tuple[str, str, tuple[float, ...], Case]] = [
    ("noise", "standard deviation of the noise, %", (0.5, 1, 2, 3, 5, 10), _noise),
    ("psf_error", "the given PSF is rotated by, degrees", (0, 2, 5, 10, 20), _psf_error),
    ("saturation", "pixels beyond white, %", (0, 1, 2, 5, 10, 20), _saturation),
    ("psf_size", "extent of the PSF, px", (5, 9, 15, 25, 41, 61), _size),
]

"""Pairs with known truth on which a restoration can do harm: wrong PSFs, noise, no blur, lamps, JPEG, tiny pictures."""

import io
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from nightsharp.optics import Blur, Psf, disk, gaussian, line, shake
from nightsharp.photo import linear_to_srgb, srgb_to_linear

SIDE = 256


@dataclass(frozen=True)
class Case:
    """One pair, and the PSF that is handed to the restoration.

    Attributes:
        level: the corruption, one of ``LEVELS``.
        kind: what exactly, for tables.
        blurred: (channel, height, width), display values in [0, 1], rounded to 8 bits.
        sharp: the truth, the same shape.
        psf: the PSF that is given; not always the one that blurred.
        linear: the blur happened in linear light, as in a photograph, and not in the values themselves.
        reach: the shift up to which a comparison with the truth is searched; a PSF that is off its centre shifts.
    """

    level: str
    kind: str
    blurred: Tensor
    sharp: Tensor
    psf: Psf
    linear: bool
    reach: int = 0


def cases(level: str, pictures: Sequence[Callable[[], Tensor]], count: int, seed: int) -> Iterator[Case]:
    """Draw pairs of one level, each from another picture as long as there are enough.

    Args:
        level: one of ``LEVELS``.
        pictures: each gives a sharp picture, (3, height, width), display values.
        count: how many.
        seed: of everything that is drawn.
    """
    order = list(range(len(pictures)))
    random.Random(f"{seed} {level}").shuffle(order)
    for number in range(count):
        draw = random.Random(f"{seed} {level} {number}")
        yield LEVELS[level](pictures[order[number % len(order)]](), draw)


def any_psf(draw: random.Random) -> Psf:
    """A PSF as photographs have them: hand shake half of the time, else a line, a disk or a Gaussian."""
    match draw.choice(("shake", "shake", "shake", "line", "disk", "gaussian")):
        case "shake":
            return shake(draw.uniform(7, 35), generator=torch.Generator().manual_seed(draw.getrandbits(40)))
        case "line":
            return line(draw.uniform(5, 30), draw.uniform(0, 180)).centred()
        case "disk":
            return disk(draw.uniform(1.5, 6))
        case _:
            return gaussian(draw.uniform(0.8, 3))


def _true_psf(picture: Tensor, draw: random.Random) -> Case:
    psf = any_psf(draw)
    noise = draw.choice((0.0, 0.01, 0.02, 0.03))
    return _pair("true PSF", f"noise {noise:.0%}", picture, draw, psf, psf, noise=noise)


def _wrong_psf(picture: Tensor, draw: random.Random) -> Case:
    true = any_psf(draw)
    kind = draw.choice(("rotated", "scaled", "other", "noisy", "shifted"))
    reach = 0
    match kind:
        case "rotated":
            angle = draw.choice((10, 20, 45, 90, 180))
            kind, given = f"rotated {angle}", true.rotate(angle * draw.choice((-1, 1))).centred()
        case "scaled":
            scale = draw.choice((0.6, 0.8, 1.25, 1.5))
            kind, given = f"scaled {scale}", true.resize(scale).centred()
        case "noisy":
            given = _noisy(true, draw)
        case "shifted":
            reach = draw.randint(1, 4)
            given = Psf(torch.nn.functional.pad(true.kernel, (2 * reach, 0, 2 * draw.randint(0, reach), 0)))
        case _:
            given = any_psf(draw)
    return _pair("wrong PSF", kind, picture, draw, true, given, noise=_noise(draw), reach=reach)


def _pure_noise(picture: Tensor, draw: random.Random) -> Case:
    flat = picture.mean(dim=(1, 2), keepdim=True).clamp(0.1, 0.9).expand(3, 320, 320)
    noise = draw.choice((0.01, 0.02, 0.05, 0.1))
    return _pair("pure noise", f"noise {noise:.0%}", flat, draw, None, any_psf(draw), noise=noise)


def _no_blur(picture: Tensor, draw: random.Random) -> Case:
    noise = draw.choice((0.0, 0.01, 0.02))
    return _pair("no blur", f"noise {noise:.0%}", picture, draw, None, any_psf(draw), noise=noise)


def _saturation(picture: Tensor, draw: random.Random) -> Case:
    psf = any_psf(draw)
    part = draw.uniform(0.05, 0.25)
    return _pair("saturation", f"about {part:.0%}", picture, draw, psf, psf, noise=_noise(draw), clipped=part)


def _jpeg(picture: Tensor, draw: random.Random) -> Case:
    psf = any_psf(draw)
    noise = draw.choice((0.0, 0.01, 0.02))
    return _pair("JPEG 60", f"noise {noise:.0%}", picture, draw, psf, psf, noise=noise, quality=60)


def _tiny(picture: Tensor, draw: random.Random) -> Case:
    side = draw.choice((1, 4, 8, 12, 16, 24, 32, 48))
    psf = any_psf(draw)
    while max(psf.size) > side:
        psf = psf.resize(0.6).centred().trim(0.02) if side > 2 else Psf.from_tensor(torch.ones(1, 1))
    return _pair("tiny", f"{side} px", picture, draw, psf, psf, noise=_noise(draw), side=side)


def _strong_noise(picture: Tensor, draw: random.Random) -> Case:
    true = any_psf(draw)
    kind, given = draw.choice((("true PSF", true),) * 3 + (("another PSF", any_psf(draw)),))
    noise = draw.choice((0.06, 0.1, 0.15, 0.2))
    return _pair("strong noise", f"{kind}, noise {noise:.0%}", picture, draw, true, given, noise=noise)


LEVELS: dict[str, Callable[[Tensor, random.Random], Case]] = {
    "wrong PSF": _wrong_psf,
    "pure noise": _pure_noise,
    "no blur": _no_blur,
    "saturation": _saturation,
    "JPEG 60": _jpeg,
    "tiny": _tiny,
    "true PSF": _true_psf,
    "strong noise": _strong_noise,
}
"""Six corruptions, the true PSF with 0 to 3 % noise, on which the gain is to stay, and noise beyond 5 %."""


def _noise(draw: random.Random) -> float:
    return draw.choice((0.0, 0.01, 0.02, 0.03, 0.05))


def _noisy(psf: Psf, draw: random.Random) -> Psf:
    kernel = torch.nn.functional.pad(psf.kernel, (2, 2, 2, 2))
    noise = torch.randn(kernel.shape, generator=torch.Generator().manual_seed(draw.getrandbits(40)))
    return Psf.from_tensor((kernel + draw.choice((0.05, 0.1, 0.2)) * kernel.max() * noise).clamp_min(0)).centred()


def _pair(
    level: str,
    kind: str,
    picture: Tensor,
    draw: random.Random,
    true: Psf | None,
    given: Psf,
    *,
    noise: float,
    clipped: float = 0.0,
    quality: int | None = None,
    side: int | None = None,
    reach: int = 0,
) -> Case:
    """Cut, blur, expose, add noise, round to 8 bits; the picture is read from beyond the border, where there is any."""
    side = SIDE if side is None else side
    linear, grey = draw.random() < 0.4, draw.random() < 0.5
    if grey:
        picture = picture.mean(0, keepdim=True)
    kernel = torch.ones(1, 1) if true is None else true.kernel
    need = [min(side + taps - 1, length) for taps, length in zip(kernel.shape, picture.shape[1:], strict=True)]
    top, left = (draw.randint(0, length - part) for length, part in zip(picture.shape[1:], need, strict=True))
    picture = picture[None, :, top : top + need[0], left : left + need[1]]
    light = srgb_to_linear(picture) if linear else picture
    if clipped:
        light = light / torch.quantile(light.amax(1).flatten(), 1 - clipped).clamp_min(0.2)
    blurred = Blur(kernel[None, None], boundary="valid")(light)
    kh, kw = kernel.shape
    up, across = kh - 1 - kh // 2, kw - 1 - kw // 2
    sharp = light[..., up : up + blurred.shape[-2], across : across + blurred.shape[-1]]
    if linear:
        sharp, blurred = linear_to_srgb(sharp.clamp(0, 1)), linear_to_srgb(blurred.clamp(0, 1))
    grain = torch.randn(blurred.shape, generator=torch.Generator().manual_seed(draw.getrandbits(40)))
    recorded = (blurred + noise * grain).clamp(0, 1).mul(255).round().div(255)
    if quality is not None:
        recorded = through_jpeg(recorded, quality)
    name = kind + (", linear light" if linear else "")
    return Case(level, name, recorded[0], sharp[0].clamp(0, 1), given, linear, reach)


def through_jpeg(image: Tensor, quality: int) -> Tensor:
    """What JPEG leaves of display values, (1, channel, height, width)."""
    values = image[0].mul(255).round().byte().permute(1, 2, 0).numpy()
    buffer = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(values.squeeze())).save(buffer, "JPEG", quality=quality)
    read = np.atleast_3d(np.asarray(Image.open(buffer), dtype=np.float32) / 255)
    return torch.from_numpy(read.copy()).permute(2, 0, 1)[None]

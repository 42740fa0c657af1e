"""Pairs that are as far from their PSF as a photograph from its estimate: the blur turns, a tone curve, JPEG."""

import random
from collections.abc import Callable, Iterator, Sequence

import torch
from torch import Tensor

from benchmarks.harm_cases import Case, through_jpeg
from nightsharp.optics import Blur, Psf, line, shake
from nightsharp.photo import linear_to_srgb, srgb_to_linear

SIDE = 288
# Half of the PSFs are right as far as one PSF can be.
_KINDS = ("right",) * 6 + ("another", "rotated", "rotated", "scaled", "no blur", "a line", "upside down")
_TURNS = (0, 5, 10, 15, 20)
_NOISES = (0.0, 0.002, 0.004, 0.01)
_QUALITIES = (75, 85, 92, 97)


def cases(pictures: Sequence[Callable[[], Tensor]], count: int, seed: int) -> Iterator[Case]:
    """Draw pairs, each from another picture as long as there are enough.

    Args:
        pictures: each gives a sharp picture, (3, height, width), display values.
        count: how many.
        seed: of everything that is drawn.
    """
    order = list(range(len(pictures)))
    random.Random(seed).shuffle(order)
    for number in range(count):
        yield _case(pictures[order[number % len(order)]]()[None], random.Random(f"{seed} camera {number}"))


def _case(picture: Tensor, draw: random.Random) -> Case:
    height, width = picture.shape[-2:]
    top, left = draw.randint(0, max(0, height - SIDE)), draw.randint(0, max(0, width - SIDE))
    light = srgb_to_linear(picture[..., top : top + SIDE, left : left + SIDE])
    if draw.random() < 0.4:
        light = light * draw.uniform(0.5, 2.5)
    kind, true = draw.choice(_KINDS), _motion(draw)
    blurred = light if kind == "no blur" else _turning_blur(light, true, draw.choice(_TURNS))
    grain = draw.choice(_NOISES) * (0.3 + blurred.clamp(0, 1)).sqrt()
    blurred = blurred.clamp(0, 1) + grain * torch.randn(blurred.shape, generator=_generator(draw))
    contrast = draw.uniform(0, 0.6)
    shown, sharp = (_developed(each, contrast) for each in (blurred, light))
    recorded = through_jpeg(shown, draw.choice(_QUALITIES))[0]
    return Case("camera", kind, recorded, sharp[0], _found(kind, true, draw), linear=True)


def _motion(draw: random.Random) -> Psf:
    if draw.random() < 0.7:
        return shake(draw.uniform(9, 31), generator=_generator(draw))
    return line(draw.uniform(7, 26), draw.uniform(0, 180)).centred()


def _turning_blur(light: Tensor, psf: Psf, degrees: float) -> Tensor:
    """Blur that turns by twice as many degrees from the left to the right, as that of a camera that rolled."""
    left, right = (Blur(psf.rotate(sign * degrees).centred(), boundary="reflect")(light) for sign in (-1, 1))
    return torch.lerp(left, right, torch.linspace(0, 1, light.shape[-1]))


def _developed(light: Tensor, contrast: float) -> Tensor:
    """Display values, with so much of an S-curve that no file tells of."""
    shown = linear_to_srgb(light.clamp(0, 1))
    return torch.lerp(shown, shown.square() * (3 - 2 * shown), contrast)


def _found(kind: str, true: Psf, draw: random.Random) -> Psf:
    """What the search found; where it is right, some of it is uneven."""
    match kind:
        case "another":
            return shake(draw.uniform(9, 31), generator=_generator(draw))
        case "a line":
            return line(draw.uniform(7, 26), draw.uniform(0, 180)).centred()
        case "rotated":
            return true.rotate(draw.choice((30, 45, 60, 90))).centred()
        case "scaled":
            return true.resize(draw.choice((0.5, 0.65, 1.4, 1.7))).centred()
        case "upside down":
            return true.rotate(180).centred()
        case "right" if draw.random() < 0.6:
            kernel = true.kernel
            uneven = (
                draw.choice((0.05, 0.1, 0.2)) * kernel.max() * torch.randn(kernel.shape, generator=_generator(draw))
            )
            return Psf.from_tensor((kernel + uneven * (kernel > 0)).clamp_min(0)).centred()
        case _:
            return true


def _generator(draw: random.Random) -> torch.Generator:
    return torch.Generator().manual_seed(draw.getrandbits(40))

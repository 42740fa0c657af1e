"""Blurred pages of print, nothing given: ``python -m benchmarks.pages`` needs no data.

Protocol: words in Pillow's own font, letters of 16 to 40 px, pages of about 350 x 300, one in four bright on
dark, contrast 0.45 to 0.85, a shake of 9 to 25 px in display values, noise of 0 to 1 %, rounded to 8 bits, grey.
With ``--light-falls`` the light fades over the page, in display values to 30 to 70 % at one side.
`nightsharp.deblur` as it is. Peak signal-to-noise ratio at the best shift within 5 px, 12 px of border left out; a PSF
counts as found from a similarity of 0.8 on (Hu and Yang, ECCV 2012). Where tesseract is installed, its character error
rate, and what it makes of the sharp page.
"""

import argparse
import math
import random
from dataclasses import dataclass
from statistics import fmean

import torch
from torch import Tensor

from benchmarks.protocol import aligned_error, decibel
from nightsharp.errors import UsageError
from nightsharp.evaluation.benchmarks.synthetic import blurred_pair
from nightsharp.evaluation.downstream.ocr import Ocr
from nightsharp.evaluation.downstream.rendered import sign
from nightsharp.methods.map_psf import similarity
from nightsharp.optics import Psf, shake
from nightsharp.restore import deblur

COUNT, SEED = 24, 1
# Of the text; the margin is two letters.
_HEIGHT, _WIDTH = 240, 320
_BORDER, _REACH, _FOUND = 12, 5, 0.8
_WORDS = """
the of and to in is for that with as it was on be by this are or from at which an we not have has
night street tram stop harbour market hotel coffee open closed platform ticket museum river bridge garden
""".split()  # noqa: SIM905 - forty quoted words read worse


@dataclass(frozen=True)
class Page:
    """A page and what a camera made of it.

    Attributes:
        text: what stands on it.
        sharp: (1, height, width), display values; where the blur needs nothing from beyond the border.
        blurred: of the same size.
        psf: that blurred it.
        letters: their em square, pixels.
    """

    text: str
    sharp: Tensor
    blurred: Tensor
    psf: Psf
    letters: int


def page(number: int, seed: int = SEED, *, light_falls: bool = False) -> Page:
    """One page; its number, the seed and the light decide everything."""
    draw = random.Random(f"{seed} page {number}")
    letters = draw.choice((16, 22, 30, 40))
    lines = [[draw.choice(_WORDS)] for _ in range(_HEIGHT // round(1.3 * letters))]
    for line in lines:
        while len(" ".join(line)) * letters < 1.9 * (_WIDTH - 4 * letters):
            line.append(draw.choice(_WORDS))
    written = [" ".join(line) for line in lines]
    picture = sign(written, letters, bright_on_dark=number % 4 == 3)
    span = draw.uniform(0.45, 0.85)
    picture = draw.uniform(0.02, 0.98 - span) + span * picture
    noise = torch.Generator().manual_seed(draw.getrandbits(40))
    psf = shake(draw.uniform(9, 25), generator=noise)
    level = draw.choice((0.0, 0.005, 0.01))
    if light_falls:
        picture = picture * _fading(picture, draw.uniform(0.3, 0.7), draw.uniform(0, 2 * math.pi))
    pair = blurred_pair(picture, psf, noise=level, boundary="valid", generator=noise)
    if pair.sharp is None:
        raise AssertionError("a pair that was made here has its truth")
    return Page(" ".join(written), pair.sharp, pair.blurred, psf, letters)


def _fading(picture: Tensor, least: float, direction: float) -> Tensor:
    """Light that falls from 1 to ``least`` across the picture, as beside a lamp: fast first, then slowly."""
    down, across = (torch.linspace(-0.5, 0.5, side) for side in picture.shape[-2:])
    way = math.sin(direction) * down[:, None] + math.cos(direction) * across
    return least ** ((way - way.min()) / (way.max() - way.min()))


def main() -> None:
    """Print a line for each page, and the means."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.pages")
    parser.add_argument("--count", type=int, default=COUNT, help="so many pages")
    parser.add_argument("--seed", type=int, default=SEED, help="of everything that is drawn")
    parser.add_argument("--light-falls", action="store_true", help="over each page")
    choice = parser.parse_args()
    print(__doc__)
    try:
        reader = Ocr()
    except UsageError as missing:
        print(missing)
        reader = None
    rows = []
    for number in range(choice.count):
        made = page(number, choice.seed, light_falls=choice.light_falls)
        blurred, sharp, psf = made.blurred, made.sharp, made.psf
        done = deblur(blurred)
        alike = similarity(done.psf.kernel, psf.kernel)
        before, after = (
            decibel(aligned_error(image[None], sharp[None], _BORDER, reach=_REACH)) for image in (blurred, done.sharp)
        )
        errors = [] if reader is None else [_errors(reader, made.text, seen) for seen in (blurred, done.sharp, sharp)]
        rows.append((before, after, alike >= _FOUND, after < before - 0.1, *errors))
        read = "".join(f" {error:.2f}" for error in errors)
        print(
            f"{number:3} letters {made.letters} px, PSF {psf.size}: similarity {alike:.2f}, confidence "
            f"{done.report['psf']['confidence']:.2f}, {before:.2f} -> {after:.2f} dB, error rates{read or ' none'}, "
            f"kept {done.report['guard']['kept']}",
            flush=True,
        )
    before, after, found, harmed, *errors = zip(*rows, strict=True)
    print(
        f"found {sum(found)} of {len(rows)}, harmed {sum(harmed)}, {fmean(before):.2f} -> {fmean(after):.2f} dB, "
        f"error rates {[round(fmean(each), 3) for each in errors]}"
    )


def _errors(reader: Ocr, text: str, image: Tensor) -> float:
    # tesseract wants letters of 20 px and more
    larger = torch.nn.functional.interpolate(image[None].clamp(0, 1), scale_factor=2, mode="bicubic")[0]
    return min(1.0, next(iter(reader.compare(reader.read(larger), text).values())).value)


if __name__ == "__main__":
    main()

"""Text under the blur and the noise of a night shot, made on the spot; what it says is known."""

import torch
from jaxtyping import Float
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from nightsharp.evaluation.benchmarks import Pair, Sample
from nightsharp.optics import Blur, expose, shake
from nightsharp.photo.tone import srgb_to_linear
from nightsharp.synthesis.seeds import generator_for

NAME = "rendered_text"
SIZES = (16, 24, 36)
"""Height of the letters' em square, pixels."""

SHAKES = (6, 10, 15)
"""The longer side of the shake, pixels."""

PHOTONS = (2000, 400)
"""Photo-electrons that fill a pixel: a bright street, a dark one."""

_READ_NOISE = 0.004
_ROUNDS = 2
_WORDS = """
night street tram stop harbour market hotel coffee open closed exit platform ticket museum river bridge garden
station library theatre bakery cinema pharmacy doctor parking school church castle tower window kitchen
""".split()  # noqa: SIM905 - forty quoted words read worse
_LINES, _WORDS_A_LINE = 3, 3


def rendered_text(seed: int = 0) -> tuple[list[Sample], dict[str, str]]:
    """Signs with random words: every size of letters, shake and exposure, each with its own words.

    Half of them are bright letters on a dark sign. The blur adds up in linear light, beyond the border too; photons are
    counted, and read noise is added.

    Args:
        seed: of words, shakes and noise.

    Returns:
        The samples, in linear light, grouped by size of letters; and what stands in each.

    Example:
        >>> samples, texts = rendered_text()
        >>> len(samples), samples[0].group, len(texts[samples[0].name].split())
        (36, '16 px', 9)
    """
    samples, texts = [], {}
    for size in SIZES:
        for extent in SHAKES:
            for photons in PHOTONS:
                for turn in range(_ROUNDS):
                    name = f"{size}px_shake{extent}_{photons}e_{turn}"
                    draw = generator_for(seed, NAME, name)
                    chosen = torch.randint(len(_WORDS), (_LINES, _WORDS_A_LINE), generator=draw).tolist()
                    lines = [" ".join(_WORDS[word] for word in line) for line in chosen]
                    texts[name] = " ".join(lines)
                    load = _Shot(lines, size, extent, photons, bright_on_dark=turn % 2 == 1, seed=seed, name=name)
                    samples.append(Sample(name, load, f"{size} px"))
    return samples, texts


class _Shot:
    """A sign, photographed; the same every time."""

    def __init__(
        self, lines: list[str], size: int, extent: int, photons: int, *, bright_on_dark: bool, seed: int, name: str
    ) -> None:
        self._lines, self._size, self._extent, self._photons = lines, size, extent, photons
        self._bright_on_dark = bright_on_dark
        self._seed, self._name = seed, name

    def __call__(self) -> Pair:
        generator = generator_for(self._seed, NAME, self._name, "light")
        sharp = srgb_to_linear(sign(self._lines, self._size, bright_on_dark=self._bright_on_dark))
        psf = shake(self._extent, generator=generator)
        blurred = Blur(psf, "replicate")(sharp[None])
        recorded = expose(blurred, photons=self._photons, read_noise=_READ_NOISE, generator=generator)[0]
        return Pair((recorded * 255).round() / 255, sharp, psf)


def sign(lines: list[str], size: int, *, bright_on_dark: bool) -> Float[Tensor, "1 height width"]:
    """Lines of text in Pillow's own font.

    Args:
        lines: the text.
        size: of the letters, pixels.
        bright_on_dark: a lit sign; else dark letters on a bright one.

    Returns:
        Display values in [0, 1].

    Example:
        >>> sign(["exit"], 20, bright_on_dark=True).shape[0]
        1
    """
    ink, paper = (215, 30) if bright_on_dark else (30, 215)
    font = ImageFont.load_default(size)
    text = "\n".join(lines)
    left, top, right, bottom = ImageDraw.Draw(Image.new("L", (1, 1))).multiline_textbbox((0, 0), text, font)
    margin = 2 * size
    picture = Image.new("L", (round(right - left) + 2 * margin, round(bottom - top) + 2 * margin), paper)
    ImageDraw.Draw(picture).multiline_text((margin - left, margin - top), text, ink, font)
    values = torch.frombuffer(bytearray(picture.tobytes()), dtype=torch.uint8)
    return values.view(1, picture.height, picture.width).float() / 255

"""The benchmark sets as the scripts here use them: with a batch axis and the border that is left out."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from torch import Tensor

from nightsharp.evaluation.benchmarks import get_benchmark


class Pair(NamedTuple):
    """A blurred image (1, channel, height, width), its truth, the true PSF (1, 1, k, k), the border left out."""

    name: str
    blurred: Tensor
    sharp: Tensor
    psf: Tensor
    border: int


def levin(data: Path) -> Iterator[Pair]:
    """Levin et al. 2009: 4 images x 8 PSFs, captured; one truth per pair."""
    return _pairs("levin2009", data, 25)


def low_illumination(data: Path) -> Iterator[Pair]:
    """Pan et al.: 4 saturated night scenes x 8 PSFs; bright pixels stretched before the blur, clipped after it."""
    return _pairs("pan_lowillumination", data, 30)


def text(data: Path) -> Iterator[Pair]:
    """Pan et al. 2014: text images x 8 PSFs, replicate border, no noise."""
    return _pairs("pan_text", data, 30)


SETS = {"levin2009": levin, "pan_lowillumination": low_illumination, "pan_text": text}


def _pairs(name: str, data: Path, border: int) -> Iterator[Pair]:
    for sample in get_benchmark(name).samples(data):
        pair = sample.load()
        assert pair.sharp is not None
        assert pair.psf is not None
        yield Pair(sample.name, pair.blurred[None], pair.sharp[None], pair.psf.kernel[None, None], border)

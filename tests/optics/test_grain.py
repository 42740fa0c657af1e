"""Grain on a PSF is told from its light, and nothing else is taken for it."""

import random

import pytest
import torch

from nightsharp.methods.map_psf import similarity
from nightsharp.optics import Psf, disk, gaussian, line, shake, without_grain


def drawn(number: int) -> Psf:
    draw = random.Random(f"PSF {number}")
    seed = torch.Generator().manual_seed(number)
    return (
        shake(draw.uniform(5, 45), generator=seed),
        line(draw.uniform(3, 40), draw.uniform(0, 180)),
        disk(draw.uniform(1, 14)),
        gaussian(draw.uniform(0.6, 6)),
    )[number % 4]


def grained(psf: Psf, part: float, *, ground: float = 0.0, seed: int = 0, wider: int = 4) -> Psf:
    """The PSF in a wider window with grain of a part of its peak, cut off at 0 as a picture file does."""
    kernel = psf.pad(psf.size[0] + 2 * wider, psf.size[1] + 2 * wider).kernel
    grain = torch.randn(kernel.shape, generator=torch.Generator().manual_seed(seed))
    return Psf.from_tensor((kernel / kernel.max() + ground + part * grain).clamp_min(0))


class TestWhatIsNoGrain:
    @pytest.mark.parametrize("number", range(200))
    def test_a_clean_psf_stays_as_it_is(self, number: int) -> None:
        psf = drawn(number)
        for window in (psf, psf.trim(0, keep_centre=False), psf.pad(psf.size[0] + 6, psf.size[1] + 6)):
            assert without_grain(window) is window

    @pytest.mark.parametrize("kernel", [torch.ones(1, 1), torch.ones(1, 60), torch.ones(60, 2), torch.ones(15, 15)])
    def test_windows_without_an_inside(self, kernel: torch.Tensor) -> None:
        psf = Psf.from_tensor(kernel)
        assert without_grain(psf) is psf

    def test_rounding_to_eight_bits(self) -> None:
        psf = Psf.from_tensor((gaussian(3).kernel / gaussian(3).kernel.max() * 255).round())
        assert without_grain(psf) is psf

    def test_nothing_but_grain_is_left_to_the_guard(self) -> None:
        psf = Psf.from_tensor(torch.rand(15, 15, generator=torch.Generator().manual_seed(1)))
        assert without_grain(psf) is psf


class TestGrain:
    @pytest.mark.parametrize("part", [0.05, 0.1])
    @pytest.mark.parametrize("ground", [0.0, 0.15])
    @pytest.mark.parametrize("number", [0, 1, 2, 4, 8, 9])
    def test_what_is_left_is_nearer_to_the_truth(self, number: int, ground: float, part: float) -> None:
        true = drawn(number)
        given = grained(true, part, ground=ground, seed=number)
        found = without_grain(given)
        missed = [1 - similarity(true.kernel, psf.kernel) for psf in (given, found)]
        assert missed[1] < 0.6 * missed[0]

    def test_it_is_a_psf_of_the_same_window_and_says_so(self) -> None:
        given = grained(line(21, 30), 0.08)
        found = without_grain(given)
        assert found.size == given.size
        assert float(found.kernel.sum()) == pytest.approx(1)
        assert found.notes[-1] == "grain of 7% of the peak taken away"

    def test_twice_is_once(self) -> None:
        found = without_grain(grained(line(21, 30), 0.1, ground=0.1))
        assert without_grain(found) is found

    def test_its_place_stays(self) -> None:
        moved = Psf(torch.nn.functional.pad(line(15, 0).kernel, (12, 0, 6, 0)))
        before, after = (psf.quality().offset for psf in (moved, without_grain(grained(moved, 0.05))))
        assert after == pytest.approx(before, abs=0.3)

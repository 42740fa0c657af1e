"""Lamps draw the PSF: found by themselves, or shown by a box."""

import functools

import pytest
import skimage.data
import torch

from nightsharp.errors import PsfError
from nightsharp.methods.map_psf import similarity
from nightsharp.methods.map_psf.light_streak import StreakEstimate, from_light_streak, streak_candidates
from nightsharp.optics import Blur, Psf, expose, shake

LAMPS = ((40, 60, 9.0), (70, 200, 12.0), (150, 50, 7.0), (190, 150, 8.0), (120, 230, 10.0))


def hand() -> Psf:
    return shake(21, generator=torch.Generator().manual_seed(5))


def night(psf: Psf | None, *, lamps: tuple[tuple[int, int, float], ...] = LAMPS) -> torch.Tensor:
    """A dim scene with lamps, in linear light, blurred, exposed and clipped."""
    scene = torch.from_numpy(skimage.data.coffee()).permute(2, 0, 1)[None].float() / 255
    light = 0.2 * scene[..., 60:280, 130:390] ** 2.2
    for row, column, power in lamps:
        light[..., row, column] = power
    blurred = light if psf is None else Blur(psf, "replicate")(light)
    return expose(blurred, photons=8000, read_noise=0.001, generator=torch.Generator().manual_seed(1))[0]


def display(linear: torch.Tensor) -> torch.Tensor:
    return linear ** (1 / 2.2)


@functools.cache
def found_by_itself() -> StreakEstimate | None:
    photo = night(hand())
    return from_light_streak(photo, display=display(photo))


def around(row: int, column: int, reach: int = 22) -> tuple[int, int, int, int]:
    return column - reach, row - reach, 2 * reach, 2 * reach


def test_the_lamps_of_a_night_photograph_give_its_psf() -> None:
    found = found_by_itself()
    assert found is not None
    assert similarity(found.psf.kernel, hand().kernel) > 0.85
    assert len(found.boxes) >= 3
    assert found.confidence > 0.5


def test_the_boxes_lie_on_the_lamps() -> None:
    found = found_by_itself()
    assert found is not None
    for left, top, width, height in found.boxes:
        near = [abs(top + height / 2 - row) < 20 and abs(left + width / 2 - column) < 20 for row, column, _ in LAMPS]
        assert any(near)


@pytest.mark.parametrize("lit", [slice(0, 5), slice(0, 1), slice(1, 3)], ids=str)
def test_every_lamp_counts_once(lit: slice) -> None:
    photo = night(hand(), lamps=LAMPS[lit])
    found = from_light_streak(photo, display=display(photo))
    assert found is not None
    # cut out at two levels, a lamp has two boxes about one place
    middles = [(top + height / 2, left + width / 2) for left, top, width, height in found.boxes]
    apart = [abs(a - c) + abs(b - d) for n, (a, b) in enumerate(middles) for c, d in middles[:n]]
    assert min(apart, default=100) > 20
    assert len(found.boxes) == len(LAMPS[lit])


def test_one_lamp_shown_by_a_box_gives_the_psf() -> None:
    found = from_light_streak(night(hand()), around(*LAMPS[0][:2]))
    assert found is not None
    assert similarity(found.psf.kernel, hand().kernel) > 0.85
    assert found.boxes == (around(*LAMPS[0][:2]),)


def test_a_lamp_that_is_white_in_one_channel_is_read_in_another() -> None:
    lamp = torch.zeros(1, 3, 64, 64)
    lamp[..., 32, 32] = torch.tensor([60.0, 30.0, 8.0])
    seen = Blur(hand())(lamp)[0]
    clipped = (seen.clamp(0, 1) >= 0.98).flatten(1).sum(1)
    assert clipped[0] > clipped[2]
    found = from_light_streak(seen.clamp(0, 1), (2, 2, 60, 60))
    assert found is not None
    assert similarity(found.psf.kernel, hand().kernel) > 0.8


def test_candidates_come_best_first_and_are_psfs() -> None:
    candidates = streak_candidates(night(hand()))
    assert [c.rank for c in candidates] == sorted((c.rank for c in candidates), reverse=True)
    for candidate in candidates:
        assert all(side % 2 == 1 for side in candidate.kernel.shape)
        assert float(candidate.kernel.sum()) == pytest.approx(1, abs=1e-5)
        assert bool((candidate.kernel >= 0).all())


def test_a_photograph_without_lamps_gives_nothing() -> None:
    assert from_light_streak(torch.full((3, 80, 80), 0.3)) is None
    assert streak_candidates(night(hand(), lamps=())[:, :96, :96] * 0) == []


def test_a_sharp_photograph_gives_nothing_or_little() -> None:
    found = from_light_streak(night(None))
    assert found is None or found.psf.quality().spread < 2


@pytest.mark.parametrize(
    ("box", "words"),
    [
        ((10, 10, 2, 2), "at least 3 x 3"),
        ((-1, 0, 20, 20), "does not lie"),
        ((290, 0, 20, 20), "does not lie"),
        ((0, 0, 250, 20), "larger than"),
        ((LAMPS[0][1] - 4, LAMPS[0][0] - 4, 8, 8), "reaches the edge"),
    ],
)
def test_a_box_without_a_whole_trail_is_refused_with_a_reason(box: tuple[int, int, int, int], words: str) -> None:
    with pytest.raises(PsfError, match=words):
        from_light_streak(night(hand()), box)


def test_a_box_on_flat_ground_holds_no_trail() -> None:
    with pytest.raises(PsfError, match="no trail"):
        from_light_streak(torch.full((1, 64, 64), 0.2), (5, 5, 30, 30))


def test_what_is_no_photograph_is_refused() -> None:
    with pytest.raises(PsfError, match="channels"):
        from_light_streak(torch.rand(2, 64, 64))
    with pytest.raises(PsfError, match="NaN"):
        from_light_streak(torch.full((1, 64, 64), float("nan")))

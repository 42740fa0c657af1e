"""A PSF that its window cut off is given room; one that ends within its window is left alone."""

from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from skimage.data import camera
from torch import Tensor

from nightsharp.methods.map_psf import estimate_psf, search, similarity
from nightsharp.methods.map_psf.hypotheses import Hypothesis, Race
from nightsharp.methods.map_psf.observation import Observation
from nightsharp.methods.map_psf.pyramid import GENTLE
from nightsharp.methods.map_psf.room import given_room, is_cut_off, room_alternations
from nightsharp.optics import Blur, shake

LONG = shake(22, generator=torch.Generator().manual_seed(8))
SIZES = [11, 17, 25, 35]


@pytest.fixture(scope="module")
def photo() -> Tensor:
    """200 x 200, blurred by 22 pixels."""
    scene = torch.from_numpy(camera()[None, None, 40:262, 110:332] / 255).float()
    image = Blur(LONG, boundary="valid")(scene)[0, :, :200, :200]
    noise = torch.Generator().manual_seed(0)
    return (image + 0.003 * torch.randn(image.shape, generator=noise)).clamp(0, 1)


def race_about(photo: Tensor, tick: Callable[[], None] = lambda: None) -> Race:
    seen = Observation.of(photo, 0.98)
    # the contrast for which the priors were set
    bright = 0.17 / float(seen.light.std())
    return Race(replace(seen, light=bright * seen.light), bright * 0.003, tick)


@pytest.fixture(scope="module")
def cut(photo: Tensor) -> tuple[Race, Hypothesis]:
    """A race in which the window was too small."""
    race = race_about(photo)
    return race, race.climb((SIZES[0], GENTLE, False))[0]


@pytest.mark.parametrize(("margins", "answer"), [((3, 3, 3, 3), False), ((1, 3, 3, 3), True), ((3, 3, 3, 0), True)])
def test_a_psf_at_an_edge_of_its_window_may_go_on_beyond(margins: tuple[int, ...], answer: bool):
    top, bottom, left, right = margins
    kernel = torch.zeros(31, 31)
    kernel[top : 31 - bottom, 15] = kernel[15, left : 31 - right] = 1
    assert is_cut_off(kernel) is answer
    # a tap that is hardly there is no sign of more
    assert not is_cut_off(torch.nn.functional.pad(torch.full((3, 3), 100.0), (14, 14, 14, 14)) + answer)


def test_a_psf_that_was_cut_off_grows_to_its_length(cut: tuple[Race, Hypothesis]):
    race, short = cut
    assert is_cut_off(short.fit.kernel)
    found, agreement = given_room(race, SIZES, short, 1.0)
    before, after = (similarity(way.fit.kernel, LONG.kernel) for way in (short, found))
    assert after > max(0.85, before + 0.1)
    assert found.size >= max(LONG.size)
    assert not is_cut_off(found.fit.kernel)
    assert agreement > 0.8, "other windows led to the same PSF"
    assert found.origin == f"{short.origin}, with more room"


def test_a_psf_that_ends_within_its_window_is_left_alone(photo: Tensor):
    race = race_about(photo)
    [whole] = race.climb((35, GENTLE, False))
    assert not is_cut_off(whole.fit.kernel)
    assert given_room(race, [*SIZES, 51], whole, 0.7) == (whole, 0.7)
    assert race.hypotheses == [whole]


def test_what_hardly_sharpens_is_not_followed(cut: tuple[Race, Hypothesis]):
    race, short = cut
    blunt = replace(short, point=short.point / short.gain * 1.05)
    known = list(race.hypotheses)
    assert given_room(race, SIZES, blunt, 0.7) == (blunt, 0.7)
    assert race.hypotheses == known


def test_there_are_no_more_alternations_than_said(photo: Tensor):
    ticks: list[None] = []
    race = race_about(photo, lambda: ticks.append(None))
    [short] = race.climb((SIZES[0], GENTLE, False))
    del ticks[:]
    given_room(race, SIZES, short, 1.0)
    assert 0 < len(ticks) <= room_alternations(SIZES)


def test_the_search_gives_it_room(photo: Tensor, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(search, "_SIZES", (11, 13, 25, 35))
    found = estimate_psf(photo, starts=[])
    monkeypatch.setattr(search, "given_room", lambda race, sizes, best, agreement: (best, agreement))
    without = estimate_psf(photo, starts=[])
    assert without.size < found.size
    assert similarity(found.psf.kernel, LONG.kernel) > similarity(without.psf.kernel, LONG.kernel) + 0.05
    assert found.confidence > 0.8


def test_what_was_misled_is_not_followed(cut: tuple[Race, Hypothesis]):
    """A PSF that sharpens less once it has room was not cut off."""
    race, short = cut
    sharper = replace(short, point=2 * short.point)
    count = len(race.hypotheses)
    assert given_room(race, SIZES, sharper, 0.7) == (sharper, 0.7)
    assert [way.origin for way in race.hypotheses[count:]] == [f"{short.origin}, with more room"]

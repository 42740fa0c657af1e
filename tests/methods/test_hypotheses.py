"""Which of several PSFs is believed: ways by the edges that agree, and lamps that drew the same."""

import pytest
import torch

from nightsharp.methods.map_psf.hypotheses import STREAK, Hypothesis, Race, Start
from nightsharp.methods.map_psf.observation import Canvas, Observation
from nightsharp.methods.map_psf.pyramid import FIRM, Fit, Scale
from nightsharp.optics import gaussian, line, shake

SEEN = Observation.of(torch.rand(1, 64, 64, generator=torch.Generator().manual_seed(0)), 0.98)
CANVAS = Canvas.around(SEEN, 31)
SPECK = gaussian(0.6).pad(31, 31).kernel
PATH = shake(19, generator=torch.Generator().manual_seed(5)).pad(31, 31).kernel
OTHER = line(15, 70).pad(31, 31).kernel


def hypothesis(kernel: torch.Tensor, gain: float, origin: str = "edges") -> Hypothesis:
    """One with a gain that is set, and not measured."""
    fit = Fit((Scale(1.0, kernel),), CANVAS, FIRM, 0.0)
    found = Hypothesis(origin, 31, fit, 1.0)
    vars(found)["gain"] = gain
    return found


class Told(Race):
    """A race whose ways are known beforehand: (gentle, upright), then what became of each trail."""

    def __init__(self, ways: list[Hypothesis], trails: dict[int, Hypothesis]) -> None:
        super().__init__(SEEN, 0.0, lambda: None)
        self.ways, self.trails, self.polished = ways, trails, 0

    def climb(self, *_starts):
        self.hypotheses += self.ways
        return self.ways

    def polish(self, starts, origin=STREAK):
        found = [self.trails[start.lamps] for start in starts]
        self.polished += len(found)
        self.hypotheses += found
        return found


def best(lamps: int, gain: float, found: torch.Tensor, *, agree: bool = True) -> tuple[Hypothesis, float, int]:
    """The winner beside ways that led to a speck with a gain of 1.2, and how many trails were fitted."""
    first = hypothesis(SPECK, 1.2)
    ways = [hypothesis(SPECK, 1.2), hypothesis(SPECK, 1.2)]
    if not agree:
        ways = [hypothesis(OTHER, 1.0), hypothesis(line(15, 160).pad(31, 31).kernel, 1.0)]
    race = Told(ways, {lamps: hypothesis(found, gain, "light streak")})
    race.hypotheses.append(first)
    winner, agreement = race.best_way(first, [Start(PATH, lamps, PATH)])
    return winner, agreement, race.polished


def test_many_lamps_of_one_shape_are_believed_before_two_ways_that_agree():
    winner, agreement, _ = best(lamps=6, gain=1.4, found=PATH)
    assert winner.origin == "light streak"
    assert agreement > 0.9


@pytest.mark.parametrize(
    ("lamps", "gain", "found"),
    [(2, 1.4, PATH), (6, 1.21, PATH), (6, 1.4, OTHER)],
    ids=["few lamps", "they sharpen no more", "the edges made something else of their trail"],
)
def test_otherwise_two_ways_that_agree_stand(lamps, gain, found):
    winner, _, _ = best(lamps, gain, found)
    assert winner.origin == "edges"


def test_one_lamp_is_not_even_asked_where_two_ways_agree():
    assert best(lamps=1, gain=1.4, found=PATH)[2] == 0


def test_where_no_two_ways_agree_one_lamp_may_win_but_is_no_witness():
    winner, agreement, _ = best(lamps=1, gain=1.4, found=PATH, agree=False)
    assert winner.origin == "light streak"
    assert agreement < 0.9


def test_lamps_bear_witness_for_what_the_edges_found():
    first = hypothesis(PATH, 1.3)
    ways = [hypothesis(OTHER, 1.0), hypothesis(SPECK, 1.0)]
    race = Told(ways, {6: hypothesis(PATH, 1.3)})
    winner, agreement = race.best_way(first, [Start(PATH, 6, PATH)])
    assert winner is first
    assert agreement > 0.9

"""The PSF that is taken is asked once more by more edges: what coarser scales left in it goes, what is right stays."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
import skimage.data
import torch

from nightsharp.methods.map_psf import estimate_psf, hypotheses, similarity
from nightsharp.methods.map_psf.hypotheses import CONVINCING, Race
from nightsharp.methods.map_psf.observation import Observation
from nightsharp.methods.map_psf.pyramid import FIRM, GENTLE, Prior, Scale, finishes
from nightsharp.optics import Blur, Psf, line, shake


def blurred(picture: str, seed: int, length: float, window: int, prior: Prior) -> tuple[Race, Psf, Counter[str]]:
    """A race about a picture that scikit-image ships, its PSF, and how many alternations were made."""
    counted: Counter[str] = Counter()
    psf = shake(length, generator=torch.Generator().manual_seed(seed))
    scene = torch.from_numpy(np.asarray(getattr(skimage.data, picture)(), dtype=np.float32) / 255)
    image = Blur(psf, boundary="valid")(scene[None, None, :172, 60:300])[0]
    noise = torch.Generator().manual_seed(0)
    seen = Observation.of((image + 0.001 * torch.randn(image.shape, generator=noise)).clamp(0, 1), 0.98)
    # the contrast for which the priors were set
    bright = 0.17 / float(seen.light.std())
    race = Race(replace(seen, light=bright * seen.light), bright * 0.001, lambda: counted.update(["alternations"]))
    race.climb((window, prior, False))
    return race, psf, counted


@pytest.mark.parametrize(("picture", "seed", "length"), [("page", 8, 13), ("page", 1, 19), ("brick", 3, 15)])
def test_what_coarser_scales_left_in_a_psf_goes(picture: str, seed: int, length: float):
    race, psf, _ = blurred(picture, seed, length, 25, FIRM)
    [found] = race.hypotheses
    before, after = (similarity(way.fit.kernel, psf.kernel) for way in (found, race.finish(found)))
    assert after > before + 0.04


def test_a_psf_that_is_right_stays():
    race, psf, _ = blurred("coins", 8, 13, 25, GENTLE)
    [found] = race.hypotheses
    assert similarity(found.fit.kernel, psf.kernel) > 0.95
    assert similarity(race.finish(found).fit.kernel, psf.kernel) > 0.95


def test_what_is_led_astray_is_not_taken(monkeypatch: pytest.MonkeyPatch):
    race, _, _ = blurred("coins", 1, 9, 15, GENTLE)
    [found] = race.hypotheses
    point = torch.zeros_like(found.fit.kernel)
    point[7, 7] = 1
    astray = replace(found.fit, scales=(*found.fit.scales[:-1], Scale(1.0, point)))
    monkeypatch.setattr(hypotheses, "finished", lambda *_: astray)
    assert replace(found, fit=astray).gain < 0.92 * found.gain
    assert race.finish(found) is found


@pytest.mark.parametrize(("length", "asked"), [(0, False), (9, True)], ids=["sharp", "blurred"])
def test_of_a_sharp_photograph_more_edges_are_not_asked(monkeypatch: pytest.MonkeyPatch, length: int, asked: bool):
    seen: list[float] = []
    monkeypatch.setattr(Race, "finish", lambda _, way: seen.append(way.gain) or way)
    scene = torch.from_numpy(skimage.data.coins()[None, None, :128, :128] / 255).float()
    photo = Blur(line(length), boundary="replicate")(scene)[0] if length else scene[0]
    estimate_psf(photo, size=13, starts=[])
    assert bool(seen) is asked
    assert all(gain >= CONVINCING for gain in seen)


def test_how_it_came_about_is_told_as_before_and_its_alternations_are_counted():
    race, _, counted = blurred("coins", 1, 9, 15, GENTLE)
    [found] = race.hypotheses
    before = counted["alternations"]
    done = race.finish(found)
    assert counted["alternations"] - before == finishes()
    assert (done.origin, done.size, done.fit.prior, done.point) == (
        found.origin,
        found.size,
        found.fit.prior,
        found.point,
    )
    assert [scale.scale for scale in done.fit.scales] == [scale.scale for scale in found.fit.scales]
    assert done.fit.kernel is done.fit.scales[-1].kernel
    assert race.hypotheses == [found]

"""Large photographs: what their own size does not show is looked for from further away."""

from dataclasses import replace

import pytest
import torch
from skimage.data import camera
from torch import Tensor

from nightsharp.errors import PsfError
from nightsharp.methods.map_psf import PsfEstimate, Trial, estimate, estimate_psf, refine_psf, search, similarity
from nightsharp.methods.map_psf.octaves import octaves, seen_from, widest
from nightsharp.methods.map_psf.search import fitted
from nightsharp.optics import Blur, Psf, shake

POINTS = Psf.from_tensor(torch.tensor([[0.5, 0.0, 0.5]]))
LONG = shake(45, generator=torch.Generator().manual_seed(3))


@pytest.fixture(scope="module")
def soft() -> Tensor:
    """700 x 700, its pixels as soft as those of a photograph of many megapixels, blurred by 45 of them."""
    scene = torch.from_numpy(camera()[None, None, 30:450, 80:500] / 255).float()
    large = torch.nn.functional.interpolate(scene, size=(780, 780), mode="bicubic", antialias=True)
    image = Blur(LONG, boundary="valid")(large)[0, :, :700, :700]
    noise = torch.Generator().manual_seed(0)
    return (image + 0.005 * torch.randn(image.shape, generator=noise)).clamp(0, 1)


def test_each_octave_leaves_a_photograph_to_look_at():
    assert list(octaves(639, None)) == [1]
    assert list(octaves(640, None)) == [1, 2]
    assert list(octaves(1280, None)) == [1, 2, 4]


@pytest.mark.parametrize(("shorter", "size"), [(700, 21), (700, 102), (700, 202), (3000, 404), (500, 101)])
def test_a_window_that_is_asked_for_holds_as_much_from_further_away(shorter: int, size: int):
    windows = octaves(shorter, size)
    assert windows
    assert all(window is not None and window % 2 == 1 and window <= 101 for window in windows.values())
    assert all(window is not None and octave * window >= size for octave, window in windows.items())


def test_the_widest_window_grows_with_the_photograph():
    assert [widest(side) for side in (200, 640, 1280, 9000)] == [101, 202, 404, 404]
    assert octaves(640, 202)
    assert not octaves(640, 204)


def test_from_further_away_the_mean_is_the_same(soft: Tensor):
    assert seen_from(soft, 1) is soft
    half = seen_from(soft, 2)
    assert half.shape[-2:] == (350, 350)
    assert float(half.mean()) == pytest.approx(float(soft.mean()), abs=1e-3)


def test_a_blur_too_large_for_any_window_of_its_own_size_is_found(soft: Tensor):
    found = estimate_psf(soft, size=121, starts=[])
    assert similarity(found.psf.kernel, LONG.kernel) > 0.6
    assert found.confidence > 0.5
    assert found.origin.endswith(", at 1/2 of the size")
    assert found.size == 122
    assert max(scale.scale for scale in found.scales) == 0.5
    assert {trial.size for trial in found.tried} == {122}


def test_a_psf_wider_than_any_window_is_refined_from_further_away(soft: Tensor):
    rough = LONG.pad(151, 151)
    refined = refine_psf(soft, rough)
    assert similarity(refined.psf.kernel, LONG.kernel) > 0.6
    assert refined.origin == "refined, at 1/2 of the size"


def test_a_window_wider_than_the_photograph_shows_is_refused(soft: Tensor):
    with pytest.raises(PsfError, match=r"203 does not fit: it goes from 3 to 202 in a photograph of 700 x 700"):
        estimate_psf(soft, size=203)


def test_what_was_found_from_further_away_is_fitted_where_that_sharpens(soft: Tensor):
    rough = Psf.from_tensor(LONG.resize(0.5).resize(2).kernel)
    nearer = fitted(soft, rough, sigma=None, saturation=1.0, tick=lambda: None)
    assert similarity(nearer.kernel, LONG.kernel) > similarity(rough.kernel, LONG.kernel)
    wide = LONG.pad(151, 151)
    assert fitted(soft, wide, sigma=None, saturation=1.0, tick=lambda: None) is wide


def test_a_fit_that_sharpens_less_is_not_taken(monkeypatch, soft: Tensor):
    monkeypatch.setattr(search, "_AS_SHARP", 10.0)
    assert fitted(soft, LONG, sigma=None, saturation=1.0, tick=lambda: None) is LONG


def told(monkeypatch: pytest.MonkeyPatch, *confidences: float) -> tuple[PsfEstimate, int]:
    """What comes of a photograph of three octaves on which the searches are this sure, and how many were made."""
    real = estimate_psf(torch.rand(1, 32, 32, generator=torch.Generator().manual_seed(1)), size=3, starts=[])
    answers = [
        replace(real, psf=POINTS, confidence=confidence, size=31, origin="edges", tried=(Trial("edges", 31, 1.2),))
        for confidence in confidences
    ]
    seen: list[int] = []
    fits: list[int] = []

    def told_by(photo: Tensor, **_: object) -> PsfEstimate:
        seen.append(photo.shape[-1])
        return answers[len(seen) - 1]

    monkeypatch.setattr(estimate, "search", told_by)
    monkeypatch.setattr(estimate, "fitted", lambda photo, rough, **_: fits.append(photo.shape[-1]) or rough)
    found = estimate_psf(torch.full((1, 1280, 1280), 0.5), sigma=0.02)
    assert seen == [1280, 640, 320][: len(seen)]
    assert fits == [640, 1280][2 - found.size // 62 :]
    return found, len(seen)


@pytest.mark.parametrize(
    ("confidences", "size", "searches"),
    [
        ((0.85, 0.0, 0.0), 31, 1),
        ((0.3, 0.9, 0.0), 62, 2),
        ((0.3, 0.5, 0.9), 124, 3),
        ((0.5, 0.55, 0.2), 31, 3),
        ((0.0, 0.0, 0.0), 31, 3),
    ],
    ids=["sure at once", "sure from further away", "only from afar", "hardly surer", "nothing anywhere"],
)
def test_the_nearest_that_is_sure_is_taken(monkeypatch, confidences, size, searches):
    found, made = told(monkeypatch, *confidences)
    assert found.size == size
    assert found.confidence == confidences[(31, 62, 124).index(size)]
    assert made == searches
    expected = POINTS
    for _ in range(size // 62):
        expected = expected.resize(2)
    assert similarity(found.psf.kernel, expected.kernel) > 0.999
    assert found.noise_sigma == 0.02

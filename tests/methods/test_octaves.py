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
    assert list(octaves(399, None)) == [1]
    assert list(octaves(400, None)) == [1, 2]
    assert list(octaves(800, None)) == [1, 2, 4]
    assert list(octaves(1280, None)) == [2, 4, 1]


@pytest.mark.parametrize(("shorter", "size"), [(700, 21), (700, 102), (700, 202), (3000, 404), (399, 101), (800, 404)])
def test_a_window_that_is_asked_for_holds_as_much_from_further_away(shorter: int, size: int):
    windows = octaves(shorter, size)
    assert windows
    assert all(window is not None and window % 2 == 1 and window <= 101 for window in windows.values())
    assert all(window is not None and octave * window >= size for octave, window in windows.items())


def test_the_widest_window_grows_with_the_photograph():
    assert [widest(side) for side in (200, 400, 800, 9000)] == [101, 202, 404, 404]
    assert octaves(400, 202)
    assert not octaves(400, 204)


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


NEAR, HALF, AFAR = 31, 62, 124


def told(
    monkeypatch: pytest.MonkeyPatch, confidences: dict[int, float], side: int, psf: Psf
) -> tuple[PsfEstimate, list[int]]:
    """What comes of a photograph on whose octaves the searches are this sure, and in which order they were made."""
    real = estimate_psf(torch.rand(1, 32, 32, generator=torch.Generator().manual_seed(1)), size=3, starts=[])
    seen: list[int] = []
    fits: list[int] = []

    def told_by(photo: Tensor, **_: object) -> PsfEstimate:
        seen.append(side // photo.shape[-1])
        told = replace(real, psf=psf, size=31, origin="edges", tried=(Trial("edges", 31, 1.2),))
        return replace(told, confidence=confidences[seen[-1]])

    monkeypatch.setattr(estimate, "search", told_by)
    monkeypatch.setattr(estimate, "fitted", lambda photo, rough, **_: fits.append(side // photo.shape[-1]) or rough)
    found = estimate_psf(torch.full((1, side, side), 0.5), sigma=0.02)
    assert fits == [2, 1][2 - found.size // HALF :]
    expected = psf
    for _ in range(found.size // HALF):
        expected = expected.resize(2)
    assert similarity(found.psf.kernel, expected.kernel) > 0.999
    assert found.confidence == confidences[found.size // 31]
    assert found.noise_sigma == 0.02
    return found, seen


@pytest.mark.parametrize(
    ("side", "confidences", "size", "looks"),
    [
        (700, {1: 0.85, 2: 0.99}, NEAR, [1]),
        (700, {1: 0.3, 2: 0.9}, HALF, [1, 2]),
        (700, {1: 0.5, 2: 0.55}, NEAR, [1, 2]),
        (800, {1: 0.3, 2: 0.4, 4: 0.9}, AFAR, [1, 2, 4]),
        (1280, {2: 0.85}, HALF, [2]),
        (1280, {2: 0.5, 4: 0.9}, AFAR, [2, 4]),
        (1280, {2: 0.5, 4: 0.5, 1: 0.9}, NEAR, [2, 4, 1]),
        (1280, {2: 0.6, 4: 0.2, 1: 0.4}, HALF, [2, 4, 1]),
        (1280, {2: 0.0, 4: 0.0, 1: 0.0}, NEAR, [2, 4, 1]),
    ],
    ids=[
        "sure at once",
        "sure from further away",
        "hardly surer",
        "sure only from afar",
        "large: sure from the middle",
        "large: only from afar",
        "large: only from near",
        "large: the surest of the unsure",
        "large: nothing anywhere",
    ],
)
def test_where_a_photograph_is_looked_at_from(monkeypatch, side, confidences, size, looks):
    wide = shake(9, generator=torch.Generator().manual_seed(1))
    found, seen = told(monkeypatch, confidences, side, wide)
    assert found.size == size
    assert seen == looks


@pytest.mark.parametrize(("near", "size"), [(0.9, NEAR), (0.4, HALF)])
def test_a_small_psf_is_looked_for_from_near_as_well(monkeypatch, near: float, size: int):
    found, seen = told(monkeypatch, {2: 0.95, 1: near}, 1280, Psf.from_tensor(torch.tensor([[0.5, 0.0, 0.5]])))
    assert seen == [2, 1]
    assert found.size == size

"""A sharp and a blurred shot of one scene give the PSF."""

import pytest
import skimage.data
import torch

from nightsharp.errors import PsfError
from nightsharp.methods.map_psf import similarity
from nightsharp.methods.map_psf.pair import from_pair
from nightsharp.optics import Blur, Psf, disk, line, shake

PSFS = {"line": line(15, 30), "disk": disk(5), "shake": shake(21, generator=torch.Generator().manual_seed(5))}


def scene() -> torch.Tensor:
    return torch.from_numpy(skimage.data.camera()).float()[None, 20:276, 150:406] / 255


def pair(psf: Psf, *, noise: float = 0.0, gain: float = 1.0, offset: float = 0.0) -> tuple[torch.Tensor, torch.Tensor]:
    """A sharp shot and a blurred one that saw the light from beyond its border too."""
    generator = torch.Generator().manual_seed(0)
    blurred = gain * Blur(psf, "valid")(scene()[None])[0] + offset
    kh, kw = psf.size
    sharp = scene()[:, kh - 1 - kh // 2 :, kw - 1 - kw // 2 :][:, : blurred.shape[1], : blurred.shape[2]]
    return sharp, (blurred + noise * torch.randn(blurred.shape, generator=generator)).clamp(0, 1)


@pytest.mark.parametrize("psf", PSFS.values(), ids=list(PSFS))
@pytest.mark.parametrize(("noise", "least"), [(0.0, 0.999), (0.01, 0.97), (0.03, 0.88)])
def test_the_psf_of_a_pair_is_found_under_noise(psf: Psf, noise: float, least: float) -> None:
    assert similarity(from_pair(*pair(psf, noise=noise)).psf.kernel, psf.kernel) > least


def test_another_exposure_is_told_apart_from_the_psf() -> None:
    found = from_pair(*pair(line(15, 30), gain=0.5, offset=0.1))
    assert found.gain == pytest.approx(0.5, abs=0.01)
    assert found.offset == pytest.approx(0.1, abs=0.01)
    assert similarity(found.psf.kernel, line(15, 30).kernel) > 0.99


def test_a_shift_between_the_shots_is_taken_out() -> None:
    sharp, blurred = pair(disk(5))
    found = from_pair(sharp[:, 7:, :-4], blurred[:, :-7, 4:])
    assert found.shift == (7, -4)
    assert similarity(found.psf.kernel, disk(5).kernel) > 0.99


def test_clipped_lamps_have_no_vote() -> None:
    light = scene() * 0.7
    light[:, 120:124, 120:124] = 30
    blurred = Blur(disk(5), "replicate")(light[None])[0]
    assert similarity(from_pair(light.clamp(0, 1), blurred.clamp(0, 1)).psf.kernel, disk(5).kernel) > 0.98


def test_a_given_size_is_kept_to() -> None:
    assert max(from_pair(*pair(disk(5)), size=15).psf.size) <= 15


@pytest.mark.parametrize("turned", [lambda x: torch.rot90(x, 1, (1, 2)), lambda x: x.flip(2), torch.rand_like])
def test_shots_of_different_scenes_are_refused(turned) -> None:
    with pytest.raises(PsfError, match="explains"):
        from_pair(scene(), turned(scene()))


@pytest.mark.parametrize("grey", [0.0, 0.35])
def test_flat_shots_explain_nothing(grey: float) -> None:
    flat = torch.full((1, 64, 64), grey)
    with pytest.raises(PsfError, match="explains 0%"):
        from_pair(flat, flat)


@pytest.mark.parametrize(
    ("sharp", "blurred", "size", "words"),
    [
        (torch.rand(1, 64, 64), torch.rand(1, 64, 65), None, "cropped alike"),
        (torch.rand(2, 64, 64), torch.rand(2, 64, 64), None, "channels"),
        (torch.rand(1, 20, 64), torch.rand(1, 20, 64), None, "a side of 20"),
        (torch.rand(1, 64, 64), torch.rand(1, 64, 64), 51, "does not fit"),
        (torch.rand(1, 64, 64), torch.full((1, 64, 64), float("nan")), None, "NaN"),
        (torch.ones(1, 64, 64), torch.ones(1, 64, 64), None, "clipped"),
    ],
)
def test_what_is_no_pair_is_refused_with_a_reason(sharp, blurred, size, words: str) -> None:
    with pytest.raises(PsfError, match=words):
        from_pair(sharp, blurred, size=size)

"""Blur that varies over the photograph is told from noise, and restored place by place."""

import math
from pathlib import Path

import pytest
import skimage.data
import torch

from nightsharp import deblur
from nightsharp.errors import PsfError, UsageError
from nightsharp.optics import Blur, Psf, disk, line, shake
from nightsharp.optics.field import PsfField
from nightsharp.restore import plan_deblur, region
from nightsharp.restore.found import FoundPsf
from nightsharp.restore.opening import opened
from nightsharp.restore.searching import psf_from_streak
from nightsharp.restore.varying import estimate_field, judge_field

GRID = (3, 3)
ALL = [[True] * 3] * 3


def scene() -> torch.Tensor:
    return torch.from_numpy(skimage.data.camera()).float()[None, None, 20:276, 130:386] / 255


def turning() -> list[list[Psf]]:
    """A roll of the camera: the direction of motion turns across the picture."""
    return [[line(13, 12 * column + 4 * row) for column in range(3)] for row in range(3)]


def noisy(psf: Psf, seed: int) -> Psf:
    kernel = psf.pad(21, 21).kernel
    noise = torch.rand(kernel.shape, generator=torch.Generator().manual_seed(seed)) > 0.95
    return Psf.from_tensor(kernel + 0.03 * noise).centred()


def psnr(image: torch.Tensor) -> float:
    inner = (..., slice(20, -20), slice(20, -20))
    return float(-10 * (image.clamp(0, 1) - scene())[inner].square().mean().log10())


def test_a_motion_that_turns_across_the_picture_is_a_field() -> None:
    judged = judge_field(turning(), ALL, line(13), 0.8)
    assert judged.field is not None
    assert judged.field.grid == GRID
    assert judged.near > judged.far
    assert "varies" in judged.reason


def test_windows_that_differ_by_noise_get_one_psf_and_the_reason() -> None:
    psfs = [[noisy(line(13, 30), 3 * row + column) for column in range(3)] for row in range(3)]
    judged = judge_field(psfs, ALL, line(13, 30), 0.8)
    assert judged.field is None
    assert "noise" in judged.reason
    assert judged.psf.size == line(13, 30).size


def test_an_outlier_takes_its_neighbours_psf() -> None:
    psfs = turning()
    psfs[1][1] = Psf.from_tensor(torch.eye(31)[[0, 30]].T @ torch.eye(31)[[30, 0]])
    judged = judge_field(psfs, ALL, line(13), 0.8)
    assert judged.replaced == ((1, 1),)
    assert judged.field is not None
    assert Psf.from_tensor(judged.field.kernels[1, 1]).quality().spread < 6


def test_windows_without_a_say_do_not_make_a_field() -> None:
    judged = judge_field(turning(), [[True] * 3, [False] * 3, [False] * 3], line(13), 0.8)
    assert judged.field is None
    assert "3 of 9" in judged.reason


def test_neighbours_are_shifted_onto_each_other() -> None:
    """The same PSF, centred differently in each window, is one PSF after alignment."""
    psfs = turning()
    plain = judge_field(psfs, ALL, line(13), 0.8).field
    moved = [
        [Psf.from_tensor(torch.roll(p.pad(25, 25).kernel, (r, -c), (0, 1))) for c, p in enumerate(row)]
        for r, row in enumerate(psfs)
    ]
    again = judge_field(moved, ALL, line(13), 0.8).field
    assert plain is not None
    assert again is not None
    assert plain.kernels.shape == again.kernels.shape
    torch.testing.assert_close(plain.kernels, again.kernels, atol=1e-5, rtol=0)


def test_a_field_of_equal_psfs_restores_as_one_psf_does() -> None:
    psf = shake(9, generator=torch.Generator().manual_seed(1))
    blurred = Blur(psf, "replicate")(scene())[0]
    whole = deblur(blurred, psf=psf, guard=False).sharp
    parts = deblur(blurred, psf=PsfField.of([[psf] * 2] * 2), guard=False)
    assert parts.report["plan"]["tiles"] > 1
    inner = (..., slice(16, -16), slice(16, -16))
    assert float((parts.sharp - whole)[inner].abs().max()) < 1 / 255


def test_a_field_restores_varying_blur_better_than_one_psf() -> None:
    field = PsfField.of(turning())
    blurred = field.blur(scene()) + 0.005 * torch.randn(scene().shape, generator=torch.Generator().manual_seed(1))
    one = deblur(blurred[0], psf=field.mean(), guard=False).sharp
    done = deblur(blurred[0], psf=field, guard=False)
    assert done.report["method"] == "hyper_laplacian"
    assert psnr(done.sharp[None]) > psnr(one[None]) + 0.7
    assert psnr(done.sharp[None]) > psnr(blurred) + 4


def test_the_report_says_that_the_blur_varied() -> None:
    done = deblur(scene()[0], psf=PsfField.of([[line(5), line(5, 30)]]), method="wiener")
    assert done.report["psf"]["grid"] == [1, 2]


def test_a_field_is_kept_in_a_file_and_restored_with(tmp_path: Path) -> None:
    field = PsfField.of([[line(5), line(5, 30)]])
    file = FoundPsf(field.mean(), 0.9, "a test", field).save(tmp_path / "roll.npy")
    from_file = deblur(scene()[0], psf=file, method="wiener", guard=False)
    assert torch.equal(from_file.sharp, deblur(scene()[0], psf=field, method="wiener", guard=False).sharp)
    assert plan_deblur(scene()[0], psf=file).core == from_file.report["plan"]["core"]
    picture = FoundPsf(field.mean(), 0.9, "a test", field).save(tmp_path / "roll.png")
    assert Psf.load(picture).size[1] > 2 * field.kernels.shape[-1]


def test_only_one_way_to_come_by_the_psf_is_taken() -> None:
    with pytest.raises(UsageError, match="Choose one"):
        deblur(scene()[0], psf=line(5), varying=True)


def test_where_one_psf_serves_the_route_is_that_of_one_psf(monkeypatch: pytest.MonkeyPatch) -> None:
    found = FoundPsf(line(9), 0.9, "estimated by map_psf; the windows agree")
    monkeypatch.setattr("nightsharp.restore.job.psf_varying", lambda *_, **__: found)
    blurred = Blur(line(9), "replicate")(scene()[:, :, :160, :160].expand(-1, 3, -1, -1))[0]
    out = deblur(blurred, varying=True, guard=False)
    assert (out.method, out.report["psf"]["source"]) == ("nightwiener", found.source)
    assert "varies" not in out.report["route"]["reason"]


def test_a_photograph_without_lamps_has_no_streak() -> None:
    with pytest.raises(PsfError, match="no lamp"):
        deblur(torch.full((1, 64, 64), 0.3), streak="auto")


def test_of_a_very_large_photograph_the_part_around_the_lamp_is_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(region, "_LARGE", 1)
    monkeypatch.setattr(region, "_SIDE", 96)
    night = torch.zeros(1, 1, 200, 300)
    night[..., 180, 270] = 5
    seen = Blur(line(9), "replicate")(night)[0].clamp(0, 1)
    shown = region.part_around(opened(seen, light=None), (255, 165, 30, 30))
    assert shown == (slice(104, 200), slice(204, 300))
    assert psf_from_streak(opened(seen, light=None), (255, 165, 30, 30)).psf.quality().support == (1, 9)
    with pytest.raises(PsfError, match="280,165,30,30 does not lie"):
        psf_from_streak(opened(seen, light=None), (280, 165, 30, 30))


def test_uniform_blur_falls_back_to_one_psf() -> None:
    blurred = Blur(disk(3), "replicate")(scene())[0]
    found = estimate_field(blurred, grid=(1, 2), size=11)
    assert found.field is None
    assert math.isfinite(found.confidence)


@pytest.mark.parametrize("grid", [(0, 1), (9, 9)])
def test_a_grid_that_does_not_fit_is_refused(grid: tuple[int, int]) -> None:
    with pytest.raises(PsfError, match="does not fit"):
        estimate_field(scene()[0, :, :96, :96], grid=grid, size=5)

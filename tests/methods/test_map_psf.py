"""Blind PSF estimation on photographs whose PSF we know because we blurred them."""

import pytest
import skimage.data
import torch

from nightsharp.errors import Cancelled, PsfError, UsageError
from nightsharp.methods.hyper_laplacian import hyper_laplacian
from nightsharp.methods.map_psf import PsfEstimate, estimate_psf, similarity
from nightsharp.optics import Blur, Psf, disk, line


def camera() -> torch.Tensor:
    image = torch.from_numpy(skimage.data.camera()).float() / 255
    return image[None, None, 30:222, 130:322].contiguous()


def bent() -> Psf:
    """An arc with an uneven speed, as a hand draws it."""
    kernel = torch.zeros(13, 13)
    turn = torch.linspace(0, 2.2, 400)
    rows, columns = 6 + 5 * turn.sin() - 2.5, 6 + 5 * turn.cos() - 1
    kernel.index_put_((rows.round().long(), columns.round().long()), 1 + turn, accumulate=True)
    return Psf.from_tensor(kernel).centred()


def blurred_by(psf: Psf, *, noise: float = 0.003) -> torch.Tensor:
    image = Blur(psf, boundary="replicate")(camera())
    return (image + noise * torch.randn(image.shape, generator=torch.Generator().manual_seed(1))).clamp(0, 1)


def psnr(image: torch.Tensor, border: int = 20) -> float:
    """The best over small shifts: a blind PSF has no place of its own."""
    inner = slice(border, -border)
    target = camera()[..., inner, inner]
    errors = [
        (image.roll((down, across), (-2, -1))[..., inner, inner] - target).square().mean()
        for down in range(-3, 4)
        for across in range(-3, 4)
    ]
    return float(-10 * torch.stack(errors).min().log10())


@pytest.fixture(scope="module")
def estimate() -> PsfEstimate:
    return estimate_psf(blurred_by(bent()), size=19)


def test_the_psf_of_a_hand_shake_is_found(estimate: PsfEstimate) -> None:
    assert similarity(estimate.psf.kernel, bent().kernel) > 0.7


def test_restoring_with_the_estimate_gains_decibels(estimate: PsfEstimate) -> None:
    blurred = blurred_by(bent())
    restored = hyper_laplacian(blurred, estimate.psf.kernel[None, None]).clamp(0, 1)
    assert psnr(restored) > psnr(blurred) + 2


def test_the_estimate_is_a_psf_with_a_record(estimate: PsfEstimate) -> None:
    kernel = estimate.psf.kernel
    assert bool((kernel >= 0).all())
    assert abs(float(kernel.sum()) - 1) < 1e-5
    assert max(abs(o) for o in estimate.psf.quality().offset) <= 0.5
    assert 0 <= estimate.confidence <= 1
    assert abs(estimate.noise_sigma - 0.003) < 0.003
    assert [s.scale for s in estimate.scales] == sorted(s.scale for s in estimate.scales)
    assert estimate.origin in {trial.origin for trial in estimate.tried}
    assert {trial.size for trial in estimate.tried} == {19}


def test_the_same_photograph_gives_the_same_psf(estimate: PsfEstimate) -> None:
    again = estimate_psf(blurred_by(bent())[0], size=19)
    assert torch.equal(again.psf.kernel, estimate.psf.kernel)


def test_the_size_is_found_when_it_is_not_given() -> None:
    found = estimate_psf(blurred_by(bent()))
    assert len({trial.size for trial in found.tried}) > 1
    assert found.size in {trial.size for trial in found.tried}
    assert similarity(found.psf.kernel, bent().kernel) > 0.7


def test_a_straight_motion_is_found_in_its_direction() -> None:
    kernel = estimate_psf(blurred_by(line(9)), size=15).psf.kernel
    assert similarity(kernel, line(9).kernel) > 0.7


def test_a_sharp_photograph_gives_almost_a_point_and_no_more_confidence_than_a_blurred_one(
    estimate: PsfEstimate,
) -> None:
    sharp = estimate_psf(camera(), size=19)
    assert sharp.psf.quality().spread < 1.2
    assert sharp.evidence.gain < estimate.evidence.gain


def test_a_clipped_lamp_does_not_break_the_estimate() -> None:
    light = camera() * 0.8
    light[..., 60:66, 60:66] = 12
    light[..., 130:134, 40:44] = 12
    blurred = Blur(bent(), boundary="replicate")(light).clamp(0, 1)
    assert similarity(estimate_psf(blurred, size=19).psf.kernel, bent().kernel) > 0.6


def test_colour_and_grey_agree() -> None:
    grey = blurred_by(disk(2))
    one, three = (estimate_psf(image, size=9).psf.kernel for image in (grey, grey.expand(1, 3, -1, -1)))
    assert similarity(one, three) > 0.99


def test_progress_only_grows_and_ends_full() -> None:
    steps: list[tuple[int, int]] = []
    estimate_psf(blurred_by(disk(1))[..., :64, :64], progress=lambda done, total: steps.append((done, total)))
    done = [d for d, _ in steps]
    assert done == sorted(done)
    assert len({total for _, total in steps}) == 1
    assert steps[-1][0] == steps[-1][1]


def test_a_cancel_stops_within_one_step() -> None:
    asked = []

    def cancel() -> bool:
        asked.append(True)
        return len(asked) == 3

    with pytest.raises(Cancelled):
        estimate_psf(blurred_by(disk(1)), size=9, cancel=cancel)
    assert len(asked) == 3


@pytest.mark.parametrize("flat", [torch.zeros(1, 40, 40), torch.ones(3, 40, 50), torch.full((1, 33, 90), 0.5)])
def test_a_photograph_without_anything_on_it_gives_a_psf_and_no_confidence(flat: torch.Tensor) -> None:
    nothing = estimate_psf(flat, size=9)
    assert abs(float(nothing.psf.kernel.sum()) - 1) < 1e-5
    assert nothing.confidence < 0.1


@pytest.mark.parametrize(
    ("image", "options", "error"),
    [
        (torch.rand(1, 64, 64), {"size": 2}, PsfError),
        (torch.rand(1, 64, 64), {"size": 103}, PsfError),
        (torch.rand(1, 64, 64), {"size": 64}, PsfError),
        (torch.rand(1, 20, 64), {}, PsfError),
        (torch.rand(2, 64, 64), {}, PsfError),
        (torch.full((1, 64, 64), float("nan")), {}, PsfError),
        (torch.rand(1, 64, 64), {"sigma": -1.0}, UsageError),
    ],
)
def test_what_cannot_be_estimated_is_refused_with_a_reason(image: torch.Tensor, options: dict, error: type) -> None:
    with pytest.raises(error, match=r"\."):
        estimate_psf(image, **options)

"""A page of print goes another way than a photograph."""

import pytest
import torch
from skimage.data import astronaut, camera, coffee
from torch import Tensor

from nightsharp import deblur
from nightsharp.evaluation.downstream.rendered import sign
from nightsharp.optics import Blur, Psf, line, shake
from nightsharp.restore.given import Given
from nightsharp.restore.job import plan_deblur
from nightsharp.restore.kind import PRINT, QUIET_GREY, VARYING, kind_of

WORDS = ["the tram stops", "at the harbour", "museum closed", "night coffee"]
SHAKE = shake(13, generator=torch.Generator().manual_seed(2))


def page(noise: float = 0.0, psf: Psf = SHAKE) -> Tensor:
    ink = 0.1 + 0.7 * sign(WORDS, 24, bright_on_dark=False)
    blurred = Blur(psf, "replicate")(ink[None])[0]
    return (blurred + noise * torch.randn(blurred.shape, generator=torch.Generator().manual_seed(0))).clamp(0, 1)


def photograph(picture: object = coffee) -> Tensor:
    values = torch.from_numpy(picture()).float() / 255  # pyright: ignore[reportCallIssue]
    sharp = (values[..., None] if values.ndim == 2 else values).permute(2, 0, 1)[None, :, :400, :400]
    return Blur(SHAKE, "replicate")(sharp)[0]


def kind(image: Tensor, psf: Psf | None = SHAKE, *, varies: bool = False) -> object:
    return kind_of(Given(None, image, None), psf, varies=varies)


class TestPrint:
    def test_ink_on_paper_is_print(self) -> None:
        assert kind(page()) is kind(page(noise=0.005)) is PRINT

    def test_bright_letters_on_dark_and_colour_are_print_too(self) -> None:
        assert kind(1 - page()) is PRINT
        assert kind(page() * torch.tensor([1.0, 0.9, 0.7])[:, None, None]) is PRINT

    def test_under_light_that_falls_off(self) -> None:
        fading = torch.linspace(1, 0.4, page().shape[-1])
        assert kind(page() * fading) is PRINT

    @pytest.mark.parametrize("picture", [coffee, astronaut, camera])
    def test_a_photograph_is_none(self, picture: object) -> None:
        assert kind(photograph(picture)) is not PRINT

    def test_one_sign_makes_no_street_a_page(self) -> None:
        street = photograph().repeat(1, 4, 4)[:, :1536, :1536]
        street[:, 512:, :512] = page()[:, :1, :1]
        height, width = page().shape[-2:]
        street[:, 600 : 600 + height, 20 : 20 + min(width, 480)] = page()[..., :480]
        assert kind(street) is not PRINT

    def test_a_large_page_is_one(self) -> None:
        assert kind(page().repeat(1, 5, 5)) is PRINT

    def test_behind_noise_the_network_is_as_good(self) -> None:
        assert kind(page(noise=0.03)) is None

    @pytest.mark.parametrize("psf", [None, Psf.from_tensor(torch.ones(1, 1)), line(190)])
    def test_without_a_psf_that_can_be_looked_through_nothing_is_said(self, psf: Psf | None) -> None:
        assert kind(page(), psf) is QUIET_GREY

    def test_blur_that_varies_comes_first(self) -> None:
        assert kind(page(), varies=True) is VARYING


class TestTheWayOfAPage:
    def test_it_comes_out_better_than_the_usual_way(self) -> None:
        truth = 0.1 + 0.7 * sign(WORDS, 24, bright_on_dark=False)
        found = {
            name: deblur(page(noise=0.003), psf=SHAKE, method=name)
            for name in (None, "nightwiener", "hyper_laplacian", "total_variation")
        }
        errors = {name: float((out.sharp - truth)[..., 16:-16, 16:-16].square().mean()) for name, out in found.items()}
        assert errors[None] == errors["total_variation"] < 0.6 * min(errors["nightwiener"], errors["hyper_laplacian"])
        assert found[None].report["route"]["reason"] == "PSF given -> total_variation, the best for print"

    def test_it_is_seen_under_an_estimated_psf(self) -> None:
        reason = deblur(page()).report["route"]["reason"]
        assert reason == "no PSF given -> estimated PSF + total_variation, the best for print"

    def test_the_plan_takes_it_too(self) -> None:
        planned, flat, usual = (
            plan_deblur(page(), psf=SHAKE, method=name).halo for name in (None, "total_variation", "nightwiener")
        )
        assert planned == flat != usual

    def test_a_method_that_was_asked_for_stays(self) -> None:
        assert deblur(page(), psf=SHAKE, method="wiener").method == "wiener"

"""Which way a photograph goes."""

import pytest
import torch
from skimage.data import camera

from nightsharp import deblur
from nightsharp.errors import UsageError
from nightsharp.methods import list_methods
from nightsharp.optics import Blur, line
from nightsharp.restore import choose_route


@pytest.mark.parametrize("method", [None, "auto"])
def test_without_a_psf_one_is_estimated(method: str | None):
    route = choose_route(method, psf_given=False)
    assert route.estimator == "map_psf"
    assert route.method.needs_psf
    assert "estimated PSF" in route.reason


def test_with_a_psf_nothing_is_estimated():
    route = choose_route(None, psf_given=True)
    assert route.estimator is None
    assert route.reason == f"PSF given -> {route.method.name}, the best for most photos"


@pytest.mark.parametrize(
    ("channels", "noise", "method"),
    [(3, 0.0, "nightwiener"), (1, 0.01, "nightwiener"), (1, 0.0, "hyper_laplacian")],
)
def test_a_photograph_goes_the_way_that_measured_best_for_its_kind(channels: int, noise: float, method: str):
    grey = torch.from_numpy(camera()[None, 100:196, 180:276]).float() / 255
    photo = (grey * torch.linspace(1, 0.8, channels)[:, None, None]).contiguous()
    photo += noise * torch.randn(photo.shape, generator=torch.Generator().manual_seed(0))
    blurred = Blur(line(3), "replicate")(photo[None])[0] if noise == 0 else photo
    report = deblur(blurred.clamp(0, 1), psf="line:3,0").report
    assert report["method"] == method


@pytest.mark.parametrize("name", [spec.name for spec in list_methods()])
def test_the_method_that_was_asked_for_is_taken(name: str):
    route = choose_route(name, psf_given=True)
    assert route.method.name == name
    assert "asked for" in route.reason


def test_a_mistyped_method_is_answered_with_the_nearest():
    with pytest.raises(UsageError, match="Did you mean wiener"):
        choose_route("weiner", psf_given=True)

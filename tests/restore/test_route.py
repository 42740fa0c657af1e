"""Which way a photograph goes."""

import pytest

from nightsharp.errors import UsageError
from nightsharp.methods import list_methods
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
    assert route.reason == f"PSF given -> {route.method.name}, the best for colour"


def test_grey_and_colour_go_the_way_that_measured_best_for_each():
    assert choose_route(None, psf_given=True, channels=3).method.name == "nightwiener"
    assert choose_route(None, psf_given=True, channels=1).method.name == "hyper_laplacian"


@pytest.mark.parametrize("name", [spec.name for spec in list_methods()])
def test_the_method_that_was_asked_for_is_taken(name: str):
    route = choose_route(name, psf_given=True)
    assert route.method.name == name
    assert "asked for" in route.reason


def test_a_mistyped_method_is_answered_with_the_nearest():
    with pytest.raises(UsageError, match="Did you mean wiener"):
        choose_route("weiner", psf_given=True)

"""INFWIDE begins as what a DWDN has learned."""

import pytest
import skimage.data
import torch
from torch import Tensor

from nightsharp.errors import RecipeError
from nightsharp.methods.dwdn import DWDN
from nightsharp.methods.infwide import INFWIDE
from nightsharp.optics import Blur, line
from nightsharp.training.network import build_network
from nightsharp.training.recipe import load_recipe
from nightsharp.weights import Card, save


def _photograph() -> tuple[Tensor, Tensor, Tensor]:
    """A sharp, a blurred image and the PSF."""
    values = torch.from_numpy(skimage.data.astronaut()[:192, 150:342].copy()).permute(2, 0, 1)
    sharp = values[None].float() / 255
    return sharp, Blur(line(9), "circular")(sharp).mul(255).round() / 255, line(9).kernel[None, None]


def _begun(*settings: str) -> INFWIDE:
    network = build_network(load_recipe("infwide-lite", settings))
    assert isinstance(network, INFWIDE)
    return network


@torch.no_grad()
def test_it_deblurs_before_its_first_step():
    sharp, blurred, psf = _photograph()
    restored = _begun()(blurred, psf)
    untaught = _begun("start=none")(blurred, psf)
    taught, drawn_at_random, idle = (float((x - sharp).square().mean()) for x in (restored, untaught, blurred))
    assert taught < 0.5 * idle < idle < drawn_at_random


@torch.no_grad()
def test_the_rest_hands_on_what_it_is_given():
    _, blurred, psf = _photograph()
    network = _begun()
    _, feature, denoised = network._branches(blurred, psf, None, 1.0)
    torch.testing.assert_close(denoised, blurred)
    # the fusion's first layer rectifies, and its rises add a little
    torch.testing.assert_close(network(blurred, psf), feature.clamp_min(0), rtol=0, atol=0.01)


def test_nothing_that_begins_as_nothing_stays_so():
    sharp, blurred, psf = _photograph()
    network = _begun()
    optimizer = torch.optim.Adam(network.parameters(), 1e-3)
    for _ in range(3):
        optimizer.zero_grad()
        output = network.forward_all(blurred[..., :64, :64], psf)
        (output.full - sharp[..., :64, :64]).square().mean().backward()
        optimizer.step()
    idle = [name for name, weight in network.named_parameters() if weight.grad is None or not weight.grad.any()]
    assert idle == []


@torch.no_grad()
def test_what_stands_between_a_dwdn_and_the_longer_way_to_an_image_changes_nothing(tmp_path):
    torch.manual_seed(0)
    dwdn = DWDN(features=4, width=4, blocks=2)
    file = save(tmp_path / "dwdn.safetensors", dwdn, Card(system="dwdn"))
    settings = (f"start={file}", "config.features=4", "config.width=4", "config.blocks=2")
    network = build_network(load_recipe("infwide-lite", settings))
    assert isinstance(network, INFWIDE)
    features = torch.rand(1, 4, 24, 32)
    # single precision in the network, half in the file
    expected = dwdn.to_image(dwdn.refine(dwdn.unet(dwdn.enter_half(features))))
    torch.testing.assert_close(network.refine(features), expected, rtol=2e-3, atol=2e-3)


@pytest.mark.parametrize("width", [8, 16])
def test_weights_of_another_shape_are_refused(tmp_path, width):
    file = save(tmp_path / "dwdn.safetensors", DWDN(features=2, width=12, blocks=1), Card(system="dwdn"))
    with pytest.raises(RecipeError, match=r"do not fit infwide's feature branch at extract.enter.weight"):
        build_network(load_recipe("infwide-lite", (f"start={file}", f"config.width={width}")))


def test_only_infwide_begins_so():
    with pytest.raises(RecipeError, match=r"dwdn-lite: start is for infwide alone"):
        build_network(load_recipe("dwdn-lite", ("start=dwdn",)))

"""INFWIDE's feature branch begins as what a DWDN has learned."""

import pytest
import skimage.data
import torch

from nightsharp.errors import RecipeError
from nightsharp.methods.dwdn import DWDN
from nightsharp.methods.infwide import INFWIDE
from nightsharp.optics import Blur, line
from nightsharp.training.network import build_network
from nightsharp.training.recipe import load_recipe
from nightsharp.weights import Card, save


@torch.no_grad()
def test_the_feature_branch_deblurs_before_its_first_step():
    network = build_network(load_recipe("infwide-lite"))
    assert isinstance(network, INFWIDE)
    values = torch.from_numpy(skimage.data.astronaut()[:192, 150:342].copy()).permute(2, 0, 1)
    sharp = values[None].float() / 255
    blurred = Blur(line(9), "circular")(sharp).mul(255).round() / 255
    psf = line(9).kernel[None, None]
    _, feature, _ = network._branches(blurred, psf, None, 1.0)
    drawn = build_network(load_recipe("infwide-lite", ("start=none",)))
    assert isinstance(drawn, INFWIDE)
    _, untaught, _ = drawn._branches(blurred, psf, None, 1.0)
    taught, drawn_at_random, idle = (float((x - sharp).square().mean()) for x in (feature, untaught, blurred))
    assert taught < 0.5 * idle < idle < drawn_at_random


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

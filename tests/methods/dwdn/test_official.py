"""The official release's layout of DWDN."""

from pathlib import Path

import pytest
import torch

from nightsharp.errors import WeightsError
from nightsharp.methods.dwdn import DWDN
from nightsharp.methods.dwdn.official import from_official, to_official

LAYOUT = Path(__file__).with_name("official_layout.txt")


def layout() -> dict[str, str]:
    return dict(line.split() for line in LAYOUT.read_text(encoding="utf-8").splitlines())


def test_names_and_shapes_are_those_of_the_release():
    network = DWDN()
    state = to_official(network.config, network.state_dict())
    assert {name: "x".join(map(str, value.shape)) for name, value in state.items()} == layout()


@pytest.mark.parametrize("prefix", ["", "module."])
@pytest.mark.parametrize(
    "network", [DWDN.lite(faithful=True), DWDN(colours=1, features=8, width=8, blocks=2, faithful=True)]
)
def test_weights_go_there_and_back(network, prefix):
    theirs = {prefix + name: value for name, value in to_official(network.config, network.state_dict()).items()}
    config, state = from_official(theirs)
    assert config == network.config
    assert state.keys() == network.state_dict().keys()
    assert all(torch.equal(value, network.state_dict()[name]) for name, value in state.items())


def test_weights_of_another_network_are_refused():
    with pytest.raises(WeightsError, match=r"no 'FeatureBlock\.0\.body\.0\.weight' \(it begins with conv1"):
        from_official({"conv1.weight": torch.zeros(3, 3, 3, 3)})


def test_missing_and_foreign_layers_are_named():
    network = DWDN.lite()
    theirs = to_official(network.config, network.state_dict())
    short = {name: value for name, value in theirs.items() if not name.startswith("outBlock2")}
    with pytest.raises(WeightsError, match=r"1 layers of DWDN are missing: outBlock2\.0\.body\.0"):
        from_official(short)
    with pytest.raises(WeightsError, match=r"1 tensors do not belong to DWDN: discriminator\.weight"):
        from_official({**theirs, "discriminator.weight": torch.zeros(1)})

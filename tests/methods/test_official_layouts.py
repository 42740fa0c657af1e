"""The official releases' layouts of DWDN and INFWIDE: the laws that both keep."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch

from nightsharp.errors import WeightsError
from nightsharp.methods.dwdn import DWDN
from nightsharp.methods.dwdn import official as dwdn
from nightsharp.methods.infwide import INFWIDE
from nightsharp.methods.infwide import official as infwide


@dataclass(frozen=True)
class Layout:
    """A network, the map to the layout of its release, and what the errors name."""

    network: Any
    to_official: Callable[..., dict[str, torch.Tensor]]
    from_official: Callable[..., Any]
    grey: dict[str, int]
    first: str
    last: str

    @property
    def name(self) -> str:
        return self.network.__name__

    def released(self) -> dict[str, str]:
        """The names and shapes of the release."""
        file = Path(__file__).parent / self.name.lower() / "official_layout.txt"
        return dict(line.split() for line in file.read_text(encoding="utf-8").splitlines())


LAYOUTS = {
    "dwdn": Layout(
        DWDN,
        dwdn.to_official,
        dwdn.from_official,
        {"features": 8, "width": 8, "blocks": 2},
        "FeatureBlock.0.body.0.weight",
        "outBlock2.0.body.0",
    ),
    "infwide": Layout(
        INFWIDE,
        infwide.to_official,
        infwide.from_official,
        {"features": 8, "width": 8, "blocks": 2, "denoiser_width": 4, "denoiser_blocks": 1, "fusion_width": 6},
        "FeatModule1.FeatureBlock.0.body.0.weight",
        "DenoiseUnet.m_tail",
    ),
}


@pytest.fixture(params=LAYOUTS)
def layout(request) -> Layout:
    return LAYOUTS[request.param]


def test_names_and_shapes_are_those_of_the_release(layout):
    network = layout.network()
    state = layout.to_official(network.config, network.state_dict())
    assert {name: "x".join(map(str, value.shape)) for name, value in state.items()} == layout.released()


@pytest.mark.parametrize("prefix", ["", "module."])
@pytest.mark.parametrize("size", ["lite", "grey"])
def test_weights_go_there_and_back(layout, size, prefix):
    made = layout.network
    network = made.lite(faithful=True) if size == "lite" else made(colours=1, **layout.grey, faithful=True)
    theirs = {prefix + name: value for name, value in layout.to_official(network.config, network.state_dict()).items()}
    config, state = layout.from_official(theirs)
    assert config == network.config
    assert state.keys() == network.state_dict().keys()
    assert all(torch.equal(value, network.state_dict()[name]) for name, value in state.items())


def test_weights_of_another_network_are_refused(layout):
    with pytest.raises(WeightsError) as refusal:
        layout.from_official({"conv1.weight": torch.zeros(3, 3, 3, 3)})
    assert f"no {layout.first!r} (it begins with conv1" in str(refusal.value)


def test_missing_and_foreign_layers_are_named(layout):
    network = layout.network.lite()
    theirs = layout.to_official(network.config, network.state_dict())
    short = {name: value for name, value in theirs.items() if not name.startswith(layout.last)}
    with pytest.raises(WeightsError) as refusal:
        layout.from_official(short)
    assert f"1 layers of {layout.name} are missing: {layout.last}" in str(refusal.value)
    with pytest.raises(WeightsError) as refusal:
        layout.from_official({**theirs, "discriminator.weight": torch.zeros(1)})
    assert f"1 tensors do not belong to {layout.name}: discriminator.weight" in str(refusal.value)

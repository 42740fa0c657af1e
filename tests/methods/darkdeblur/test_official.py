"""The official release's layout of DarkDeblurNet."""

from pathlib import Path

import pytest
import torch
from seeded import network

from nightsharp.errors import WeightsError
from nightsharp.methods.darkdeblur import DarkDeblurNet, Discriminator
from nightsharp.methods.darkdeblur.official import (
    discriminator_from_official,
    discriminator_to_official,
    from_official,
    to_official,
)

HERE = Path(__file__).parent


def layout(name: str) -> dict[str, tuple[int, ...]]:
    lines = (HERE / f"{name}.txt").read_text(encoding="utf-8").splitlines()
    return {key: () if shape == "scalar" else tuple(map(int, shape.split("x"))) for key, shape in map(str.split, lines)}


def shapes(state) -> dict[str, tuple[int, ...]]:
    return {name: tuple(value.shape) for name, value in state.items()}


def test_names_and_shapes_are_those_of_the_release_but_for_blocks_that_never_run():
    made = DarkDeblurNet()
    stored = layout("official_layout")
    run = {name: shape for name, shape in stored.items() if ".RDB2." not in name and ".RDB3." not in name}
    assert shapes(to_official(made.config, made.state_dict())) == run
    assert sum(torch.Size(shape).numel() for name, shape in stored.items() if name not in run) == 8_305_024


def test_a_release_s_state_dict_is_recognised_by_its_shapes():
    state = {name: torch.zeros(shape) for name, shape in layout("official_layout").items()}
    config, ours = from_official({f"module.{name}": value for name, value in state.items()})
    made = DarkDeblurNet(**config)
    made.load_state_dict(ours)
    assert made.config == {**DarkDeblurNet().config, "faithful": True}


def test_weights_go_there_and_back():
    made = network(faithful=True)
    config, state = from_official(to_official(made.config, made.state_dict()))
    assert config == made.config
    assert state.keys() == made.state_dict().keys()
    assert all(torch.equal(value, made.state_dict()[name]) for name, value in state.items())


def test_the_discriminator_s_weights_go_there_and_back():
    judge = Discriminator(width=8)
    assert shapes(discriminator_to_official(Discriminator().state_dict())) == layout("official_discriminator_layout")
    config, state = discriminator_from_official(discriminator_to_official(judge.state_dict()))
    assert config == judge.config
    assert all(torch.equal(value, judge.state_dict()[name]) for name, value in state.items())


def test_what_is_no_release_is_refused():
    with pytest.raises(WeightsError, match=r"no 'inputConv\.weight' \(it begins with conv1"):
        from_official({"conv1.weight": torch.zeros(3, 3, 3, 3)})
    made = network()
    theirs = to_official(made.config, made.state_dict())
    short = {name: value for name, value in theirs.items() if not name.startswith("gate2.mask")}
    with pytest.raises(WeightsError, match=r"1 layers of DarkDeblurNet are missing: gate2\.mask_conv2d"):
        from_official(short)
    with pytest.raises(WeightsError, match="no official layout; the release is 'code'"):
        to_official(DarkDeblurNet.lite().config, {})

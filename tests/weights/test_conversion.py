"""Official files become ours and ours official ones, without losing a bit and without running their code."""

import os
import pickle
import sys
import types
import zipfile

import pytest
import torch
from small_networks import small

from nightsharp.errors import WeightsError
from nightsharp.methods.dwdn import DWDN
from nightsharp.weights import Card, convert_official, convert_to_official, load, read_card_of, save
from nightsharp.weights.systems import SYSTEMS

PUBLISHED = [name for name, system in SYSTEMS.items() if system.official]


@pytest.fixture
def official(tmp_path, request):
    """An official file of the system, as its authors' code would write it."""
    network = small(request.param)
    state = SYSTEMS[request.param].official_table().to_official(network.config, network.state_dict())
    file = tmp_path / f"model_{request.param}.pt"
    torch.save(state, file)
    return request.param, file, state


@pytest.mark.parametrize("official", PUBLISHED, indirect=True)
class TestEverySystem:
    def test_an_official_file_gives_the_network_with_the_same_weights(self, tmp_path, official):
        system, file, state = official
        ours = load(convert_official(system, file, tmp_path / "ours.safetensors"), system=system)
        back = SYSTEMS[system].official_table().to_official(ours.config, ours.state_dict())
        assert back.keys() == state.keys()
        assert all(torch.equal(back[name], state[name]) for name in state)
        # the sizes came from the shapes, and the slips of the official code are kept for its weights
        assert ours.config == dict(small(system).config, faithful=True)

    def test_there_and_back_is_the_same_file(self, tmp_path, official):
        system, file, state = official
        ours = convert_official(system, file, tmp_path / "ours.safetensors")
        back = torch.load(convert_to_official(ours, tmp_path / "back.pt"), weights_only=True)
        assert list(back) == list(state)
        assert all(torch.equal(back[name], state[name]) for name in state)

    def test_a_training_run_of_several_gpus_is_unwrapped(self, tmp_path, official):
        system, file, state = official
        wrapped = {"epoch": 3, "state_dict": {f"module.{name}": tensor for name, tensor in state.items()}}
        torch.save(wrapped, tmp_path / "wrapped.pth")
        one = convert_official(system, file, tmp_path / "one.safetensors")
        other = convert_official(system, tmp_path / "wrapped.pth", tmp_path / "other.safetensors")
        assert all(torch.equal(a, b) for a, b in zip(load(one).parameters(), load(other).parameters(), strict=True))

    def test_the_card_says_where_the_weights_come_from(self, tmp_path, official):
        system, file, _ = official
        card = read_card_of(convert_official(system, file, tmp_path / "ours.safetensors"))
        assert card.recipe.startswith(f"converted from the official {file.name}, sha256 ")

    def test_a_missing_tensor_is_named(self, tmp_path, official):
        system, _, state = official
        lost = list(state)[-1]
        torch.save({name: tensor for name, tensor in state.items() if name != lost}, tmp_path / "a.pt")
        with pytest.raises(WeightsError, match="missing"):
            convert_official(system, tmp_path / "a.pt", tmp_path / "ours.safetensors")
        assert not (tmp_path / "ours.safetensors").exists()

    def test_a_foreign_tensor_is_named(self, tmp_path, official):
        system, _, state = official
        torch.save({**state, "stranger.weight": torch.ones(2)}, tmp_path / "a.pt")
        with pytest.raises(WeightsError, match="stranger"):
            convert_official(system, tmp_path / "a.pt", tmp_path / "ours.safetensors")


@pytest.mark.parametrize("official", ["dwdn"], indirect=True)
class TestOneFile:
    def test_weights_of_the_other_system_are_refused(self, tmp_path, official):
        with pytest.raises(WeightsError, match="INFWIDE"):
            convert_official("infwide", official[1], tmp_path / "ours.safetensors")

    def test_a_configuration_of_omegaconf_beside_the_weights_is_passed_over(self, tmp_path, official, monkeypatch):
        _, _, state = official

        class DictConfig:
            def __init__(self, **content):
                self.content = content

        DictConfig.__module__, DictConfig.__qualname__ = "omegaconf.dictconfig", "DictConfig"
        module = types.ModuleType("omegaconf.dictconfig")
        module.DictConfig = DictConfig  # pyright: ignore[reportAttributeAccessIssue]
        with monkeypatch.context() as patch:
            patch.setitem(sys.modules, "omegaconf", types.ModuleType("omegaconf"))
            patch.setitem(sys.modules, "omegaconf.dictconfig", module)
            torch.save({"state_dict": state, "config": DictConfig(n_colors=3), "epoch": 1}, tmp_path / "wrapped.pth")
        assert "omegaconf.dictconfig" not in sys.modules
        assert load(convert_official("dwdn", tmp_path / "wrapped.pth", tmp_path / "ours.safetensors"))

    def test_code_in_a_file_does_not_run(self, tmp_path, official):
        class Trap:
            def __reduce__(self):
                return os.mkdir, (str(tmp_path / "sprung"),)

        torch.save({"state_dict": official[2], "config": Trap()}, tmp_path / "trap.pth")
        with pytest.raises(WeightsError, match="more than weights is in it"):
            convert_official("dwdn", tmp_path / "trap.pth", tmp_path / "ours.safetensors")
        assert not (tmp_path / "sprung").exists()

    def test_half_the_size_on_request(self, tmp_path, official):
        ours = convert_official("dwdn", official[1], tmp_path / "a.safetensors", dtype=torch.float16)
        assert ours.stat().st_size < 0.7 * official[1].stat().st_size

    def test_an_existing_file_stays(self, tmp_path, official):
        taken = tmp_path / "ours.safetensors"
        taken.write_bytes(b"precious")
        with pytest.raises(FileExistsError):
            convert_official("dwdn", official[1], taken)
        assert taken.read_bytes() == b"precious"


def written(file, content):
    file.write_bytes(content)


BROKEN = {
    "nothing": lambda file: written(file, b""),
    "noise": lambda file: written(file, bytes(range(256)) * 8),
    "half a zip": lambda file: (torch.save({"a": torch.ones(1000)}, file), written(file, file.read_bytes()[:700])),
    "a zip of something": lambda file: zipfile.ZipFile(file, "w").writestr("a.txt", "hello"),
    "a pickle of a list": lambda file: written(file, pickle.dumps([1, 2])),
    "a list": lambda file: torch.save([torch.ones(2)], file),
    "an empty dict": lambda file: torch.save({}, file),
    "a dict of words": lambda file: torch.save({"state_dict": {"a": "b"}}, file),
    "a whole network": lambda file: torch.save(DWDN.lite(), file),
}


@pytest.mark.parametrize("make", BROKEN.values(), ids=BROKEN)
@pytest.mark.parametrize("system", PUBLISHED)
def test_a_file_without_weights_is_refused(tmp_path, make, system):
    make(tmp_path / "a.pth")
    with pytest.raises(WeightsError):
        convert_official(system, tmp_path / "a.pth", tmp_path / "ours.safetensors")
    assert not (tmp_path / "ours.safetensors").exists()


def test_a_network_that_was_published_here_has_no_official_layout(tmp_path):
    mine = save(tmp_path / "a.safetensors", small("nightwiener"), Card(system="nightwiener"))
    with pytest.raises(WeightsError, match="nightwiener has no official release"):
        convert_to_official(mine, tmp_path / "a.pt")


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(WeightsError, match="no such weight file"):
        convert_official("dwdn", tmp_path / "a.pt", tmp_path / "b.safetensors")

"""The shipped weights are those of the manifest, small enough, and say what they are.

After adding or replacing a file: ``python tests/weights/test_shipped.py`` writes the manifest anew.
"""

import shutil

import pytest
import torch
from small_networks import small

from nightsharp.errors import WeightsError
from nightsharp.weights import Card, list_weights, load, manifest, read_card_of, save, verify

LARGEST, TOGETHER = 16_000_000, 48_000_000


def test_the_shipped_files_are_those_of_the_manifest():
    assert verify() == list_weights()


def test_the_shipped_files_are_small():
    sizes = [shipped.file.stat().st_size for shipped in list_weights()]
    assert sizes == [shipped.size for shipped in list_weights()]
    assert max(sizes, default=0) <= LARGEST
    assert sum(sizes) <= TOGETHER


def test_every_shipped_file_loads_and_its_card_is_complete():
    for shipped in list_weights():
        card = read_card_of(shipped.file)
        assert load(shipped.name, system=card.system)
        for value in (card.data, card.recipe, card.steps, card.hours, card.machine, card.measured, card.licence):
            assert value, f"{shipped.name}: {card}"


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A package that ships one small network."""
    monkeypatch.setattr(manifest, "shipped_folder", lambda: tmp_path)
    save(tmp_path / "nightwiener.safetensors", small("nightwiener"), Card(system="nightwiener"))
    manifest.write_manifest(tmp_path)
    return tmp_path


def test_shipped_weights_load_by_name(package):
    stack = torch.rand(1, 15, 16, 16)
    assert torch.equal(load("nightwiener")(stack), load(package / "nightwiener.safetensors")(stack))


@pytest.mark.parametrize("name", ["nightwinner", "nightwiener-full"])
def test_a_name_that_is_nearly_right_is_put_right(package, name):
    with pytest.raises(WeightsError, match="Did you mean 'nightwiener'"):
        load(name)


def test_a_single_changed_bit_is_found(package):
    file = package / "nightwiener.safetensors"
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)
    for look in (lambda: load("nightwiener"), verify):
        with pytest.raises(WeightsError, match="not the one of the manifest"):
            look()


def test_a_missing_file_is_found(package):
    (package / "nightwiener.safetensors").unlink()
    for look in (lambda: load("nightwiener"), verify):
        with pytest.raises(WeightsError, match="is missing"):
            look()


def test_a_stray_file_is_found(package):
    shutil.copy(package / "nightwiener.safetensors", package / "mine.safetensors")
    with pytest.raises(WeightsError, match="mine: not in the manifest"):
        verify()


if __name__ == "__main__":
    manifest.write_manifest(manifest.shipped_folder())

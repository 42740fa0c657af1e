"""A weight file gives back the network that was saved, or says why not."""

import contextlib
import json
import struct
from pathlib import Path

import pytest
import safetensors.torch
import torch

from nightsharp.errors import WeightsError
from nightsharp.methods.nightwiener import NightWiener
from nightsharp.weights import Card, Measurement, load, read_card_of, save
from nightsharp.weights.file import CARD

CARD_OF_ALL = Card(
    system="nightwiener",
    data="40 photographs",
    recipe="nightwiener, steps=5",
    steps=5,
    hours=0.01,
    machine="2 cores",
    measured=(Measurement(on="Levin 2009", metric="PSNR", value=31.25, unit="dB", protocol="border 15 px"),),
    licence="Apache-2.0",
    history=("2026-01-02: 30.1 dB, 2 steps",),
)


@pytest.fixture
def network() -> NightWiener:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        made = NightWiener(widths=(8, 16, 8), depth=1)
        torch.nn.init.normal_(made.tail.weight)
    return made


@pytest.fixture
def file(tmp_path, network) -> Path:
    return save(tmp_path / "mine.safetensors", network, CARD_OF_ALL)


def rewrite(file: Path, change) -> Path:
    """The same file with other tensors or another card, by the library alone."""
    with safetensors.safe_open(file, framework="pt") as opened:
        metadata = dict(opened.metadata())
        state = {key: opened.get_tensor(key) for key in opened.keys()}  # noqa: SIM118 - no dict
    change(state, metadata)
    file.write_bytes(safetensors.torch.save(state, metadata))
    return file


def change_card(**changes):
    def change(_, metadata):
        metadata[CARD] = json.dumps({**json.loads(metadata[CARD]), **changes})

    return change


class TestRoundTrip:
    def test_float32_gives_the_same_picture(self, tmp_path, network):
        views = torch.rand(2, 15, 16, 24)
        loaded = load(save(tmp_path / "a.safetensors", network, CARD_OF_ALL, dtype=torch.float32))
        assert torch.equal(loaded(views), network(views))

    def test_float16_gives_nearly_the_same_picture_in_half_the_bytes(self, tmp_path, network, file):
        views = torch.rand(2, 15, 16, 24)
        torch.testing.assert_close(load(file)(views), network(views).detach(), rtol=0, atol=1e-2)
        full = save(tmp_path / "full.safetensors", network, CARD_OF_ALL, dtype=torch.float32)
        assert file.stat().st_size < 0.62 * full.stat().st_size

    def test_the_network_comes_ready_to_restore(self, file):
        loaded = load(file)
        assert isinstance(loaded, NightWiener)
        assert not loaded.training
        assert {parameter.dtype for parameter in loaded.parameters()} == {torch.float32}
        assert not any(parameter.requires_grad for parameter in loaded.parameters())

    def test_the_weights_come_in_the_precision_asked_for(self, file):
        assert {p.dtype for p in load(file, dtype=torch.float64).parameters()} == {torch.float64}

    def test_the_card_comes_back_with_the_configuration_of_the_network(self, file, network):
        assert read_card_of(file) == CARD_OF_ALL.model_copy(update={"config": json.loads(json.dumps(network.config))})

    def test_the_same_network_gives_the_same_bytes(self, tmp_path, network, file):
        again = save(tmp_path / "again.safetensors", network, CARD_OF_ALL)
        assert again.read_bytes() == file.read_bytes()

    def test_loading_leaves_the_callers_random_numbers_alone(self, file):
        before = torch.random.get_rng_state()
        load(file)
        assert torch.equal(torch.random.get_rng_state(), before)

    def test_an_existing_file_stays(self, tmp_path, network, file):
        before = file.read_bytes()
        with pytest.raises(FileExistsError):
            save(file, network, Card(system="nightwiener"))
        assert file.read_bytes() == before
        save(file, network, Card(system="nightwiener"), overwrite=True)
        assert read_card_of(file).steps == 0

    def test_a_broken_network_is_not_written(self, tmp_path, network):
        torch.nn.init.constant_(network.tail.weight, 1e6)
        with pytest.raises(WeightsError, match=r"tail.weight cannot be stored as float16: its largest value is 1e.06"):
            save(tmp_path / "a.safetensors", network, CARD_OF_ALL)
        torch.nn.init.constant_(network.tail.weight, float("nan"))
        with pytest.raises(WeightsError, match="diverged"):
            save(tmp_path / "a.safetensors", network, CARD_OF_ALL)
        assert list(tmp_path.iterdir()) == []

    def test_a_card_of_another_network_is_refused(self, tmp_path, network):
        with pytest.raises(WeightsError, match=r"the card says dwdn .*, the network is NightWiener"):
            save(tmp_path / "a.safetensors", network, Card(system="dwdn"))


class TestWhatIsRefused:
    def test_a_name_that_is_not_shipped(self):
        with pytest.raises(WeightsError, match="no weights 'moonwiener' are shipped with nightsharp"):
            load("moonwiener")

    def test_a_file_that_is_not_there(self, tmp_path):
        with pytest.raises(WeightsError, match="no such weight file"):
            load(tmp_path / "a.safetensors")

    def test_weights_of_another_system(self, file):
        with pytest.raises(WeightsError, match="weights of nightwiener, not of dwdn"):
            load(file, system="dwdn")
        assert load(file, system="nightwiener")

    @pytest.mark.parametrize("share", [0.0, 0.001, 0.3, 0.999])
    def test_a_truncated_file(self, file, share):
        content = file.read_bytes()
        file.write_bytes(content[: int(share * len(content))])
        with pytest.raises(WeightsError, match="not a whole safetensors file"):
            load(file)

    @pytest.mark.parametrize(
        "content",
        [
            b"",
            b"PK\x03\x04 a zip, as .pth files are" * 10,
            struct.pack("<Q", 1 << 62) + b"{}",
            struct.pack("<Q", 2) + b"{}" + bytes(100),
            struct.pack("<Q", 200_000) + b"[" * 200_000,
            struct.pack("<Q", 4) + b"\xff\xfe\xfd\xfc",
        ],
        ids=["empty", "zip", "endless header", "trailing bytes", "nested header", "no text"],
    )
    def test_a_hostile_file(self, tmp_path, content):
        file = tmp_path / "a.safetensors"
        file.write_bytes(content)
        with pytest.raises(WeightsError):
            load(file)

    def test_tensors_that_overlap_or_lie_outside(self, tmp_path):
        for offsets in ([0, 400], [0, 1 << 60], [8, 4]):
            header = json.dumps({"a": {"dtype": "F32", "shape": [100], "data_offsets": offsets}}).encode()
            file = tmp_path / "a.safetensors"
            file.write_bytes(struct.pack("<Q", len(header)) + header + bytes(8))
            with pytest.raises(WeightsError, match="not a whole safetensors file"):
                load(file)

    def test_a_file_without_a_card(self, tmp_path):
        file = tmp_path / "a.safetensors"
        file.write_bytes(safetensors.torch.save({"a": torch.ones(2)}))
        with pytest.raises(WeightsError, match="no card in it"):
            load(file)

    def test_a_card_that_does_not_read(self, file):
        rewrite(file, change_card(steps="many"))
        with pytest.raises(WeightsError, match=r"the card does not read \(steps: "):
            load(file)

    def test_a_network_nobody_has(self, file):
        rewrite(file, change_card(system="nightwinner"))
        with pytest.raises(WeightsError, match=r"no network 'nightwinner'. Did you mean 'nightwiener'"):
            load(file)

    @pytest.mark.parametrize(
        "config",
        [
            {"widths": [8, 16], "depth": 1},
            {"widths": [8, 16, 8], "height": 1},
            {"widths": [8, 16, -8], "depth": 1},
            {"widths": "many", "depth": 1},
        ],
        ids=str,
    )
    def test_a_configuration_that_is_none(self, file, config):
        rewrite(file, change_card(config=config))
        with pytest.raises(WeightsError, match="NightWiener cannot be built as the card says"):
            load(file)

    @pytest.mark.parametrize("config", [{"widths": [8, 16, 10**9], "depth": 1}, {"widths": [8, 16, 8], "depth": 10**9}])
    def test_a_configuration_that_would_fill_the_machine(self, file, config):
        rewrite(file, change_card(config=config))
        with pytest.raises(WeightsError, match="a size of 1000000000; the largest is 4096"):
            load(file)

    def test_a_wide_network_costs_nothing_before_its_shapes_fit(self, file):
        # 4096-wide convolutions would be 3 GB
        rewrite(file, change_card(config={"widths": [4096, 4096, 4096], "depth": 1}))
        with pytest.raises(WeightsError, match="the weights do not fit their network"):
            load(file)

    def test_missing_unexpected_and_other_shapes(self, file):
        def change(state, _):
            del state["head.weight"]
            state["extra"] = torch.ones(3)
            state["tail.weight"] = torch.ones(4, 8, 1, 1)

        rewrite(file, change)
        with pytest.raises(WeightsError) as caught:
            load(file)
        for words in ("1 tensors are missing (head.weight)", "1 are unexpected (extra)", "tail.weight is (4, 8, 1, 1)"):
            assert words in str(caught.value)

    def test_whole_numbers_where_weights_should_be(self, file):
        rewrite(file, lambda state, _: state.update({"tail.weight": state["tail.weight"].to(torch.int8)}))
        with pytest.raises(WeightsError, match=r"tail.weight is int8"):
            load(file)

    def test_numbers_that_torch_cannot_compute_with(self, file):
        eighth = torch.float8_e4m3fn
        rewrite(file, lambda state, _: state.update({"tail.weight": state["tail.weight"].to(eighth)}))
        with pytest.raises(WeightsError, match=r"tail.weight is float8_e4m3fn, which no network here holds"):
            load(file)

    def test_values_that_are_not_finite(self, file):
        rewrite(file, lambda state, _: state["tail.weight"].fill_(float("inf")))
        with pytest.raises(WeightsError, match=r"tail.weight holds values that are not finite"):
            load(file)

    def test_whatever_byte_of_the_header_is_wrong(self, file):
        content = file.read_bytes()
        header = 8 + struct.unpack("<Q", content[:8])[0]
        generator = torch.Generator().manual_seed(0)
        for _ in range(150):
            broken = bytearray(content)
            place, value = (int(torch.randint(most, (), generator=generator)) for most in (header, 256))
            broken[place] = value
            file.write_bytes(broken)
            with contextlib.suppress(WeightsError):
                assert isinstance(load(file), NightWiener)

    def test_a_file_larger_than_any_network(self, tmp_path):
        file = tmp_path / "a.safetensors"
        with file.open("wb") as stream:
            stream.truncate(3 << 30)
        with pytest.raises(WeightsError, match=r"3.2 GB, more than any network here has"):
            load(file)

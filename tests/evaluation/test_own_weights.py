"""Networks with weights of the user's own are measured like every other method, and never mixed up."""

import json
from pathlib import Path

import making_sets as making
import pytest
import torch

from nightsharp.errors import UsageError, WeightsError
from nightsharp.evaluation.benchmarks import get_benchmark
from nightsharp.evaluation.contestant import Estimation, restore
from nightsharp.evaluation.downstream import restored_by
from nightsharp.evaluation.own_weights import read_weight_files
from nightsharp.evaluation.report import as_document, write_report
from nightsharp.evaluation.runner import Plan, run
from nightsharp.evaluation.tables import quoted, rows
from nightsharp.methods.darkdeblur import DarkDeblurNet
from nightsharp.methods.dwdn import DWDN
from nightsharp.weights import Card, load, save, sha256


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> Path:
    """Weights as a training might have left them."""
    folder = tmp_path_factory.mktemp("weights")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        for name in ("dwdn", "other"):
            save(folder / f"{name}.safetensors", DWDN(features=4, width=8, blocks=1), Card(system="dwdn"))
        save(folder / "darkdeblur.safetensors", DarkDeblurNet.lite(), Card(system="darkdeblur"))
    return folder


@pytest.fixture
def data(tmp_path) -> Path:
    making.levin(tmp_path / "sets", images=1, psfs=1)
    return tmp_path / "sets"


def plan(data: Path, *weights: Path, **changes) -> Plan:
    chosen = {"methods": ("wiener", "dwdn"), "sets": ("levin2009",), "data": data, "out": data.parent / "out"}
    return Plan(weights=read_weight_files(weights), **(chosen | changes))


def test_a_network_of_a_file_stands_in_the_table_and_its_file_is_named(data, files):
    wanted = plan(data, files / "dwdn.safetensors")
    results = run(wanted)
    write_report(wanted, results)
    assert [(row.method, row.failures) for row in rows(results[0])] == [("input", 0), ("wiener", 0), ("dwdn", 0)]
    digest = sha256(files / "dwdn.safetensors")
    document = json.loads((wanted.out / "results.json").read_text())
    assert document["weights"] == {"dwdn": {"file": "dwdn.safetensors", "sha256": digest}}
    for file in ("tables.md", "index.html"):
        assert f"dwdn from dwdn.safetensors (sha256 {digest[:12]})" in (wanted.out / file).read_text()


def test_resuming_never_mixes_weights(data, files):
    first, other = (plan(data, files / f"{name}.safetensors", methods=("dwdn",)) for name in ("dwdn", "other"))
    write_report(first, run(first))
    page = (first.out / "index.html").read_bytes()
    values = [run(chosen)[0].records[1].scores["psnr"] for chosen in (first, other)]
    assert values[0] != values[1]
    # the first ones again: figures and pictures are there still, and nothing is measured
    before = (first.out / "records.jsonl").read_bytes()
    write_report(first, run(first))
    assert (first.out / "records.jsonl").read_bytes() == before
    assert (first.out / "index.html").read_bytes() == page


def test_a_file_that_is_replaced_during_the_run_gives_no_figure(data, files, tmp_path):
    file = tmp_path / "mine.safetensors"
    file.write_bytes((files / "dwdn.safetensors").read_bytes())
    wanted = plan(data, file, methods=("dwdn",))
    file.write_bytes((files / "other.safetensors").read_bytes())
    record = run(wanted)[0].records[1]
    assert record.error is not None
    assert record.error["kind"] == "WeightsError"
    assert "was replaced during the run" in record.error["message"]


def test_the_error_ratio_is_that_of_the_same_weights(data, files):
    wanted = plan(data, files / "dwdn.safetensors", methods=("dwdn",), blind=True)
    record = run(wanted)[0].records[1]
    assert record.known == "estimated PSF"
    assert record.scores["ssd_ratio"] > 0


class TestRefused:
    """Before anything is measured."""

    def test_two_files_for_one_network(self, files):
        with pytest.raises(UsageError, match=r"dwdn\.safetensors and .*other\.safetensors both hold weights of dwdn"):
            read_weight_files([files / "dwdn.safetensors", files / "other.safetensors"])

    def test_a_file_for_a_method_that_is_not_measured(self, data, files):
        with pytest.raises(UsageError, match=r"weights of dwdn, which is not what is measured \(wiener\)"):
            plan(data, files / "dwdn.safetensors", methods=("wiener",))

    def test_a_network_without_weights(self, data):
        with pytest.raises(
            WeightsError, match=r"no weights of darkdeblur are shipped. Give a file of them \(--weights\)"
        ):
            plan(data, methods=("wiener", "darkdeblur"))

    @pytest.mark.parametrize("damage", ["cut short", "not there", "of other shapes"])
    def test_a_damaged_file(self, damage, files, tmp_path):
        file = tmp_path / "mine.safetensors"
        if damage == "cut short":
            file.write_bytes((files / "dwdn.safetensors").read_bytes()[:-100])
        if damage == "of other shapes":
            network = load(files / "dwdn.safetensors")
            save(file, network, Card(system="dwdn"))
            file.write_bytes(file.read_bytes().replace(b'\\"width\\":8', b'\\"width\\":9'))
        with pytest.raises(WeightsError, match="mine"):
            read_weight_files([file])


@pytest.mark.parametrize("blind", [False, True])
@pytest.mark.parametrize(
    "name", ["exdark", "lai2016_uniform", "lai2016_real", "koehler2012", "darkshake", "gopro", "reds"]
)
def test_a_method_of_one_pass_is_measured_on_every_set_of_its_paper(name, blind, files, tmp_path, monkeypatch):
    def never(_: object) -> None:
        pytest.fail("a PSF was looked for")

    monkeypatch.setattr("nightsharp.evaluation.contestant.estimate_psf", never)
    making.lay(name, tmp_path)
    wanted = plan(
        tmp_path,
        files / "darkdeblur.safetensors",
        methods=("darkdeblur",),
        sets=(name,),
        metrics=("psnr", "ssim", "delta_e"),
        blind=blind,
        out=tmp_path / "out",
    )
    results = run(wanted)
    write_report(wanted, results)
    before, after = rows(results[0])
    assert (after.failures, after.known) == (0, "image only")
    # an untrained network hands its input back, up to the rounding of its weights
    measured = {} if name == "lai2016_real" else before.values
    assert set(after.values) == set(measured)
    for metric, value in measured.items():
        assert after.values[metric] == pytest.approx(value, rel=0.05)
    # it knows of no PSF, so none is judged
    assert not list((tmp_path / "out").rglob("*-psf.png"))
    assert json.dumps(as_document(wanted, results))


def test_published_blind_figures_stand_beside_a_method_that_is_blind_by_itself(data, files):
    wanted = plan(data, files / "darkdeblur.safetensors", methods=("wiener", "darkdeblur"))
    quotes = {row.method for row in quoted(run(wanted)[0], blind=False)}
    assert {"EPLL", "PMP"} <= quotes


def test_what_is_read_downstream_is_restored_with_the_weights(data, files):
    (own,) = read_weight_files([files / "dwdn.safetensors"])
    samples = get_benchmark("levin2009").samples(data)
    (item,) = restored_by("dwdn", samples, blind=False, weights=own)
    pair = samples[0].load()
    expected = restore("dwdn", pair, blind=False, estimation=Estimation(pair.blurred), weights=own).sharp
    assert torch.equal(item.load().restored, expected.clamp(0, 1))

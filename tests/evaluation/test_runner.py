"""A run over tiny sets: its files, its stop and its failures."""

import json
from pathlib import Path

import making_sets as making
import pytest

from nightsharp.errors import UsageError
from nightsharp.evaluation import page
from nightsharp.evaluation.benchmarks import MissingBenchmark
from nightsharp.evaluation.records import Ledger, Record
from nightsharp.evaluation.report import write_report
from nightsharp.evaluation.runner import Plan, run
from nightsharp.evaluation.tables import quoted, rows
from nightsharp.optics import line

FILES = ("images.csv", "results.json", "tables.md", "index.html")


@pytest.fixture
def data(tmp_path) -> Path:
    making.levin(tmp_path / "sets")
    return tmp_path / "sets"


def plan(data: Path, out: Path, **changes) -> Plan:
    chosen = {"methods": ("wiener", "hyper_laplacian"), "sets": ("levin2009",), "data": data, "out": out} | changes
    return Plan(**chosen)


def test_methods_are_measured_beside_the_input_and_the_papers(data, tmp_path):
    wanted = plan(data, tmp_path / "out")
    results = run(wanted)
    table = {row.method: row for row in rows(results[0])}
    assert list(table) == ["input", "wiener", "hyper_laplacian"]
    assert table["hyper_laplacian"].values["psnr"] > table["input"].values["psnr"] + 3
    assert (table["wiener"].images, table["wiener"].failures, table["wiener"].below_input) == (4, 0, 0)
    assert any(row.method == "EPLL" and row.source for row in quoted(results[0], blind=False))
    assert not any(row.method == "PMP" for row in quoted(results[0], blind=False))
    assert any(row.method == "PMP" for row in quoted(results[0], blind=True))


def test_the_page_stands_alone_and_shows_what_was_seen(data, tmp_path):
    wanted = plan(data, tmp_path / "out")
    write_report(wanted, run(wanted))
    page = (tmp_path / "out" / "index.html").read_text()
    assert 'src="data:image/jpeg;base64,' in page
    assert "http://" not in page
    assert "https://" not in page
    for word in ("im01_ker01", "true PSF", "error", "quoted", "15 px border", "Failure cases"):
        assert word in page
    tables = (tmp_path / "out" / "tables.md").read_text()
    assert "| hyper_laplacian | true PSF |" in tables
    assert "*EPLL, quoted [1]*" in tables
    document = json.loads((tmp_path / "out" / "results.json").read_text())
    assert document["sets"][0]["protocol"].startswith("colours as they are")
    assert len(document["sets"][0]["records"]) == 12
    assert "seconds" not in json.dumps(document)


def test_the_same_seed_gives_the_same_bytes(data, tmp_path):
    contents = []
    for name in ("one", "two"):
        wanted = plan(data, tmp_path / name, sets=("levin2009", "levin2009_noise3"), every=2)
        write_report(wanted, run(wanted))
        contents.append([(tmp_path / name / file).read_bytes() for file in FILES])
    assert contents[0] == contents[1]


def test_a_stopped_run_goes_on_where_it_was(data, tmp_path):
    metrics = ("ssim", "psnr", "noise")
    whole = plan(data, tmp_path / "whole", metrics=metrics)
    write_report(whole, run(whole))

    class Stopped(Exception):  # noqa: N818
        pass

    def stop(stage: str, done: int, most: int) -> None:
        if done == 2:
            raise Stopped

    halted = plan(data, tmp_path / "halted", metrics=metrics)
    with pytest.raises(Stopped):
        run(halted, stop)
    records = tmp_path / "halted" / "records.jsonl"
    before = records.read_text()
    assert len(before.splitlines()) == 6
    records.write_text(before + '{"set": "levin2009", "method": "wie')
    write_report(halted, run(halted))
    assert records.read_text().startswith(before)
    assert len(records.read_text().splitlines()) == 13
    for file in FILES:
        assert (tmp_path / "halted" / file).read_bytes() == (tmp_path / "whole" / file).read_bytes()


def test_nothing_is_measured_twice(data, tmp_path):
    wanted = plan(data, tmp_path / "out")
    run(wanted)
    before = (tmp_path / "out" / "records.jsonl").read_bytes()
    run(wanted)
    assert (tmp_path / "out" / "records.jsonl").read_bytes() == before
    # another setting is another measurement
    run(plan(data, tmp_path / "out", metrics=("psnr",)))
    assert len((tmp_path / "out" / "records.jsonl").read_text().splitlines()) == 24


@pytest.mark.parametrize(
    ("set_name", "file"),
    [
        ("pairs", "pairs/blurred/b.png"),
        ("pairs", "pairs/sharp/b.png"),
        ("pairs", "pairs/psf/b.npy"),
        ("levin2009_noise1", "levin2009/kernel/ker02.npy"),
    ],
)
def test_another_picture_of_the_same_name_is_measured_anew_and_no_other(set_name, file, tmp_path):
    making.lay(set_name, tmp_path)
    wanted = plan(tmp_path, tmp_path / "out", sets=(set_name,), methods=("wiener",))
    before = {record.key: record.scores for record in run(wanted)[0].records}
    if file.endswith(".npy"):
        line(7, 60).save(tmp_path / file)
    else:
        making.save(making.scene(40, 48, seed=9, channels=3), tmp_path / file)
    after = {record.key: record.scores for record in run(wanted)[0].records}
    changed = {image for _, _, image, _ in before.keys() ^ after.keys()}
    assert changed == ({"b"} if set_name == "pairs" else {"im01_ker02", "im02_ker02"})
    assert len(after) == len(before)
    assert before.keys() & after.keys()


def test_a_broken_image_is_counted_and_stops_nothing(data, tmp_path):
    (data / "levin2009" / "blurred" / "im01_ker02.png").write_bytes(b"no picture")
    wanted = plan(data, tmp_path / "out")
    results = run(wanted)
    write_report(wanted, results)
    table = {row.method: row for row in rows(results[0])}
    assert (table["wiener"].images, table["wiener"].failures) == (3, 1)
    assert "im01_ker02, wiener: PhotoError" in (tmp_path / "out" / "tables.md").read_text()
    assert "no result" in (tmp_path / "out" / "index.html").read_text()
    # repaired, it is measured by the next run
    making.levin(data)
    assert rows(run(wanted)[0])[1].failures == 0


def test_blind_methods_share_an_estimate_that_is_judged(tmp_path):
    making.levin(tmp_path, images=1, psfs=1)
    wanted = plan(tmp_path, tmp_path / "out", blind=True, methods=("wiener", "auto"))
    records = {record.method: record for record in run(wanted)[0].records}
    assert records["wiener"].known == "estimated PSF"
    assert records["auto"].known == "image only"
    for name in ("psf_similarity", "ssd_ratio", "spectral_ratio"):
        assert records["wiener"].scores[name] > 0
    assert (tmp_path / "out/pictures/levin2009-blind/im01_ker01/wiener-psf.png").is_file()


def test_the_nearest_of_many_truths_counts(tmp_path):
    for place in (1, 2, 3):
        making.save(making.scene(80, 88, seed=place), tmp_path / "koehler2012" / f"GroundTruth1_2_{place}.png")
    making.save(making.scene(80, 88, seed=3), tmp_path / "koehler2012" / "Blurry1_2.png")
    wanted = plan(tmp_path, tmp_path / "out", sets=("koehler2012",), methods=("wiener",))
    assert run(wanted)[0].records[0].scores["psnr"] == 120


def test_a_set_without_truths_is_shown_with_the_scores_that_need_none(tmp_path):
    making.save(making.scene(), tmp_path / "lai2016_real" / "blurry" / "boat.png")
    wanted = plan(tmp_path, tmp_path / "out", sets=("lai2016_real",), methods=("wiener",), metrics=("psnr", "noise"))
    results = run(wanted)
    write_report(wanted, results)
    assert list(rows(results[0])[1].values) == ["noise"]
    assert "wiener" in (tmp_path / "out" / "index.html").read_text()


@pytest.mark.parametrize(
    "changes",
    [{"methods": ("winer",)}, {"sets": ("levin",)}, {"metrics": ("psrn",)}, {"every": 0}, {"methods": ("wiener",) * 2}],
)
def test_an_impossible_plan_is_refused_before_anything_is_done(changes, tmp_path):
    with pytest.raises(UsageError):
        plan(tmp_path, tmp_path / "out", **changes)
    assert not (tmp_path / "out").exists()


def test_a_missing_set_stops_the_run_before_it_begins(data, tmp_path):
    with pytest.raises(MissingBenchmark, match="gopro"):
        run(plan(data, tmp_path / "out", sets=("levin2009", "gopro")))
    assert not (tmp_path / "out").exists()


def test_a_ledger_forgets_half_a_line_only(tmp_path):
    ledger = Ledger(tmp_path)
    first = Record("set", "method", "a", "v", scores={"psnr": 30.0})
    ledger.add(first, 1.5)
    with (tmp_path / "records.jsonl").open("a") as stream:
        stream.write('{"half')
    again = Ledger(tmp_path)
    again.add(Record("set", "method", "b", "v"), None)
    assert list(Ledger(tmp_path).done) == [("set", "method", "a", "v"), ("set", "method", "b", "v")]
    assert Ledger(tmp_path).done[first.key] == first
    assert Ledger(tmp_path).seconds == {first.key: 1.5}


def test_of_a_large_set_the_worst_images_are_shown(data, tmp_path, monkeypatch):
    monkeypatch.setattr(page, "MOST_PICTURED", 2)
    wanted = plan(data, tmp_path / "out", methods=("wiener",))
    results = run(wanted)
    psnr = {(record.method, record.image): record.scores["psnr"] for record in results[0].records}
    gains = sorted((psnr["wiener", image] - psnr["input", image], image) for image in results[0].images)
    text = page.page(wanted, results)
    assert "Pictures of the 2 of 4 images" in text
    shown = [image for _, image in gains if f'<h3 id="levin2009/{image}">' in text]
    assert shown == [image for _, image in gains[:2]]

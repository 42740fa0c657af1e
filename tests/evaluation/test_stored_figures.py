"""The page of measured figures, written from what is stored."""

import itertools
import json
from xml.etree import ElementTree as ET

import pytest
from benchmarks import chart, docs

SET = {
    "set": "levin2009",
    "title": "32 captured images",
    "source": "Levin",
    "protocol": "peak 1",
    "images": 32,
    "every": 1,
    "seed": 0,
    "threads": 2,
    "seconds": {"wiener": 0.05},
    "measured": [
        {
            "method": "input",
            "known": "",
            "images": 32,
            "failures": 0,
            "below_input": None,
            "successes": None,
            "psnr": 22.0,
        },
        {
            "method": "wiener",
            "known": "true PSF",
            "images": 31,
            "failures": 1,
            "below_input": 2,
            "successes": None,
            "psnr": 33.0,
        },
    ],
    "quoted": [{"method": "EPLL", "known": "true PSF", "psnr": 34.75, "source": "Kruse", "note": "border"}],
}
CURVE = {
    "curve": "noise",
    "label": "noise, %",
    "x": [1, 2, 5],
    "psnr": {"input": [20, 19, 18], "wiener": [30.5, 28, 24]},
}
HARM = {
    "level": "wrong PSF",
    "method": "wiener",
    "cases": 9,
    "unguarded_harmed": 5,
    "guarded_harmed": 1,
    "unguarded_worst": -7.0,
    "guarded_worst": -0.5,
    "unguarded_gain": -1.0,
    "guarded_gain": 2.0,
    "harmed": [{"case": 3, "kind": "rotated 45", "gain": -0.5}],
}
DUEL = {"duel": "wiener", "seconds": {"a": 0.1, "b": 0.2}, "psnr": {"a": 27.0, "b": 26.0}, "times_faster": 2.0}


@pytest.fixture
def place(tmp_path, monkeypatch):
    (tmp_path / "results").mkdir()
    monkeypatch.setattr(docs, "RESULTS", tmp_path / "results")
    monkeypatch.setattr(docs, "PAGE", tmp_path / "benchmarks.md")
    monkeypatch.setattr(docs, "CHARTS", tmp_path / "images")
    return tmp_path


def store(place, name: str, figures: object) -> None:
    (place / "results" / f"{name}.json").write_text(json.dumps({"machine": "x86_64", "figures": figures}))


def test_every_stored_section_becomes_tables_and_charts(place):
    store(place, "nonblind", [SET])
    store(place, "robustness", {"setting": "three pictures", "protocol": "peak 1", "curves": [CURVE]})
    store(
        place,
        "speed",
        {
            "side_by_side": [DUEL],
            "startup": {"help_seconds": 0.3, "import_seconds": 0.01},
            "twelve_megapixels": {"method": "wiener", "seconds": 40.0, "peak_gib": 1.5},
        },
    )
    docs.main()
    page = (place / "benchmarks.md").read_text()
    assert "| wiener | true PSF | 33.00 | 2 of 31 | 1 |" in page
    assert "| *EPLL, quoted [1]* | true PSF | 34.75 |" in page
    assert "Protocol: peak 1." in page
    assert "![PSNR of each method](images/robustness-noise.svg)" in page
    assert "| wiener | 30.50 | 28.00 | 24.00 |" in page
    assert "40 s, process peak 1.50 GiB" in page
    chart_file = place / "images" / "robustness-noise.svg"
    assert len(ET.fromstring(chart_file.read_text()).findall("{*}polyline")) == 2
    before = page, chart_file.read_bytes()
    docs.main()
    assert ((place / "benchmarks.md").read_text(), chart_file.read_bytes()) == before


@pytest.mark.parametrize(("name", "title"), [("harm", "## Do no harm\n"), ("harm_blind", "## Do no harm, blind\n")])
def test_each_case_that_was_harmed_is_named(place, name, title):
    store(place, name, [[HARM]])
    docs.main()
    part = (place / "benchmarks.md").read_text().split(title)[1].split("\n## ")[0]
    assert "| wrong PSF | 9 | 5 | 1 | -7.00 | -0.50 | -1.00 | 2.00 |" in part
    assert "wrong PSF 3 (rotated 45) -0.50" in part


def test_what_is_not_measured_says_how_to_measure_it(place):
    docs.main()
    page = (place / "benchmarks.md").read_text()
    for name in ("nonblind", "night", "blind", "robustness", "speed", "harm", "harm_blind"):
        assert f"--only {name}" in page


def test_the_names_beside_the_lines_do_not_overlap():
    heights = chart.places_of_names({"a": 100.0, "b": 101.0, "c": 102.0, "d": 300.0, "e": 300.0})
    ordered = sorted(heights.values())
    assert min(b - a for a, b in itertools.pairwise(ordered)) >= 15
    assert ordered[-1] <= 312

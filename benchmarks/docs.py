"""Write docs/benchmarks.md and its charts from benchmarks/results/*.json: ``python -m benchmarks.docs``."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks import harm, harm_blind, plan
from benchmarks.chart import line_chart
from benchmarks.parts import ALIKE
from nightsharp.evaluation.report import markdown_table
from nightsharp.evaluation.tables import COLUMNS, Row

ROOT = Path(__file__).resolve().parent.parent
RESULTS = Path(__file__).resolve().parent / "results"
PAGE = ROOT / "docs" / "benchmarks.md"
CHARTS = ROOT / "docs" / "images"

_TITLES = {
    "nonblind": "Non-blind: the PSF is given",
    "night": "Night: saturated and noisy, the PSF is given",
    "blind": "Blind: nothing is given",
}
_FURTHER = {
    "robustness": "Robustness",
    "speed": "Speed and memory",
    "plan": "The plan beside what happened",
    "harm": "Do no harm",
    "harm_blind": "Do no harm, blind",
}
_CURVES = {
    "noise": "Noise",
    "psf_error": "A wrong PSF",
    "saturation": "Saturation",
    "psf_size": "Size of the PSF",
}


def main() -> None:
    """Write the page; a section without a stored result says how to measure it."""
    CHARTS.mkdir(parents=True, exist_ok=True)
    parts = [
        "# Measured figures\n",
        "<!-- written by `make bench-docs` from benchmarks/results/*.json; do not edit -->\n",
        "Every table names its protocol. Rows in italics are quoted from papers whose protocols differ in detail; all "
        "others were measured here. [How to measure](evaluation.md): sets, protocols, metrics, commands.\n",
        " · ".join(f"[{title.split(':')[0]}](#{_anchor(title)})" for title in (*_TITLES.values(), *_FURTHER.values()))
        + "\n",
    ]
    for name, title in _TITLES.items():
        parts.append(f"## {title}\n")
        stored = _stored(name)
        parts += [_missing(name)] if stored is None else [_set(entry) for entry in stored["figures"]]
    written: dict[str, Callable[[dict[str, Any]], str]] = {
        "robustness": lambda stored: _robustness(stored["figures"]),
        "speed": _speed,
        "plan": _plan,
        "harm": lambda stored: _harm(stored["figures"], harm.PROTOCOL),
        "harm_blind": lambda stored: _harm(stored["figures"], harm_blind.PROTOCOL),
    }
    for name, title in _FURTHER.items():
        stored = _stored(name)
        parts += [f"## {title}\n", _missing(name) if stored is None else written[name](stored)]
    PAGE.write_text("\n".join(parts), encoding="utf-8")
    print(f"-> {PAGE}")


def _anchor(title: str) -> str:
    """What GitHub calls a heading."""
    return "".join(c for c in title.lower().replace(" ", "-") if c.isalnum() or c == "-")


def _stored(name: str) -> dict[str, Any] | None:
    file = RESULTS / f"{name}.json"
    return json.loads(file.read_text(encoding="utf-8")) if file.is_file() else None


def _missing(name: str) -> str:
    return f"Not measured yet: `python -m benchmarks --only {name} --data folder --store`.\n"


def _set(entry: dict[str, Any]) -> str:
    step = f" (one in {entry['every']})" if entry["every"] > 1 else ""
    seconds = ", ".join(f"{method} {value:g}" for method, value in entry["seconds"].items())
    return (
        f"### {entry['set']}\n{entry['title']}. {entry['images']} images{step}, seed {entry['seed']}.\n\n"
        f"Protocol: {entry['protocol']}.\n\n"
        f"{markdown_table([_row(row) for row in entry['measured']], [_row(row) for row in entry['quoted']])}\n"
        f"{_parts(entry.get('parts', []))}"
        f"Seconds an image, {_threads(entry['threads'])}: {seconds}. Set: {entry['source']}.\n"
    )


def _threads(count: int) -> str:
    return "1 thread" if count == 1 else f"{count} threads"


def _parts(parts: list[dict[str, Any]]) -> str:
    """By category and by PSF; nothing for a set that was stored without."""
    if not parts:
        return ""
    lines = [
        f"| part | images | input | PSNR | PSF similarity | at least {ALIKE:g} |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    for part in parts:
        quality = f"{part['input']:.2f} | {part['psnr']:.2f} | {part['similarity']:.3f}"
        lines.append(f"| {part['part']} | {part['images']} | {quality} | {part['alike']} |")
    return "\n".join(lines) + "\n\n"


def _row(facts: dict[str, Any]) -> Row:
    values = {name: value for name, value in facts.items() if name in COLUMNS}
    return Row(values=values, **{name: value for name, value in facts.items() if name not in COLUMNS})


def _robustness(figures: dict[str, Any]) -> str:
    parts = [f"{figures['setting']}.\n\nProtocol: {figures['protocol']}.\n"]
    for curve in figures["curves"]:
        name, values = curve["curve"], curve["x"]
        series = {method: list(zip(values, heights, strict=True)) for method, heights in curve["psnr"].items()}
        file = CHARTS / f"robustness-{name.replace('_', '-')}.svg"
        file.write_text(line_chart(_CURVES[name], curve["label"], series), encoding="utf-8")
        lines = [
            f"| {curve['label']} | " + " | ".join(f"{value:g}" for value in values) + " |",
            "| --- |" + " ---: |" * len(values),
            *(f"| {m} | " + " | ".join(f"{y:.2f}" for y in heights) + " |" for m, heights in curve["psnr"].items()),
        ]
        parts.append(f"### {_CURVES[name]}\n![PSNR of each method](images/{file.name})\n\n" + "\n".join(lines) + "\n")
    return "\n".join(parts)


def _speed(stored: dict[str, Any]) -> str:
    figures = stored["figures"]
    big, start = figures["twelve_megapixels"], figures["startup"]
    lines = [
        f"{stored['machine']}.\n",
        "Side by side with scikit-image: `camera` 504 x 504, disk of radius 4, 1 % noise, in turns in one run, best "
        "wall time of five, one thread each; PSNR with 16 px border left out.\n",
        "| | ours, s | dB | scikit-image, s | dB | times as fast |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    for duel in figures["side_by_side"]:
        (ours, peer), (mine, theirs) = duel["seconds"].values(), duel["psnr"].values()
        faster = duel["times_faster"]
        lines.append(f"| {duel['duel']} | {ours:.3f} | {mine:.2f} | {peer:.3f} | {theirs:.2f} | {faster:.1f} |")
    lines += [
        "",
        f"12 megapixels in colour, `{big['method']}`, disk of radius 6, PSF given: {big['seconds']:.0f} s, process "
        f"peak {big['peak_gib']:.2f} GiB.\n",
        f"`nightsharp --help` answers in {start['help_seconds']:.2f} s; `import nightsharp` takes "
        f"{start['import_seconds']:.3f} s.\n",
    ]
    return "\n".join(lines)


def _plan(stored: dict[str, Any]) -> str:
    lines = [
        f"{stored['machine']}. JPEG photographs, `{plan.PSF}`, guard on, half of the free memory allowed; asked: "
        "seconds within 30 % of the plan, memory at most 15 % above it.\n",
        "| photo | method | tiles | seconds planned | taken | GB planned | held | as asked |",
        "| --- | --- | ---: | ---: | ---: | ---: | ---: | --- |",
    ]
    for row in stored["figures"]["rows"]:
        seconds, memory = row["seconds"], row["peak_gb"]
        times = f"{seconds['expected']:.1f} | {seconds['actual']:.1f}"
        sizes = f"{memory['expected']:.2f} | {memory['actual']:.2f}"
        asked = "yes" if row["as_asked"] else "no"
        lines.append(f"| {row['photo']} | {row['method']} | {row['tiles']} | {times} | {sizes} | {asked} |")
    return "\n".join(lines) + "\n"


def _harm(methods: list[list[dict[str, Any]]], protocol: str) -> str:
    heads = ("level", "cases", "harmed, unguarded", "guarded", "worst, unguarded", "guarded", "mean gain, unguarded")
    parts = [f"{protocol} dB; [the guard](guard.md).\n"]
    for rows in methods:
        lines = [f"| {' | '.join((*heads, 'guarded'))} |", "| --- |" + " ---: |" * len(heads)]
        for row in rows:
            counts = f"{row['cases']} | {row['unguarded_harmed']} | {row['guarded_harmed']}"
            worst = f"{row['unguarded_worst']:.2f} | {row['guarded_worst']:.2f}"
            gains = f"{row['unguarded_gain']:.2f} | {row['guarded_gain']:.2f}"
            lines.append(f"| {row['level']} | {counts} | {worst} | {gains} |")
        parts.append(f"### `{rows[0]['method']}`\n" + "\n".join(lines) + "\n")
        harmed = [
            f"{row['level']} {c['case']} ({c['kind']}) {c['gain']:.2f}" for row in rows for c in row.get("harmed", [])
        ]
        if harmed:
            parts.append(f"Harmed, by level and number of the case, dB: {'; '.join(harmed)}.\n")
    return "\n".join(parts)


if __name__ == "__main__":
    main()

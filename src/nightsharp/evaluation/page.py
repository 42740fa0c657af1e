"""One HTML page that needs nothing beside itself: sortable tables, failure cases, pictures."""

import base64
from html import escape
from importlib.resources import files
from pathlib import Path

from nightsharp.evaluation.pictures import ERROR_SCALE
from nightsharp.evaluation.records import Record
from nightsharp.evaluation.runner import INPUT, Plan, SetResult
from nightsharp.evaluation.tables import COLUMNS, Row, columns, quoted, rows, shown

MOST_PICTURED = 40
"""Images of a set that are shown; of a larger one, those where the methods gained least."""


def page(plan: Plan, results: list[SetResult]) -> str:
    """The page of a run; the pictures are read from the run's folder and become part of it."""
    style, script = (files("nightsharp.evaluation").joinpath(f"page.{kind}").read_text() for kind in ("css", "js"))
    given = "the PSF is unknown to the methods" if plan.blind else "the true PSF is given where the set has one"
    links = "".join(f'<a href="#{r.benchmark.name}">{r.benchmark.name}</a>' for r in results)
    step = f", every {plan.every}th image" if plan.every > 1 else ""
    weights = "".join(f"; weights of {escape(str(own))}" for own in plan.weights)
    sections = "\n".join(_section(plan, result) for result in results)
    return f"""<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>nightsharp benchmark</title>
<style>
{style}</style>
<h1>nightsharp benchmark</h1>
<p>{escape(", ".join(plan.methods))}; {given}; seed {plan.seed}{step}{weights}. Rows marked <i>quoted</i> are
other people's figures under protocols that differ in detail. Click a column's head to sort by it.</p>
<nav>{links}</nav>
{sections}
<script>
{script}</script>
</html>
"""


def _section(plan: Plan, result: SetResult) -> str:
    benchmark = result.benchmark
    table, published = rows(result), quoted(result, blind=plan.blind)
    return f"""<section id="{benchmark.name}">
<h2>{benchmark.name}</h2>
<p>{escape(benchmark.title)}. {len(result.images)} images. {escape(benchmark.source)}.</p>
<p class="quiet">Protocol: {escape(str(benchmark.protocol))}.</p>
<div class="wide">{_table(table, published)}</div>
{_notes(published)}
{_failure_cases(result)}
{_gallery(plan, result)}
</section>"""


def _table(table: list[Row], published: list[Row]) -> str:
    names = columns([*table, *published])
    ratios = any(row.successes is not None for row in table)
    heads = ["method", "given", *(COLUMNS[name].title for name in names)]
    heads += [*(["ratio ≤ 3"] if ratios else []), "below input", "failed"]
    best = {name: _best(name, table) for name in names}
    lines = []
    for row in [*table, *published]:
        mark = '<span class="tag">quoted</span>' if row.source else ""
        cells = [f"<td>{escape(row.method)}{mark}</td>", f'<td class="words">{escape(row.known)}</td>']
        for name in names:
            value = row.values.get(name)
            top = ' class="best"' if row.source is None and value is not None and value == best[name] else ""
            cells.append(f'<td{top} data-value="{"" if value is None else value}">{shown(name, value)}</td>')
        cells += [_cell(row.successes)] if ratios else []
        cells += [_cell(row.below_input), _cell(row.failures)]
        lines.append(f'<tr class="{"quoted" if row.source else "best"}">{"".join(cells)}</tr>')
    head = "".join(
        f'<th{" class=words" if number < 2 else ""}><button type="button">{escape(text)}</button></th>'
        for number, text in enumerate(heads)
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(lines)}</tbody></table>"


def _cell(count: int | None) -> str:
    return f"<td>{'' if count is None else count}</td>"


def _best(name: str, table: list[Row]) -> float | None:
    values = [row.values[name] for row in table if name in row.values and row.method != INPUT]
    if not values:
        return None
    return max(values) if COLUMNS[name].better > 0 else min(values)


def _notes(published: list[Row]) -> str:
    sources: dict[tuple[str, str], list[str]] = {}
    for row in published:
        sources.setdefault((row.source or "", row.note), []).append(row.method)
    return "".join(
        f'<p class="quiet">Quoted: {escape(", ".join(methods))}: {escape(source)}; {escape(note)}.</p>'
        for (source, note), methods in sources.items()
    )


def _gains(result: SetResult) -> dict[tuple[str, str], float]:
    """PSNR over the input by (image, method)."""
    inputs = {r.image: r.scores["psnr"] for r in result.records if r.method == INPUT and "psnr" in r.scores}
    return {
        (r.image, r.method): r.scores["psnr"] - inputs[r.image]
        for r in result.records
        if r.method != INPUT and "psnr" in r.scores and r.image in inputs
    }


def _failure_cases(result: SetResult) -> str:
    failed = [record for record in result.records if record.error is not None]
    worse = sorted((gain, *key) for key, gain in _gains(result).items() if gain < 0)
    lines = [
        f"<li><b>{escape(record.image)}</b>, {escape(record.method)}: no result. {escape(record.failure)}</li>"
        for record in failed
    ]
    lines += [
        f'<li><a href="#{_anchor(result, image)}">{escape(image)}</a>, {escape(method)}: '
        f'<span class="bad">{gain:.2f} dB</span> against the input</li>'
        for gain, image, method in worse
    ]
    if not lines:
        return '<p class="quiet">Failure cases: none; every result exists and is at least as near as its input.</p>'
    heading = f"Failure cases: {len(failed)} without a result, {len(worse)} below their input"
    return (
        f"<details{' open' if len(lines) <= 12 else ''}><summary>{heading}</summary><ul>{''.join(lines)}</ul></details>"
    )


def _gallery(plan: Plan, result: SetResult) -> str:
    gains = _gains(result)
    failed = {record.image for record in result.records if record.error is not None}

    def mean_gain(image: str) -> float:
        found = [gain for (name, _), gain in gains.items() if name == image]
        return sum(found) / len(found) if found else 0.0

    shown_images = list(result.images)
    words = f"Pictures of all {len(shown_images)} images"
    if len(shown_images) > MOST_PICTURED:
        ordered = sorted(shown_images, key=lambda image: (image not in failed, mean_gain(image)))
        kept = set(ordered[:MOST_PICTURED])
        words = f"Pictures of the {MOST_PICTURED} of {len(shown_images)} images with failures or the least gain"
        shown_images = [image for image in shown_images if image in kept]
    by_image: dict[str, list[Record]] = {}
    for record in result.records:
        by_image.setdefault(record.image, []).append(record)
    strips = "".join(_strip(plan, result, image, by_image[image], gains) for image in shown_images)
    aside = f"error maps: mean absolute error over the channels, black 0, white {ERROR_SCALE} or more"
    is_open = " open" if len(shown_images) <= 8 else ""
    return f'<details{is_open}><summary>{words}</summary><p class="quiet">{aside}.</p>{strips}</details>'


def _strip(
    plan: Plan, result: SetResult, image: str, records: list[Record], gains: dict[tuple[str, str], float]
) -> str:
    folder = plan.pictures(result.benchmark.name, image)
    stacks = [_figure(folder / "truth.jpg", "truth") + _figure(folder / "psf.png", "true PSF", narrow=True)]
    for record in records:
        method = record.method
        if record.error is not None:
            words = f'<b>{escape(method)}</b> <span class="bad">no result</span>'
            stacks.append(f"<figure><figcaption>{words}</figcaption></figure>")
            continue
        scores = ", ".join(f"{COLUMNS[name].title} {shown(name, value)}" for name, value in record.scores.items())
        words = f"<b>{escape(method)}</b> {scores}"
        if gains.get((image, method), 0) < 0:
            words += f' <span class="bad">{gains[image, method]:.2f} dB</span>'
        name = plan.picture_name(method)
        stacks.append(
            _figure(folder / f"{name}.jpg", words)
            + _figure(folder / f"{name}-error.jpg", "error")
            + _figure(folder / f"{name}-psf.png", "PSF found", narrow=True)
        )
    columns_of_figures = "".join(f'<div class="stack">{stack}</div>' for stack in stacks if stack)
    return f'<h3 id="{_anchor(result, image)}">{escape(image)}</h3><div class="strip">{columns_of_figures}</div>'


def _anchor(result: SetResult, image: str) -> str:
    return escape(f"{result.benchmark.name}/{image}", quote=True)


def _figure(file: Path, words: str, *, narrow: bool = False) -> str:
    """A picture as part of the page; nothing where the file is not there (a set without truths or PSFs)."""
    if not file.is_file():
        return ""
    kind = "png" if file.suffix == ".png" else "jpeg"
    data = base64.b64encode(file.read_bytes()).decode()
    return (
        f"<figure{' class=narrow' if narrow else ''}>"
        f'<img loading="lazy" alt="" src="data:image/{kind};base64,{data}"><figcaption>{words}</figcaption></figure>'
    )

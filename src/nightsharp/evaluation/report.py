"""The files of a run: CSV by image, JSON, Markdown, one HTML page; seconds in a file of their own."""

import csv
import io
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from nightsharp import __version__
from nightsharp.evaluation.page import page
from nightsharp.evaluation.runner import INPUT, Plan, SetResult
from nightsharp.evaluation.tables import COLUMNS, Row, columns, groups, quoted, rows, shown
from nightsharp.photo import write_whole


def write_report(plan: Plan, results: list[SetResult]) -> list[Path]:
    """Write the tables of a run into its folder.

    The same records give the same bytes: what differs from run to run, the seconds, is in ``timings.json`` alone.

    Returns:
        The files: ``images.csv``, ``results.json``, ``tables.md``, ``index.html``, ``timings.json``.
    """
    timings = {result.benchmark.name: {k: round(v, 3) for k, v in result.seconds.items()} for result in results}
    contents = {
        "images.csv": _csv(results),
        "results.json": json.dumps(as_document(plan, results), ensure_ascii=False, indent=1) + "\n",
        "tables.md": as_markdown(plan, results),
        "index.html": page(plan, results),
        "timings.json": json.dumps({"threads": torch.get_num_threads(), "mean_seconds": timings}, indent=1) + "\n",
    }
    return [write_whole(plan.out / name, text.encode(), overwrite=True) for name, text in contents.items()]


def as_document(plan: Plan, results: list[SetResult]) -> dict[str, Any]:
    """Everything measured, for machines: protocols, rows, quoted rows, images, failures."""
    return {
        "nightsharp": __version__,
        "torch": torch.__version__,
        "blind": plan.blind,
        "seed": plan.seed,
        "every": plan.every,
        "metrics": list(plan.metrics),
        "weights": {own.method: {"file": own.file.name, "sha256": own.sha256} for own in plan.weights},
        "sets": [
            {
                "set": result.benchmark.name,
                "title": result.benchmark.title,
                "source": result.benchmark.source,
                "protocol": str(result.benchmark.protocol),
                "images": len(result.images),
                "measured": [_measured(row) for row in rows(result)],
                "quoted": [
                    {"method": row.method, "known": row.known, **row.values, "source": row.source, "note": row.note}
                    for row in quoted(result, blind=plan.blind)
                ],
                "groups": groups(result, "psnr"),
                "records": [
                    {key: value for key, value in asdict(record).items() if key not in ("set", "version")}
                    for record in result.records
                ],
            }
            for result in results
        ],
    }


def as_markdown(plan: Plan, results: list[SetResult]) -> str:
    """The tables with their protocols, for people and repositories."""
    parts = [f"# Benchmark, {'PSF unknown' if plan.blind else 'PSF given where the set has one'}\n"]
    if plan.weights:
        parts.append(f"Weights: {'; '.join(map(str, plan.weights))}.\n")
    for result in results:
        table, published = rows(result), quoted(result, blind=plan.blind)
        parts.append(
            f"## {result.benchmark.name}\n{result.benchmark.title}. {len(result.images)} images.\n\n"
            f"Protocol: {result.benchmark.protocol}.\n\nSource: {result.benchmark.source}.\n"
        )
        parts.append(markdown_table(table, published))
        failures = [record for record in result.records if record.error]
        if failures:
            parts.append("Failed:\n" + "\n".join(f"- {r.image}, {r.method}: {r.failure}" for r in failures) + "\n")
    return "\n".join(parts)


def markdown_table(table: list[Row], published: list[Row]) -> str:
    """Measured rows, then quoted ones, each quoted one marked and with its source below."""
    names = columns([*table, *published])
    ratios = any(row.successes is not None for row in table)
    head = ["method", "given", *(COLUMNS[name].title for name in names), *(["ratio <= 3"] if ratios else [])]
    head += ["below input", "failed"]
    lines = [" | ".join(head), " | ".join(["---"] * 2 + ["---:"] * (len(head) - 2))]
    for row in table:
        cells = [row.method, row.known, *(shown(name, row.values.get(name)) for name in names)]
        cells += [_count(row.successes, row.images)] if ratios else []
        cells += [_count(row.below_input, row.images), str(row.failures or 0)]
        lines.append(" | ".join(cells))
    sources = sorted({(row.source or "", row.note) for row in published})
    for row in published:
        cells = [f"*{row.method}, quoted [{sources.index((row.source or '', row.note)) + 1}]*", row.known]
        cells += [shown(name, row.values.get(name)) for name in names] + [""] * (3 if ratios else 2)
        lines.append(" | ".join(cells))
    notes = [f"[{number}] {source}: {note}." for number, (source, note) in enumerate(sources, 1)]
    return "\n".join([*(f"| {line} |" for line in lines), "", *(["\\\n".join(notes)] if notes else []), ""])


def _count(count: int | None, images: int | None) -> str:
    return "" if count is None else f"{count} of {images}"


def _measured(row: Row) -> dict[str, Any]:
    facts = asdict(row)
    values = facts.pop("values")
    return {key: value for key, value in facts.items() if key not in ("source", "note")} | values


def _csv(results: list[SetResult]) -> str:
    names = [n for n in COLUMNS if any(n in record.scores for result in results for record in result.records)]
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(["set", "image", "group", "method", "given", *names, "error"])
    for result in results:
        for record in result.records:
            values = [record.scores.get(name, "") for name in names]
            given = "" if record.method == INPUT else record.known
            writer.writerow([record.set, record.image, record.group, record.method, given, *values, record.failure])
    return stream.getvalue()

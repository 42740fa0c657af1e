"""The measurement as JSON and as Markdown."""

import json
from pathlib import Path
from typing import Any

from nightsharp import __version__
from nightsharp._atomic import write_atomically
from nightsharp.evaluation.downstream.measure import Gain, Measured, Row
from nightsharp.evaluation.downstream.task import pooled


def as_document(measured: Measured) -> dict[str, Any]:
    """The measurement for machines."""
    mean, gains, sure = measured.mean, measured.gains, measured.confidence
    return {
        "nightsharp": __version__,
        "task": measured.task,
        "measure": measured.measure,
        "better": "higher" if measured.rising else "lower",
        "model": measured.model,
        "source": measured.source,
        "images": mean.images,
        "scenes": len({row.scene for row in measured.done}),
        "nothing_to_find": list(measured.nothing),
        "failed": [{"image": row.name, "error": row.error} for row in measured.rows if row.error is not None],
        "mean": _figures(mean, measured.rising),
        "confidence_95": None if sure is None else [round(side, 6) for side in sure],
        "better_images": sum(gain > 0 for gain in gains),
        "worse_images": sum(gain < 0 for gain in gains),
        "classes": {label: _figures(gain, measured.rising) for label, gain in measured.classes.items()},
        "per_image": [_row(row) for row in measured.done],
    }


def _figures(gain: Gain, rising: bool) -> dict[str, Any]:
    figures: dict[str, Any] = {
        "images": gain.images,
        "before": round(gain.before, 6),
        "after": round(gain.after, 6),
        "gain": round(gain.after - gain.before if rising else gain.before - gain.after, 6),
    }
    if gain.ceiling is not None:
        figures["sharp"] = round(gain.ceiling, 6)
    return figures


def _row(row: Row) -> dict[str, Any]:
    return {
        "image": row.name,
        "scene": row.scene,
        "before": round(pooled(row.before), 6),
        "after": round(pooled(row.after), 6),
        **({"sharp": round(pooled(row.ceiling), 6)} if row.ceiling else {}),
    }


def as_markdown(measured: Measured) -> str:
    """The measurement for people."""
    mean, sure = measured.mean, measured.confidence
    document = as_document(measured)
    way = "higher is better" if measured.rising else "lower is better"
    failed = len(document["failed"])
    between = "one scene: no interval" if sure is None else f"95 % interval {sure[0]:+.3f} to {sure[1]:+.3f}"
    head = [
        f"## {measured.task}: {measured.measure} ({way})",
        "",
        f"{measured.source}. Reader: {measured.model}.",
        "",
    ]
    failures = [f"\nFailed: {row['image']}: {row['error']}" for row in document["failed"]]
    if not mean.images:
        found = f"Nothing to compare: there is nothing to find in {', '.join(measured.nothing) or 'any picture'}."
        return "\n".join([*head, found, *failures]) + "\n"
    lines = [
        *head,
        f"Mean gain {document['mean']['gain']:+.3f} ({between}, {mean.images} pictures of {document['scenes']} "
        f"scenes); {document['better_images']} better, {document['worse_images']} worse"
        + (f", {failed} failed" if failed else "")
        + (f", {len(measured.nothing)} with nothing to find" if measured.nothing else "")
        + ".",
        "",
        "| class | images | before | after | gain |" + (" sharp |" if mean.ceiling is not None else ""),
        "|---|---|---|---|---|" + ("---|" if mean.ceiling is not None else ""),
    ]
    for label, gain in measured.classes.items():
        lines.append(_line(label, gain, measured.rising))
    lines.append(_line("**mean over images**", mean, measured.rising))
    return "\n".join([*lines, *failures]) + "\n"


def _line(label: str, gain: Gain, rising: bool) -> str:
    figures = _figures(gain, rising)
    cells = [label, str(gain.images), f"{gain.before:.3f}", f"{gain.after:.3f}", f"{figures['gain']:+.3f}"]
    if gain.ceiling is not None:
        cells.append(f"{gain.ceiling:.3f}")
    return f"| {' | '.join(cells)} |"


def write_report(measured: Measured, folder: Path) -> list[Path]:
    """Write ``downstream-TASK.json`` and ``.md`` into a folder, which is made where it is missing.

    Returns:
        Both files.
    """
    folder.mkdir(parents=True, exist_ok=True)
    document = json.dumps(as_document(measured), ensure_ascii=False, indent=1) + "\n"
    contents = {".json": document, ".md": as_markdown(measured)}
    return [
        write_atomically(folder / f"downstream-{measured.task}{ending}", text.encode(), overwrite=True)
        for ending, text in contents.items()
    ]

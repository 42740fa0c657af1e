"""From records to rows: means, counts, failures, and the quoted rows beside them."""

from dataclasses import dataclass

from nightsharp.evaluation.benchmarks import PublishedRow, published_rows
from nightsharp.evaluation.records import Record
from nightsharp.evaluation.runner import INPUT, SetResult
from nightsharp.evaluation.scores import METRICS, Metric

SUCCESS_RATIO = 3.0
"""A blind result whose squared error is at most three times that with the true PSF counts as a success (Levin 2009)."""

EXTRA = {
    "psf_similarity": Metric("PSF similarity", 1, 3),
    "ssd_ratio": Metric("error ratio", -1, 2),
    "spectral_ratio": Metric("spectral ratio", -1, 3),
}
"""Columns that only a found PSF fills."""

COLUMNS = METRICS | EXTRA


@dataclass(frozen=True)
class Row:
    """A line of a table.

    Attributes:
        method: the name, ``"input"`` for the blurred images.
        known: what the method was given.
        values: by metric, combined over the images that have it.
        images: measured ones.
        failures: images without a result.
        below_input: images whose PSNR fell below that of the input.
        successes: images with an error ratio of at most 3; None where none was measured.
        source: of a quoted row; None for a measured one.
        note: in what a quoted row's protocol differs.
    """

    method: str
    known: str
    values: dict[str, float]
    images: int | None = None
    failures: int | None = None
    below_input: int | None = None
    successes: int | None = None
    source: str | None = None
    note: str = ""


def rows(result: SetResult) -> list[Row]:
    """The measured rows of a set, the input first."""
    by_method: dict[str, list[Record]] = {}
    for record in result.records:
        by_method.setdefault(record.method, []).append(record)
    inputs = {record.image: record.scores.get("psnr") for record in by_method.get(INPUT, [])}
    return [_row(result, method, records, inputs) for method, records in by_method.items()]


def quoted(result: SetResult, *, blind: bool) -> list[Row]:
    """The published rows of a set whose methods were given as much as the measured ones."""
    wanted = "nothing" if blind else "psf"
    known = {"psf": "true PSF", "nothing": "image only", "events": "events"}
    given = {record.known for record in result.records}

    def belongs(row: PublishedRow) -> bool:
        alone = "image only" in given or "true PSF" not in given
        return row.known in (wanted, "events") or (row.known == "nothing" and alone)

    return [
        Row(row.method, known[row.known], row.values, source=row.source, note=row.note)
        for row in published_rows(result.benchmark.name)
        if belongs(row)
    ]


def groups(result: SetResult, metric: str) -> dict[str, dict[str, float]]:
    """The combined value of a metric for each group of images and each method; empty for a set without groups."""
    table: dict[str, dict[str, list[float]]] = {}
    for record in result.records:
        if record.group and metric in record.scores:
            table.setdefault(record.group, {}).setdefault(record.method, []).append(record.scores[metric])
    combine = result.benchmark.protocol.combine
    return {group: {name: combine(values) for name, values in cells.items()} for group, cells in sorted(table.items())}


def columns(table: list[Row]) -> list[str]:
    """The metrics that any row has, in the order of the catalogue."""
    return [name for name in COLUMNS if any(name in row.values for row in table)]


def shown(name: str, value: float | None) -> str:
    """A value with the digits of its column.

    Example:
        >>> shown("psnr", 31.4159), shown("ssim", None)
        ('31.42', '')
    """
    return "" if value is None else f"{value:.{COLUMNS[name].digits}f}"


def _row(result: SetResult, method: str, records: list[Record], inputs: dict[str, float | None]) -> Row:
    done = [record for record in records if record.error is None]
    combine = result.benchmark.protocol.combine
    values = {}
    for name in COLUMNS:
        found = [record.scores[name] for record in done if name in record.scores]
        if found:
            values[name] = round(combine(found), 4)
    below = None
    if method != INPUT and "psnr" in values:
        before = {image: value for image, value in inputs.items() if value is not None}
        below = sum(record.scores["psnr"] < before.get(record.image, -1.0) for record in done)
    ratios = [record.scores["ssd_ratio"] for record in done if "ssd_ratio" in record.scores]
    known = sorted({record.known for record in done if record.known})
    return Row(
        method,
        " / ".join(known),
        values,
        len(done),
        len(records) - len(done),
        below,
        sum(ratio <= SUCCESS_RATIO for ratio in ratios) if ratios else None,
    )

"""Figures of the papers, quoted beside ours."""

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Literal


@dataclass(frozen=True)
class PublishedRow:
    """A quoted row.

    Attributes:
        set: the benchmark it stands beside.
        method: as its paper names it.
        known: what the method was given: ``"psf"``, ``"nothing"``, or ``"events"``.
        values: by metric name.
        source: where the figure was read.
        note: in what its protocol differs from ours.
    """

    set: str
    method: str
    known: Literal["psf", "nothing", "events"]
    values: dict[str, float]
    source: str
    note: str


@cache
def _all() -> tuple[PublishedRow, ...]:
    text = files("nightsharp.evaluation.benchmarks").joinpath("published.json").read_text(encoding="utf-8")
    rows = []
    for table in json.loads(text):
        for method, values in table["rows"].items():
            named = dict(zip(table["metrics"], values, strict=True))
            kept = {name: value for name, value in named.items() if value is not None}
            rows.append(PublishedRow(table["set"], method, table["known"], kept, table["source"], table["note"]))
    return tuple(rows)


def published_rows(set_name: str) -> list[PublishedRow]:
    """The quoted rows of a set, in the order of the data file.

    Example:
        >>> published_rows("levin2009_selfdeblur")[-1].source != ""
        True
    """
    return [row for row in _all() if row.set == set_name]

"""New rows beside stored ones: a method is measured again without the others."""

from typing import Any

Table = dict[str, Any]
_SAME = ("protocol", "images", "every", "seed")


def joined(stored: list[Table], new: list[Table]) -> list[Table]:
    """The stored tables with the rows of the methods that were measured again in place of their old ones.

    A table whose protocol, images or seed are no longer those of the stored one replaces it whole, because rows of
    different images cannot stand in one table.

    Args:
        stored: tables as :func:`benchmarks.quality.measure` returns them.
        new: tables of some methods and sets.
    """
    tables = {table["set"]: table for table in stored}
    for table in new:
        before = tables.get(table["set"])
        comparable = before is not None and all(before[key] == table[key] for key in _SAME)
        tables[table["set"]] = _with_rows(before, table) if comparable and before is not None else table
    return list(tables.values())


def _with_rows(before: Table, table: Table) -> Table:
    rows = {row["method"]: row for row in (*before["measured"], *table["measured"])}
    groups = {
        name: before["groups"].get(name, {}) | table["groups"].get(name, {})
        for name in (*before["groups"], *(name for name in table["groups"] if name not in before["groups"]))
    }
    both = table | {
        "measured": list(rows.values()),
        "groups": groups,
        "seconds": before["seconds"] | table["seconds"],
    }
    # of the one method that stands for all where the PSF is estimated; it may not be among the new ones
    return both if table.get("parts") or "parts" not in before else both | {"parts": before["parts"]}

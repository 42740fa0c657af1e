"""Jobs from a report: the photographs it names, and where their results go this time."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from nightsharp.cli.outputs import Job, plan
from nightsharp.errors import UsageError

_LARGEST = 256 << 20


def read_replay(
    file: Path,
    photos: Sequence[Path],
    *,
    output: str | None,
    suffix: str,
    compare: str | None,
    overwrite: bool,
) -> tuple[list[Job], list[dict[str, Any]]]:
    """What a report asks to be done again.

    Args:
        file: what ``--report`` or ``--json`` wrote, or one report alone.
        photos: where its photographs are now, in its order; where the report says when empty.
        output: as for ``plan``; without it the results go where the report's went.
        suffix: as for ``plan``.
        compare: as for ``plan``.
        overwrite: whether existing files may be replaced.

    Returns:
        One job and one report for each photograph that was restored then.

    Raises:
        UsageError: the file is no report, or names another number of photographs.
    """
    entries = [entry for entry in _entries(file) if "report" in entry]
    if not entries:
        raise UsageError(f"{file} tells of no restored photo; there is nothing to do again.")
    if photos and len(photos) != len(entries):
        raise UsageError(f"{file} tells of {len(entries)} restored photos, but {len(photos)} are named.")
    try:
        inputs = list(photos) or [Path(entry["report"]["input"]["path"]) for entry in entries]
        outputs = [entry.get("output") for entry in entries]
    except (KeyError, TypeError, AttributeError) as problem:
        raise UsageError(f"{file} is a damaged report ({problem} is missing).") from problem
    jobs = []
    if output is None and all(isinstance(place, str) for place in outputs):
        for photo, place in zip(inputs, outputs, strict=True):
            jobs += plan([photo], output=place, suffix=suffix, compare=None, overwrite=overwrite)
    else:
        jobs = plan(inputs, output=output, suffix=suffix, compare=None, overwrite=overwrite)
    if compare is not None:
        sheets = plan(inputs, output=output, suffix=suffix, compare=compare, overwrite=overwrite)
        jobs = [replace(job, compare=sheet.compare) for job, sheet in zip(jobs, sheets, strict=True)]
    return jobs, [entry["report"] for entry in entries]


def _entries(file: Path) -> list[dict[str, Any]]:
    if not file.is_file():
        raise UsageError(f"{file}: there is no such report. Check the path.")
    if file.stat().st_size > _LARGEST:
        raise UsageError(f"{file} is too large for a report. Use one that --report or --json wrote.")
    try:
        document = json.loads(file.read_bytes())
    except ValueError as problem:
        raise UsageError(f"{file} is no JSON ({problem}). Use a report that --report or --json wrote.") from problem
    entries = document.get("files", [{"report": document}]) if isinstance(document, dict) else None
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise UsageError(f"{file} is no report. Use one that --report or --json wrote.")
    return entries

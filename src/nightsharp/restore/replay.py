"""Do again what a report says was done."""

import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch

from nightsharp.errors import PhotoError, UsageError
from nightsharp.methods import get_method
from nightsharp.methods._blocks import Cancel
from nightsharp.photo import Limits, read_photo
from nightsharp.restore.execute import carry_out
from nightsharp.restore.given import Given
from nightsharp.restore.memory import parse_memory
from nightsharp.restore.order import Order
from nightsharp.restore.plan import Plan
from nightsharp.restore.planning import Clock
from nightsharp.restore.progress import StageProgress
from nightsharp.restore.report import describe_file, describe_run, psf_of
from nightsharp.restore.restoration import Restoration
from nightsharp.restore.route import Route

# What a result depends on besides the report.
_VERSIONS = ("nightsharp", "torch")


def replay(
    report: Mapping[str, Any],
    photo: str | os.PathLike[str] | None = None,
    *,
    limits: Limits | None = None,
    max_memory: int | str | None = None,
    progress: StageProgress | None = None,
    cancel: Cancel | None = None,
    tell_plan: Callable[[Plan], None] | None = None,
) -> Restoration:
    """Restore a photograph as a report says it was restored: same PSF, same tiles, same values.

    Args:
        report: of a restoration of a file; or what the command wrote about one photograph.
        photo: where the photograph is now; None where the report says.
        limits: as for ``deblur``.
        max_memory: as for ``deblur``; the tiles are those of the report, only how many run at once may differ.
        progress: as for ``deblur``.
        cancel: as for ``deblur``.
        tell_plan: as for ``deblur``.

    Returns:
        The restoration; its warnings say where the versions differ.

    Raises:
        UsageError: it is no report of a file, or a damaged one.
        PhotoError: the photograph is not the one of the report.
        LimitError: the tiles of the report do not fit the memory.

    Example:
        >>> replay({"method": "wiener"})
        Traceback (most recent call last):
        nightsharp.errors.UsageError: this is no report of a restored file, or a damaged one ('input' is missing...
    """
    started = time.perf_counter()
    report = _only(report)
    try:
        order = _order(report)
        threads = int(report["version"]["threads"])
        said, versions = dict(report["input"]), dict(report["version"])
        file, digest = Path(photo if photo is not None else said["path"]), str(said["sha256"])
    except (KeyError, TypeError, ValueError, AttributeError) as problem:
        what = f"{problem} is missing" if isinstance(problem, KeyError) else str(problem)
        raise UsageError(
            f"this is no report of a restored file, or a damaged one ({what}). Use one that --report or --json wrote."
        ) from problem
    if not file.is_file():
        raise PhotoError(f"{file}: there is no such file. Say where the photo of the report is now.")
    if describe_file(file)["sha256"] != digest:
        raise PhotoError(
            f"{file} is not the photo of the report: its SHA-256 differs from {digest[:12]}... "
            "Name the photo as it was."
        )
    before = torch.get_num_threads()
    try:
        # one piece is summed up by all threads, so their number is part of the result
        torch.set_num_threads(max(1, threads))
        given = Given(read_photo(file, light=order.light, limits=limits), None, file)
        done = carry_out(
            given,
            order,
            max_memory=None if max_memory is None else parse_memory(max_memory),
            clock=Clock(started),
            progress=progress,
            cancel=cancel,
            tell_plan=tell_plan,
        )
    finally:
        torch.set_num_threads(before)
    here = describe_run()
    done.report["warnings"] += [
        f"the report was made with {name} {versions.get(name)}, this is {here[name]}; the values may differ"
        for name in _VERSIONS
        if versions.get(name) != here[name]
    ]
    if done.report["weights"] != report.get("weights"):
        done.report["warnings"].append("the report was made with other weights of this method; the values may differ")
    return done


def _only(document: Mapping[str, Any]) -> Mapping[str, Any]:
    """The report itself, or the only one in what the command wrote."""
    entries = document.get("files")
    if not isinstance(entries, list):
        return document
    reports = [entry["report"] for entry in entries if isinstance(entry, dict) and "report" in entry]
    if len(reports) != 1:
        raise UsageError(
            f"this tells of {len(reports)} restored photos. Give the report of one, ['files'][0]['report']."
        )
    return reports[0]


def _order(report: Mapping[str, Any]) -> Order:
    if report["input"] is None:
        raise ValueError("it is about a tensor or a photo without a file")
    route, psf, options = report["route"], report["psf"], report["options"]
    if "grid" in psf:
        raise ValueError("its blur varied over the photo, and a report holds one PSF")
    used = report["weights"]
    return Order(
        # what the report names is asked for: no other way is looked for
        route=Route(route["estimator"], get_method(route["method"]), str(route["reason"]), asked=True),
        psf=psf_of(psf),
        source=str(psf["source"]),
        confidence=None if psf["confidence"] is None else float(psf["confidence"]),
        strength=float(report["strength"]),
        guard=bool(report["guard"]["on"]),
        light=options["light"],
        core=int(options["core"]),
        weights=None if used is None or used["name"] == report["method"] else str(used["name"]),
    )

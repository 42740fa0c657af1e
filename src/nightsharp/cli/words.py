"""The last words of a command about one photograph."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any


def last_words(photo: Path, output: Path, report: dict[str, Any], asked: Mapping[str, Any] | None = None) -> str:
    """Where the result is, what it took, which way it came, and what the guard did.

    Args:
        photo: the input.
        output: the result.
        report: what was done.
        asked: the options of the command, so that it does not suggest what was tried.

    Example:
        >>> report = {
        ...     "size": {"width": 3024, "height": 4032},
        ...     "seconds": {"total": 41.3},
        ...     "peak_memory_bytes": 1.3e9,
        ...     "route": {"reason": "no PSF given -> estimated PSF + wiener"},
        ...     "psf": {"height": 23, "width": 19, "confidence": 0.82, "source": "estimated by map_psf", "notes": []},
        ...     "strength": 1.0,
        ...     "applied_strength": 0.5,
        ...     "guard": {"words": "nothing to report"},
        ...     "notes": [],
        ...     "warnings": [],
        ... }
        >>> print(last_words(Path("street.jpg"), Path("street-sharp.jpg"), report))
        street.jpg -> street-sharp.jpg   3024 x 4032, 41 s, 1.3 GB
        route: no PSF given -> estimated PSF (23 x 19, confidence 0.82) + wiener
        strength: 0.5, gently, because the PSF is an estimate; --strength 2 asks for twice as much
        guard: nothing to report
    """
    from nightsharp.restore.memory import say_bytes
    from nightsharp.restore.plan import say_seconds

    size = report["size"]
    cost = [f"{size['width']} x {size['height']}", say_seconds(report["seconds"]["total"])]
    if report["peak_memory_bytes"] is not None:
        cost.append(say_bytes(report["peak_memory_bytes"]))
    guard = report["guard"]["words"]
    lines = [
        f"{photo} -> {output}   {', '.join(cost)}",
        f"route: {_route(report)}",
        *_windows(report),
        *_strength(report),
        f"guard: {guard}",
        *_what_now(report, asked or {}),
        *(f"note: the PSF: {note}" for note in report["psf"]["notes"] if not note.startswith("normalised")),
        *(f"note: {note}" for note in report["notes"]),
        *(f"warning: {warning}" for warning in report["warnings"] if warning != guard),
    ]
    return "\n".join(lines)


def _strength(report: dict[str, Any]) -> list[str]:
    from nightsharp.restore.gentle import PHOTO

    asked, applied = report["strength"], report["applied_strength"]
    if applied == asked or report["guard"].get("kept") == "input":
        return []
    first = PHOTO * asked
    if applied < first:
        return [f"strength: {applied:g}, gently: of the result at {first:g} the guard would have given up a part"]
    twice = f"--strength {2 * asked:g} asks for twice as much"
    return [f"strength: {applied:g}, gently, because the PSF is an estimate; {twice}"]


def _what_now(report: dict[str, Any], asked: Mapping[str, Any]) -> list[str]:
    """What to try where the photograph was kept, besides what was tried."""
    from nightsharp.restore.guard import NO_BLUR

    if report["guard"].get("kept") != "input":
        return []
    if report["psf"]["confidence"] is None:
        gentler = "--strength 1, or " if report["strength"] > 1 else ""
        return [f"try: {gentler}another PSF; --no-guard with --compare shows what this one does"]
    ways = [
        "--streak X,Y,W,H around another lamp's path"
        if asked.get("streak")
        else "--streak auto where a lamp drew its path",
        "" if asked.get("streak") or (asked.get("psf_size") or 0) >= 75 else "--psf-size 75 for a large shake",
        "--psf line:30,15 if you know it",
    ]
    blurred = "if it is blurred, try" if report["guard"]["words"] == NO_BLUR else "try"
    return [f"{blurred}: {', '.join(way for way in ways if way)}"]


def _windows(report: dict[str, Any]) -> list[str]:
    """Whether the blur varied, and why, where that was asked."""
    psf = report["psf"]
    _, apart, why = psf["source"].partition("; ")
    # the name of a file that was given may hold anything
    return [f"windows: {why}"] if apart and psf["confidence"] is not None else []


def _route(report: dict[str, Any]) -> str:
    psf = report["psf"]
    size = f"{psf['height']} x {psf['width']}"
    if psf["confidence"] is None:
        known = size if psf["source"] == "given" else f"{psf['source']}, {size}"
        return report["route"]["reason"].replace("PSF given", f"PSF given ({known})", 1)
    found = f"estimated PSF ({size}, confidence {psf['confidence']:.2f})"
    return report["route"]["reason"].replace("estimated PSF", found, 1)

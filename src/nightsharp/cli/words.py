"""The last words of a command about one photograph."""

from pathlib import Path
from typing import Any


def last_words(photo: Path, output: Path, report: dict[str, Any]) -> str:
    """Where the result is, what it took, which way it came, and what the guard did.

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
        *_strength(report),
        f"guard: {guard}",
        *_what_now(report),
        *(f"note: the PSF: {note}" for note in report["psf"]["notes"] if not note.startswith("normalised")),
        *(f"note: {note}" for note in report["notes"]),
        *(f"warning: {warning}" for warning in report["warnings"] if warning != guard),
    ]
    return "\n".join(lines)


def _strength(report: dict[str, Any]) -> list[str]:
    asked, applied = report["strength"], report["applied_strength"]
    if applied == asked:
        return []
    twice = f"--strength {2 * asked:g} asks for twice as much"
    return [f"strength: {applied:g}, gently, because the PSF is an estimate; {twice}"]


def _what_now(report: dict[str, Any]) -> list[str]:
    """What to try where the photograph was kept, but for one that shows no blur at all."""
    from nightsharp.restore.guard import NO_BLUR

    if report["guard"].get("kept") != "input" or report["guard"]["words"] == NO_BLUR:
        return []
    if report["psf"]["confidence"] is None:
        return ["try: another PSF; --no-guard with --compare shows what this one does"]
    ways = "--streak auto where a lamp drew its path, --psf-size 75 for a large shake, --psf line:30,15 if you know it"
    return [f"try: {ways}"]


def _route(report: dict[str, Any]) -> str:
    psf = report["psf"]
    size = f"{psf['height']} x {psf['width']}"
    if psf["confidence"] is None:
        known = size if psf["source"] == "given" else f"{psf['source']}, {size}"
        return report["route"]["reason"].replace("PSF given", f"PSF given ({known})", 1)
    found = f"estimated PSF ({size}, confidence {psf['confidence']:.2f})"
    return report["route"]["reason"].replace("estimated PSF", found, 1)

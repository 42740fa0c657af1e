"""Does the guard hand back anything worse than it was given where the PSF is estimated from the picture itself?"""

from dataclasses import replace
from pathlib import Path

from benchmarks.harm import Outcome, compare, rows
from benchmarks.harm_cases import Case
from nightsharp.methods.map_psf.estimate import estimate_psf

PROTOCOL = """The same pairs, with the PSF estimated from the blurred picture alone (size unknown) and handed on with
its confidence; input and result both at the best shift within 5 px, as an estimated PSF tells nothing of where it lies.
Unguarded, every estimate is used, whatever its confidence."""

COUNT = 20
# A given PSF has no say here, so a wrong one is the true one again.
LEVELS = ("pure noise", "no blur", "saturation", "JPEG 60", "tiny", "true PSF")
_REACH = 5
# restore estimates no PSF in a smaller picture
_SMALLEST = 32


def measure(data: Path, every: int = 1, method: str = "nightwiener") -> list[dict[str, object]]:
    """One row for each level; ``data`` holds train_bsds400 and pack. Every N-th case."""
    return rows(data, method, LEVELS, max(1, COUNT // every), blind, PROTOCOL)


def blind(case: Case, method: str) -> Outcome:
    """A case without its PSF."""
    if min(case.blurred.shape[-2:]) < _SMALLEST:
        return Outcome(case.kind, 0.0, 0.0, 0.0)
    found = estimate_psf(case.blurred)
    outcome = compare(replace(case, psf=found.psf, reach=_REACH), method, found.confidence)
    print(
        f"  {case.level}, {case.kind}: {found.psf.size[0]} x {found.psf.size[1]}, confidence {found.confidence:.2f}, "
        f"{outcome.result - outcome.before:+.2f}, guarded {outcome.guarded - outcome.before:+.2f}",
        flush=True,
    )
    return outcome

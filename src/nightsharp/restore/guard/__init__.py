"""Never hand back something worse than was given."""

from nightsharp.restore.guard.check import Checked, check_tile
from nightsharp.restore.guard.summary import summarise
from nightsharp.restore.guard.verdict import NO_BLUR, Verdict, judge_psf

__all__ = ["NO_BLUR", "Checked", "Verdict", "check_tile", "judge_psf", "summarise"]

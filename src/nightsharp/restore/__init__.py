"""The job users run: route, tiles, method, guard, report."""

from nightsharp.restore.formula import parse_psf
from nightsharp.restore.job import deblur, plan_deblur
from nightsharp.restore.plan import Plan
from nightsharp.restore.progress import StageProgress
from nightsharp.restore.replay import replay
from nightsharp.restore.restoration import Restoration
from nightsharp.restore.route import Route, choose_route
from nightsharp.restore.searching import estimate_psf

__all__ = [
    "Plan",
    "Restoration",
    "Route",
    "StageProgress",
    "choose_route",
    "deblur",
    "estimate_psf",
    "parse_psf",
    "plan_deblur",
    "replay",
]

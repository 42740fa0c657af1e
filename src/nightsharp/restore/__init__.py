"""The job users run: route, tiles, method, guard, report."""

from nightsharp.restore.formula import parse_psf
from nightsharp.restore.job import StageProgress, deblur, estimate_psf
from nightsharp.restore.restoration import Restoration
from nightsharp.restore.route import Route, choose_route

__all__ = ["Restoration", "Route", "StageProgress", "choose_route", "deblur", "estimate_psf", "parse_psf"]

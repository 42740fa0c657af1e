"""The command ``nightsharp``."""

from nightsharp.cli.command import main, run

__all__ = ["main", "run"]

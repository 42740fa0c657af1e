"""The command ``nightsharp``."""

from nightsharp.cli.command import main

__all__ = ["main"]

"""``python -m nightsharp`` is the command ``nightsharp``."""

from nightsharp.cli import run

if __name__ == "__main__":
    run()

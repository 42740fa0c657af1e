"""Importing is quick, light, and goes in one direction."""

import subprocess
import sys
from pathlib import Path

import pytest
from importlinter import api as importlinter  # noqa: F401 - registers the contract types
from importlinter.application.use_cases import lint_imports

ROOT = Path(__file__).resolve().parent.parent
HEAVY = ("torch", "scipy", "skimage", "PIL")


def answer(code: str) -> str:
    """What a fresh interpreter prints."""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    return done.stdout.strip()


def loaded_by(code: str) -> list[str]:
    words = answer(f"import sys\n{code}\nprint('loaded:', *(name for name in {HEAVY} if name in sys.modules))")
    return words.rpartition("loaded:")[2].split()


def test_packages_import_in_one_direction():
    assert lint_imports(config_filename=str(ROOT / "pyproject.toml"), cache_dir=None)


def test_importing_nightsharp_loads_nothing_heavy():
    assert loaded_by("import nightsharp") == []


@pytest.mark.parametrize(
    "words",
    ["--help", "--version"]
    + [
        f"{verb} --help"
        for verb in (
            *("deblur", "estimate-psf", "methods", "doctor", "evaluate", "benchmark", "downstream"),
            *("train", "weights", "synthesize", "align"),
        )
    ],
)
def test_help_loads_nothing_heavy(words):
    assert loaded_by(f"from nightsharp.cli import main; main({words.split()})") == []


def test_importing_nightsharp_is_quick():
    clock = "import time; t = time.perf_counter(); import nightsharp; print(time.perf_counter() - t)"
    assert min(float(answer(clock)) for _ in range(3)) < 0.3


def test_help_is_quick():
    clock = (
        "import time; t = time.perf_counter(); from nightsharp.cli import main; main(['--help']);"
        "print(); print(time.perf_counter() - t)"
    )
    assert min(float(answer(clock).split()[-1]) for _ in range(3)) < 0.5


def test_a_public_name_loads_when_it_is_used():
    assert "torch" in loaded_by("import nightsharp; nightsharp.Psf")


def test_an_unknown_name_is_an_attribute_error():
    assert answer("import nightsharp; print(hasattr(nightsharp, 'sharpen'))") == "False"

"""A measured value is known by the code and the weights that made it."""

import shutil
from importlib.resources import files
from pathlib import Path

import pytest

from nightsharp.evaluation import fingerprint


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the package that the fingerprint is taken of."""
    shutil.copytree(str(files("nightsharp")), tmp_path / "nightsharp", ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(fingerprint, "files", lambda name: tmp_path / name)
    return tmp_path / "nightsharp"


@pytest.mark.parametrize(
    ("method", "changes"), [("nightwiener", True), ("auto", True), ("hyper_laplacian", False), ("input", False)]
)
def test_other_weights_make_another_version_of_what_they_serve(method: str, changes: bool, package: Path) -> None:
    before = fingerprint._code.__wrapped__(method)
    with (package / "weights" / "shipped" / "nightwiener.safetensors").open("ab") as weights:
        weights.write(b"other")
    assert (fingerprint._code.__wrapped__(method) != before) == changes


@pytest.mark.parametrize(("method", "changes"), [("auto", True), ("wiener", False)])
def test_another_route_is_another_version_of_the_route_alone(method: str, changes: bool, package: Path) -> None:
    before = fingerprint._code.__wrapped__(method)
    with (package / "restore" / "route.py").open("a") as route:
        route.write("# other\n")
    assert (fingerprint._code.__wrapped__(method) != before) == changes

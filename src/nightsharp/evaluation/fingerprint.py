"""What decides a measured value, as one short word: resuming never mixes results of two states of the code."""

import hashlib
import json
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from pathlib import Path

import torch

from nightsharp.evaluation.contestant import AUTO, method_spec
from nightsharp.evaluation.protocol import Protocol
from nightsharp.methods import get_method
from nightsharp.weights import sha256

_SHARED = (
    "optics",
    "methods/_blocks",
    "methods/map_psf",
    "restore",
    "evaluation/metrics",
    "evaluation/benchmarks",
    "evaluation/alignment.py",
    "evaluation/contestant.py",
    "evaluation/protocol.py",
    "evaluation/scores.py",
    "synthesis/trajectories",
)
_ROUTE = "restore/route.py"


def settings_version(
    method: str,
    protocol: Protocol,
    *,
    metrics: list[str],
    blind: bool,
    seed: int,
    data: str,
    weights: str | None = None,
) -> str:
    """A word that changes when the method's code or weights, the protocol, the metrics, the seed or the image change.

    Args:
        method: a method, ``"auto"`` or ``"input"``.
        protocol: how results are compared.
        metrics: what is measured.
        blind: whether true PSFs are hidden.
        seed: of sets that are made.
        data: the image's files, by :func:`contents`.
        weights: SHA-256 of a weight file in place of the shipped ones.

    Example:
        >>> one, other = (
        ...     settings_version("wiener", Protocol(), metrics=["psnr"], blind=False, seed=seed, data="")
        ...     for seed in (0, 1)
        ... )
        >>> len(one), one == other
        (12, False)
    """
    facts = {
        "protocol": str(protocol),
        "metrics": metrics,
        "blind": blind,
        "seed": seed,
        "torch": torch.__version__,
        "code": _code(method),
        "data": data,
        "weights": weights,
    }
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:12]


def contents(paths: Sequence[Path], known: dict[Path, str]) -> str:
    """A word for the names and contents of files, wherever they lie.

    Args:
        paths: the files of one image.
        known: hashes of a run so far, added to: a PSF or truth that images share is read once.

    Example:
        >>> contents([], {}) == contents([Path("none.png")], {})
        False
    """
    for path in paths:
        if path not in known:
            try:
                known[path] = sha256(path)
            except OSError:
                # what cannot be read fails when its image is, and is counted there
                known[path] = ""
    return hashlib.sha256(json.dumps([[path.name, known[path]] for path in paths]).encode()).hexdigest()


@cache
def _code(method: str) -> str:
    package = Path(str(files("nightsharp")))
    spec = None if method == "input" else method_spec(method)
    # the folder of the method alone, so that work on one method leaves the results of the others standing
    own = ["methods"] if spec is None and method != "input" else []
    if spec is not None:
        parts = [spec] if spec.start is None else [spec, get_method(spec.start)]
        own = ["/".join(part.entry.partition(":")[0].split(".")[1:3]) for part in parts]
    digest = hashlib.sha256()
    for place in (*_SHARED, *own):
        path = package / place
        for file in [path] if path.is_file() else sorted(path.rglob("*.py")):
            # a method that is named is not routed
            if method != AUTO and file == package / _ROUTE:
                continue
            digest.update(file.relative_to(package).as_posix().encode() + file.read_bytes())
    # the route may take any method
    named = {method, spec.prior} if spec is not None else {method}
    for file in sorted((package / "weights" / "shipped").glob("*.safetensors")):
        if method != AUTO and file.stem not in named:
            continue
        digest.update(file.name.encode() + file.read_bytes())
    return digest.hexdigest()

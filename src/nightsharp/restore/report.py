"""The report of a restoration: a plain dict, ready for JSON."""

import base64
import hashlib
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch

from nightsharp import __version__
from nightsharp.methods import MethodSpec
from nightsharp.optics import Psf
from nightsharp.restore.function import Weights
from nightsharp.weights import locate, sha256


def describe_file(file: Path) -> dict[str, Any]:
    """Name, length and SHA-256 of an input file.

    Example:
        >>> sorted(describe_file(Path(__file__)))
        ['bytes', 'path', 'sha256']
    """
    with file.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    return {"path": str(file), "bytes": file.stat().st_size, "sha256": digest}


def describe_weights(method: MethodSpec, weights: Weights | None = None) -> dict[str, Any] | None:
    """Name or path, and SHA-256, of the weights that a learned method runs with; None for a method without.

    Those of its prior, where it has one, stand under ``prior``.

    Example:
        >>> from nightsharp.methods import get_method
        >>> describe_weights(get_method("wiener")) is None
        True
    """
    if not method.learned:
        return None
    used = method.name if weights is None else os.fspath(weights)
    described: dict[str, Any] = {"name": used, "sha256": sha256(locate(used))}
    if method.prior is not None:
        described["prior"] = {"name": method.prior, "sha256": sha256(locate(method.prior))}
    return described


def describe_psf(psf: Psf, source: str, confidence: float | None) -> dict[str, Any]:
    """Size, values, spread, origin and confidence of a PSF.

    The values are exact: float32, little-endian, row by row, in base64.

    Example:
        >>> describe_psf(Psf.from_tensor(torch.ones(1, 1)), "given", None)["height"]
        1
    """
    return {
        "height": psf.size[0],
        "width": psf.size[1],
        "spread": round(psf.quality().spread, 3),
        "source": source,
        "confidence": None if confidence is None else float(confidence),
        "notes": list(psf.notes),
        "float32": base64.b64encode(psf.kernel.numpy().astype("<f4").tobytes()).decode("ascii"),
    }


def psf_of(described: dict[str, Any]) -> Psf:
    """The PSF of a report, every value as it was.

    Example:
        >>> psf = Psf.from_tensor(torch.rand(3, 5))
        >>> torch.equal(psf_of(describe_psf(psf, "given", None)).kernel, psf.kernel)
        True
    """
    values = np.frombuffer(base64.b64decode(described["float32"], validate=True), "<f4").astype(np.float32)
    kernel = torch.from_numpy(values.reshape(described["height"], described["width"]))
    return Psf(kernel, tuple(described["notes"]))


def describe_run() -> dict[str, Any]:
    """The versions and threads a result depends on.

    Example:
        >>> describe_run()["nightsharp"] == __version__
        True
    """
    return {
        "nightsharp": __version__,
        "torch": torch.__version__,
        "python": ".".join(map(str, sys.version_info[:3])),
        "threads": torch.get_num_threads(),
    }

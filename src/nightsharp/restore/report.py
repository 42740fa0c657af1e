"""The report of a restoration: a plain dict, ready for JSON."""

import hashlib
import sys
from pathlib import Path
from typing import Any

import torch

from nightsharp import __version__
from nightsharp.optics import Psf


def describe_file(file: Path) -> dict[str, Any]:
    """Name, length and SHA-256 of an input file.

    Example:
        >>> sorted(describe_file(Path(__file__)))
        ['bytes', 'path', 'sha256']
    """
    with file.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    return {"path": str(file), "bytes": file.stat().st_size, "sha256": digest}


def describe_psf(psf: Psf, source: str, confidence: float | None) -> dict[str, Any]:
    """Size, spread, origin and confidence of a PSF.

    Example:
        >>> describe_psf(Psf.from_tensor(torch.ones(1, 1)), "given", None)["height"]
        1
    """
    return {
        "height": psf.size[0],
        "width": psf.size[1],
        "spread": round(psf.quality().spread, 3),
        "source": source,
        "confidence": None if confidence is None else round(float(confidence), 4),
        "notes": list(psf.notes),
    }


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


def peak_memory() -> int | None:
    """The most memory this process has held so far, bytes; None where the system does not tell.

    Example:
        >>> (peak_memory() or 2**30) > 2**20
        True
    """
    try:
        import resource
    except ImportError:
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024

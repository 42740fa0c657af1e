"""The verb ``doctor``."""

import importlib
import json as json_format
import platform
import sys
import time
from importlib import metadata
from typing import Annotated, Any

from cyclopts import Parameter

from nightsharp import __version__
from nightsharp.cli.failures import FAULT, describe_failure
from nightsharp.errors import how_to_install

_CORE = (
    "torch",
    "numpy",
    "scipy",
    "pillow",
    "imagecodecs",
    "tifffile",
    "scikit-image",
    "safetensors",
    "cyclopts",
    "rich",
)
_EXTRAS = {
    "raw": ("rawpy", "camera raw files (DNG, NEF, CR2, ARW, ...)"),
    "heif": ("pillow_heif", "HEIC files"),
    "train": ("lightning", "nightsharp train"),
    "export": ("onnxruntime", "nightsharp weights export (ONNX)"),
    "downstream": ("cv2", "nightsharp downstream (what OCR and detectors gain)"),
}


def doctor(*, json: Annotated[bool, Parameter(negative=())] = False) -> int:
    """Check that nightsharp works here: versions, threads, memory, extras, and a small restoration.

    Args:
        json: print one JSON document on stdout, and nothing else there.
    """
    found = {
        "nightsharp": __version__,
        "python": platform.python_version(),
        "system": platform.platform(),
        "packages": {name: _version(name) for name in _CORE},
        "extras": {name: _extra(name) for name in _EXTRAS},
        "memory_free_bytes": _memory_free(),
        **_machine(),
        "self_test": _self_test(),
    }
    usable = bool(found["self_test"]["passed"])
    if json:
        print(json_format.dumps({"usable": usable, **found}, ensure_ascii=False))
    else:
        _tell(found, usable)
    return 0 if usable else FAULT


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _version_of(module: str) -> str | None:
    """Of the package that brought a module, whose names may differ."""
    packages = metadata.packages_distributions().get(module)
    return _version(packages[0]) if packages else None


def _extra(name: str) -> dict[str, Any]:
    """Whether an optional library loads; a broken one counts as missing, with its reason."""
    module, opens = _EXTRAS[name]
    try:
        importlib.import_module(module)
    except (ImportError, RuntimeError, OSError) as problem:
        reason = "not installed" if isinstance(problem, ModuleNotFoundError) else f"does not load: {problem}"
        return {"present": False, "opens": opens, "reason": reason, "install": how_to_install(name)}
    return {"present": True, "opens": opens, "version": _version_of(module)}


def _memory_free() -> int | None:
    try:
        from nightsharp.restore.memory import free_memory
    except (ImportError, OSError):  # without torch there is nothing to plan
        return None
    return free_memory()


def _machine() -> dict[str, Any]:
    try:
        import torch
    except (ImportError, OSError) as problem:
        return {"threads": None, "devices": [], "torch_problem": str(problem)}
    devices = ["cpu"]
    if torch.cuda.is_available():
        devices += [torch.cuda.get_device_name(n) for n in range(torch.cuda.device_count())]
    return {"threads": torch.get_num_threads(), "devices": devices}


def _self_test() -> dict[str, Any]:
    """Blur a small pattern, restore it, and see that it came nearer to the truth."""
    started = time.perf_counter()
    try:
        import torch

        from nightsharp.optics import Blur, line
        from nightsharp.restore import deblur

        sharp = torch.zeros(1, 48, 64)
        sharp[:, 12:36, 16:48] = 0.7
        blurred = Blur(line(7, 20), boundary="replicate")(sharp[None])[0]
        restored = deblur(blurred, psf=line(7, 20)).sharp
        before, after = (float((image - sharp).square().mean()) for image in (blurred, restored))
    except Exception as problem:
        return {"passed": False, "words": describe_failure(problem), "seconds": time.perf_counter() - started}
    seconds = round(time.perf_counter() - started, 3)
    if not after < 0.5 * before:
        return {"passed": False, "words": f"the error went from {before:.2e} to {after:.2e} only", "seconds": seconds}
    return {"passed": True, "words": f"the error fell from {before:.2e} to {after:.2e}", "seconds": seconds}


def _tell(found: dict[str, Any], usable: bool) -> None:
    print(f"nightsharp {found['nightsharp']}, Python {found['python']}, {found['system']}")
    print(f"  {sys.executable}")
    print("packages")
    for name, version in found["packages"].items():
        print(f"  {name:<14}{version or 'MISSING: pip install nightsharp'}")
    print("machine")
    print(f"  threads       {found['threads']}")
    print(f"  devices       {', '.join(found['devices'])}")
    if found["memory_free_bytes"] is not None:
        print(f"  memory free   {found['memory_free_bytes'] / 1e9:.1f} GB")
    print("extras")
    for name, extra in found["extras"].items():
        if extra["present"]:
            print(f"  {name:<14}{extra['version']}: {extra['opens']}")
        else:
            print(f"  {name:<14}{extra['reason']}; for {extra['opens']}: {extra['install']}")
    test = found["self_test"]
    print("self-test")
    print(f"  {'passed' if test['passed'] else 'FAILED'}: {test['words']} ({test['seconds']:.1f} s)")
    print("nightsharp is usable" if usable else "nightsharp is NOT usable here; see the self-test")

"""The verb ``estimate-psf``."""

import json as json_format
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from nightsharp.cli.outputs import check_distinct, check_writable
from nightsharp.cli.progress import Bars
from nightsharp.errors import PhotoError, UsageError

_ENDINGS = (".png", ".npy", ".tif", ".tiff")


def estimate_psf(
    photo: Path,
    /,
    *,
    output: Annotated[Path | None, Parameter(name=("--output", "-o"))] = None,
    size: int | None = None,
    light: Literal["linear", "display"] | None = None,
    overwrite: Annotated[bool, Parameter(negative=())] = False,
    json: Annotated[bool, Parameter(negative=())] = False,
) -> None:
    """Find the PSF of a blurred photograph from the photograph alone.

    Args:
        photo: the blurred photograph.
        output: where the PSF goes: .npy and .tif hold it exactly, .png shows it.
        size: the largest side of the PSF, pixels.
        light: how the values in the file are to be read; without it the file says.
        overwrite: replace a PSF that exists already.
        json: print one JSON document on stdout, and nothing else there.
    """
    if output is not None:
        if output.suffix.lower() not in _ENDINGS:
            raise UsageError(f"{output}: a PSF is written as {', '.join(_ENDINGS)}. Choose one of these endings.")
        check_distinct([photo], [output])
        check_writable(output, overwrite=overwrite)
    if not photo.is_file():
        raise PhotoError(f"{photo}: there is no such file. Check the path.")
    with Bars(True) as bars:
        bars.about(photo.name)
        bars.advance("starting", 0, 1)
        from nightsharp.restore import estimate_psf as estimate

        found = estimate(photo, size=size, light=light, progress=bars.advance)
    if output is not None:
        found.psf.save(output)
    height, width = found.psf.size
    if json:
        document = {
            "input": str(photo),
            "output": None if output is None else str(output),
            "height": height,
            "width": width,
            "spread": found.psf.quality().spread,
            "confidence": found.confidence,
            "noise_sigma": found.noise_sigma,
            "warnings": list(found.psf.quality().warnings),
        }
        print(json_format.dumps(document, ensure_ascii=False))
        return
    print(f"{photo} -> {'no file (give one with -o psf.png)' if output is None else output}")
    print(f"PSF: {found.psf}, confidence {found.confidence:.2f}, noise {found.noise_sigma:.4f}")
    for warning in found.psf.quality().warnings:
        print(f"warning: {warning}")

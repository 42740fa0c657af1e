"""The verb ``estimate-psf``."""

import json as json_format
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from nightsharp.cli.outputs import check_distinct, check_writable
from nightsharp.cli.progress import Bars
from nightsharp.cli.streak import parse_streak
from nightsharp.errors import PhotoError, UsageError

_ENDINGS = (".png", ".npy", ".tif", ".tiff")
_VARYING_ENDINGS = (".png", ".npy")


def estimate_psf(
    photo: Path,
    /,
    *,
    output: Annotated[Path | None, Parameter(name=("--output", "-o"))] = None,
    size: int | None = None,
    streak: str | None = None,
    sharp: Path | None = None,
    varying: Annotated[bool, Parameter(negative=())] = False,
    light: Literal["linear", "display"] | None = None,
    overwrite: Annotated[bool, Parameter(negative=())] = False,
    json: Annotated[bool, Parameter(negative=())] = False,
) -> None:
    """Find the PSF of a blurred photograph: from it alone, from a lamp's trail, or from a sharp shot beside it.

    Args:
        photo: the blurred photograph.
        output: where the PSF goes: .npy and .tif hold it exactly, .png shows it; with --varying .npy or .png.
        size: the largest side of the PSF, pixels; not with --streak, which finds it.
        streak: read it off the trail of a lamp: auto finds one, or X,Y,WIDTH,HEIGHT in pixels around it.
        sharp: a sharp shot of the same scene from the same place, for calibration.
        varying: one PSF for each of a grid of windows: .npy holds them for "deblur --psf", .png shows the grid.
        light: how the values in the file are to be read; without it the file says.
        overwrite: replace a PSF that exists already.
        json: print one JSON document on stdout, and nothing else there.
    """
    if (streak is not None) + (sharp is not None) + varying > 1:
        raise UsageError("--streak, --sharp and --varying are three ways to come by the PSF. Choose one.")
    if output is not None:
        what, endings = ("a PSF is", _ENDINGS) if not varying else ("PSFs that vary are", _VARYING_ENDINGS)
        if output.suffix.lower() not in endings:
            raise UsageError(f"{output}: {what} written as {', '.join(endings)}. Choose one of these endings.")
        check_distinct([photo, *([] if sharp is None else [sharp])], [output])
        check_writable(output, overwrite=overwrite)
    if not photo.is_file():
        raise PhotoError(f"{photo}: there is no such file. Check the path.")
    with Bars(True) as bars:
        bars.about(photo.name)
        bars.advance("starting", 0, 1)
        from nightsharp.restore.finding import find_psf

        found = find_psf(
            photo,
            size=size,
            streak=None if streak is None else parse_streak(streak),
            sharp=sharp,
            varying=varying,
            light=light,
            progress=bars.advance,
        )
    if output is not None:
        found.save(output, overwrite=overwrite)
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
            "source": found.source,
            "grid": None if found.field is None else list(found.field.grid),
            "warnings": list(found.psf.quality().warnings),
        }
        print(json_format.dumps(document, ensure_ascii=False))
        return
    print(f"{photo} -> {'no file (give one with -o psf.png)' if output is None else output}")
    print(f"PSF: {found.psf}, confidence {found.confidence:.2f}")
    print(found.source)
    for warning in found.psf.quality().warnings:
        print(f"warning: {warning}")

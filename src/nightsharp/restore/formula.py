"""A PSF as users write one: a formula, a file, or "auto"."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from nightsharp.errors import PsfError, UsageError
from nightsharp.optics import Psf, defocus, disk, gaussian, line
from nightsharp.optics.field import PsfField

_FORMULAS: dict[str, tuple[Callable[..., Psf], int, int, str]] = {
    "line": (
        line,
        1,
        2,
        "line:LENGTH or line:LENGTH,ANGLE, for instance line:15,30 (pixels; degrees anticlockwise from horizontal)",
    ),
    "disk": (disk, 1, 1, "disk:RADIUS, for instance disk:4.5 (pixels)"),
    "gaussian": (gaussian, 1, 1, "gaussian:SIGMA, for instance gaussian:2 (pixels)"),
    "defocus": (
        defocus,
        1,
        2,
        "defocus:RADIUS or defocus:RADIUS,BLADES, for instance defocus:6,7 (pixels; aperture blades)",
    ),
}


def parse_psf(text: str) -> Psf | None:
    """Read ``line:LENGTH[,ANGLE]``, ``disk:RADIUS``, ``gaussian:SIGMA``, ``defocus:RADIUS[,BLADES]``, a path, ``auto``.

    Args:
        text: the formula or path; a file of that very name wins over a formula.

    Returns:
        The PSF; None for ``auto``, which asks for an estimate.

    Raises:
        UsageError: a formula is unknown or has the wrong numbers.
        PsfError: the file is missing or holds no PSF, or a number is out of range.

    Example:
        >>> parse_psf("line:4,90").size
        (5, 1)
        >>> parse_psf("auto") is None
        True
    """
    if text == "auto":
        return None
    name, colon, numbers = text.partition(":")
    # C:\psf.png is a path; no formula has a name of one letter
    is_path = not colon or len(name) < 2 or not name.isidentifier() or os.path.exists(text)  # noqa: PTH110
    if is_path:
        if name in _FORMULAS and not os.path.exists(text):  # noqa: PTH110
            raise UsageError(f"the PSF {text!r} lacks its numbers. Write {_FORMULAS[name][3]}.")
        return Psf.load(text)
    if name not in _FORMULAS:
        raise UsageError(
            f"the PSF formula {name!r} is unknown. "
            f"Give auto, a file, or one of {', '.join(f'{known}:...' for known in _FORMULAS)}."
        )
    make, least, most, usage = _FORMULAS[name]
    try:
        values = [float(number) for number in numbers.split(",")]
    except ValueError:
        raise UsageError(f"the PSF {text!r} holds something that is no number. Write {usage}.") from None
    if not least <= len(values) <= most:
        raise UsageError(f"the PSF {text!r} has {len(values)} number(s). Write {usage}.")
    if name == "defocus" and len(values) == 2:
        if values[1] != round(values[1]):
            raise UsageError(f"the PSF {text!r} has {values[1]} blades; an aperture has whole ones. Write {usage}.")
        values[1] = int(values[1])
    try:
        return make(*values)
    except PsfError as problem:
        raise PsfError(f"the PSF {text!r}: {problem} Write {usage}.") from None


def field_in_file(psf: Any) -> PsfField | None:
    """The field that was given, or that lies in the ``.npy`` file that was given; None for a single PSF.

    Example:
        >>> field_in_file("line:4,90") is None
        True
    """
    if isinstance(psf, PsfField):
        return psf
    if not isinstance(psf, str | os.PathLike) or Path(psf).suffix.lower() != ".npy":
        return None
    try:
        return PsfField.load(psf)
    except PsfError:
        # what is wrong with it as a PSF is said by who reads it as one
        return None

"""The tone curve in an ICC profile, and nothing else of it.

Source: ICC.1:2022, sections 7.2 (header), 7.3 (tags), 10.6 (curveType), 10.18 (parametricCurveType).
"""

import struct
from collections.abc import Callable

import numpy as np
from jaxtyping import Float64

Samples = Float64[np.ndarray, " n"]

_MOST_TAGS = 512


class BadProfileError(ValueError):
    """The profile is broken, or its tones are not described by curves."""


def tone_curves(profile: bytes, codes: Samples) -> list[Samples]:
    """Linear light for display codes in [0, 1], as a matrix/TRC or grey profile says.

    Args:
        profile: the profile as embedded in a photo.
        codes: display values in [0, 1] at which the curves are wanted.

    Returns:
        One array for a grey profile; three (red, green, blue) for a colour one.

    Raises:
        BadProfileError: no ICC profile, damaged, or one without tone curves (a CMYK or a table profile).
    """
    tags = _tags(profile)
    names = [b"rTRC", b"gTRC", b"bTRC"] if profile[16:20] == b"RGB " else [b"kTRC"]
    if any(name not in tags for name in names):
        space = profile[16:20].decode("latin-1").strip()
        raise BadProfileError(f"a {space or 'nameless'} profile without tone curves")
    return [_curve(tags[name])(codes) for name in names]


def _tags(profile: bytes) -> dict[bytes, bytes]:
    if len(profile) < 132 or profile[36:40] != b"acsp":
        raise BadProfileError("no ICC profile")
    (count,) = struct.unpack_from(">I", profile, 128)
    if count > _MOST_TAGS or len(profile) < 132 + 12 * count:
        raise BadProfileError(f"a profile of {count} tags in {len(profile)} bytes")
    tags = {}
    for index in range(count):
        name, offset, size = struct.unpack_from(">4sII", profile, 132 + 12 * index)
        if offset + size <= len(profile):
            tags[name] = profile[offset : offset + size]
    return tags


def _curve(tag: bytes) -> Callable[[Samples], Samples]:
    if tag[:4] == b"curv" and len(tag) >= 12:
        return _sampled(tag)
    if tag[:4] == b"para" and len(tag) >= 12:
        return _parametric(tag)
    raise BadProfileError(f"a tone curve of the unknown type {tag[:4]!r}")


def _sampled(tag: bytes) -> Callable[[Samples], Samples]:
    (count,) = struct.unpack_from(">I", tag, 8)
    if count > 65536 or len(tag) < 12 + 2 * count:
        raise BadProfileError(f"a tone curve of {count} samples in {len(tag)} bytes")
    table = np.frombuffer(tag, ">u2", count, 12).astype(np.float64)
    if count == 0:
        return lambda codes: codes
    if count == 1:
        return lambda codes: codes ** (table[0] / 256)
    return lambda codes: np.interp(codes, np.linspace(0, 1, count), table / 65535)


def _parametric(tag: bytes) -> Callable[[Samples], Samples]:
    (kind,) = struct.unpack_from(">H", tag, 8)
    if kind > 4 or len(tag) < 12 + 4 * (needed := (1, 3, 4, 5, 7)[kind]):
        raise BadProfileError(f"a parametric tone curve of kind {kind} in {len(tag)} bytes")
    g, a, b, c, d, e, f = (*(v / 65536 for v in struct.unpack_from(f">{needed}i", tag, 12)), *[0.0] * (7 - needed))
    if kind == 0:
        a, d = 1.0, 0.0
    elif kind in (1, 2):
        # below -b/a these are constant (0, or c), above they are the power plus that constant
        if not a:
            raise BadProfileError("a parametric tone curve whose a is 0")
        c, d, e, f = 0.0, -b / a, c if kind == 2 else 0.0, c if kind == 2 else 0.0
    return lambda codes: np.where(codes >= d, np.maximum(a * codes + b, 0) ** g + e, c * codes + f)

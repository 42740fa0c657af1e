"""What kind of photograph it is, as far as the choice of the method goes."""

from nightsharp.methods.map_psf.octaves import octaves, seen_from
from nightsharp.methods.map_psf.page import print_under
from nightsharp.optics import Psf
from nightsharp.restore.given import Given
from nightsharp.restore.noise import shown_noise
from nightsharp.restore.opening import clip_of
from nightsharp.restore.route import CLASSICAL, FLAT, NOISY, Kind

QUIET_GREY = Kind("grey without noise", CLASSICAL)
VARYING = Kind("blur that varies", CLASSICAL)
PRINT = Kind("print", FLAT)

# As it is, or in even light where that falls off. 16 evenly lit pages under their PSFs have 0.836 and more as they are,
# four of eight under falling light 0.82 and more once it is even; two of 160 photographs pass, and lose 0.7 dB at most.
# A fabric of Levin's, which would lose 0.3, has 0.79 and 0.81, grey letters on a picture, which would lose 2, 0.78.
_TONES, _TONES_EVEN, _STROKES = 0.83, 0.82, 0.018
# Standard deviation, display values: at 2 % the network is as good, at 1 % it loses 1.5 dB. Fine letters look noisy.
_QUIET = 0.015
# Places a side, pixels each. One sign does not make a street a page.
_PLACES, _PLACE = 3, 512


def kind_of(given: Given, psf: Psf | None, *, varies: bool) -> Kind | None:
    """The kind of photograph for which another method than the usual one measured best; None for most.

    Args:
        given: the photograph.
        psf: of its blur; None while it is not known, and then a page of print is not told from the rest.
        varies: whether the blur does.
    """
    if varies:
        return VARYING
    noise = shown_noise(given)
    if psf is not None and noise < _QUIET and _is_print(given, psf):
        return PRINT
    return QUIET_GREY if given.channels == 1 and noise < NOISY else None


def _is_print(given: Given, psf: Psf) -> bool:
    """Whether most of it is ink on paper once it is sharp."""
    shorter, extent = min(given.size), max(psf.size)
    from_where = octaves(shorter, extent)
    if not from_where or extent == 1 or shorter < 2 * extent:
        return False
    octave = min(from_where)
    places = _places(given.size, octave * _PLACE)
    needed, printed = len(places) // 2 + 1, 0
    for number, place in enumerate(places, start=1):
        printed += _shows_print(given, place, psf, octave)
        # the rest cannot change it
        if printed == needed or printed + len(places) - number < needed:
            break
    return printed == needed


def _shows_print(given: Given, place: tuple[slice, slice], psf: Psf, octave: int) -> bool:
    near = given.part("display", *place)[0].to("cpu")
    small = psf if octave == 1 else psf.resize(1 / octave)
    looks = print_under(seen_from(near, octave), small, clip_of(given, "display"))
    return any(
        look.tones >= tones and look.strokes >= _STROKES
        for look, tones in zip(looks, (_TONES, _TONES_EVEN), strict=True)
    )


def _places(size: tuple[int, int], side: int) -> list[tuple[slice, slice]]:
    """The middles of up to nine equal parts; all of a photograph that is not larger than one."""
    rows, columns = ([_middle(length, n, side) for n in range(_count(length, side))] for length in size)
    return [(row, column) for row in rows for column in columns]


def _count(length: int, side: int) -> int:
    return max(1, min(_PLACES, length // side))


def _middle(length: int, number: int, side: int) -> slice:
    start, stop = (length * end // _count(length, side) for end in (number, number + 1))
    cut = max(0, stop - start - side)
    return slice(start + cut // 2, stop - cut + cut // 2)

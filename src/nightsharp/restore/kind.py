"""What kind of photograph it is, as far as the choice of the method goes."""

from statistics import median

from nightsharp.methods.map_psf.octaves import seen_from
from nightsharp.methods.map_psf.page import Print, print_under
from nightsharp.methods.map_psf.search import WIDEST
from nightsharp.optics import Psf
from nightsharp.restore.given import Given
from nightsharp.restore.noise import shown_noise
from nightsharp.restore.opening import clip_of
from nightsharp.restore.route import CLASSICAL, FLAT, NOISY, Kind

QUIET_GREY = Kind("grey without noise", CLASSICAL)
VARYING = Kind("blur that varies", CLASSICAL)
PRINT = Kind("print", FLAT)

# In the median of the places that are looked at: of 40 pages under their PSFs 31 have this much and more, of 160
# photographs one. What the other pages gain by the flat method is 2 dB and less, two pictures of grey letters lose 2.
_TONES, _STROKES = 0.785, 0.018
# Standard deviation, display values: from 2 % on the network is as good, below half of that it loses 1.5 dB.
_QUIET = 0.01
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
    octave = next((far for far in (1, 2, 4) if max(psf.size) <= far * WIDEST), None)
    if octave is None or psf.size == (1, 1) or min(given.size) < 2 * max(psf.size):
        return False
    looks = [_look(given, place, psf, octave) for place in _places(given.size, octave * _PLACE)]
    return median(look.tones for look in looks) >= _TONES and median(look.strokes for look in looks) >= _STROKES


def _look(given: Given, place: tuple[slice, slice], psf: Psf, octave: int) -> Print:
    near = given.part("display", *place)[0].to("cpu")
    small = psf if octave == 1 else psf.resize(1 / octave)
    return print_under(seen_from(near, octave), small, clip_of(given, "display"))


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

"""A photograph of print: two tones, ink and paper, tell the PSF where edges alone do not."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from nightsharp.methods._blocks import CLIPPED
from nightsharp.methods.map_psf.confidence import judged_image, similarity
from nightsharp.methods.map_psf.hypotheses import AGREED, Hypothesis, Race
from nightsharp.methods.map_psf.kernel import window
from nightsharp.methods.map_psf.latent import two_tones
from nightsharp.methods.map_psf.observation import Canvas
from nightsharp.methods.map_psf.pyramid import PRINT, Prior, alternations
from nightsharp.methods.map_psf.region import Region
from nightsharp.optics import Psf

# What two tones explain of a page's variance: 40 rendered pages under the right PSF 0.75 to 0.93, photographs 0.42 to
# 0.80 and one in ten up to 0.9. Where two windows or starts agree on the PSF, less is enough.
_PAGE, _PAGE_TWICE, _PAGE_AGREED = 0.82, 0.75, 0.95
# How often two neighbouring pixels are of two tones: those pages 0.030 to 0.13; of 200 photographs half below 0.017,
# and of those with two tones all but one in eight below 0.03. Signs of few large letters (0.020 to 0.022) have to be of
# two tones all the more. Where two ways agree already, it is asked only what looks like letters even under their PSF.
_STROKES, _FEW_STROKES, _SIGN, _STROKES_AGREED, _TONES_AGREED = 0.028, 0.015, 0.88, 0.022, 0.65
# A page must sharpen more by so much than what it is to replace, and by so much at all: 31 of 32 pages reached 1.15 to
# 1.54, a fir with lights that was none 1.12. From the last on it is better whatever it reaches: slight
# blurs gain little.
_PRINTED, _PAGE_GAIN, _FAR_BETTER = 0.02, 1.14, 0.10
# From brightest to darkest over a page: 22 of 24 evenly lit ones up to 1.44, those under falling light from 1.5 on.
_EVEN_LIGHT = 1.2
# A wrong PSF may sharpen a page more than its own: five of 24 pages in falling light. But two tones explain 0.08 to
# 0.19 more under the right one, to which two ways led; no photograph of 40 gained as much.
_PLAIN, _PLAINER, _PLAIN_GAIN, _NEARLY = 0.79, 0.08, 1.08, 0.85
# Under even light most photographs would be asked. First ways with less than this led to no page.
_HOPEFUL, _HIGHER = 0.7, 0.03
# What the first window hardly sharpens is no page: of 16 pages, those that were found had 1.11 to 1.41 there, others
# 1.03 and 1.08; photographs without blur 1.01 to 1.06.
_HOPELESS = 1.07
# Windows with which pages are read.
_PAGE_SIZES = 3
# Below this gain, what two ways agreed on may still be wrong: five pages of 30 were, and no page above it.
_HARDLY = 1.12


@dataclass(frozen=True)
class Print:
    """How much a photograph looks like print.

    Attributes:
        tones: the part of its variance that two tones explain; 1 for ink on paper.
        strokes: how often two neighbouring pixels are of two tones.
    """

    tones: float
    strokes: float


def look_of_print(canvas: Canvas, kernel: Float[Tensor, "k k"], noise: float) -> Print:
    """Look at the sharp image under a PSF as if it were a page."""
    height, width = canvas.inner
    latent = judged_image(canvas, kernel, noise)[:height, :width]
    light = latent[canvas.known[:height, :width]]
    spread = float(light.var(correction=0)) if len(light) else 0.0
    if spread == 0:
        return Print(0.0, 0.0)
    dark, bright = two_tones(light)
    left = torch.minimum((light - dark).square(), (light - bright).square()).mean()
    inked = (latent < (dark + bright) / 2).float()
    strokes = (inked.diff(dim=0).abs().mean() + inked.diff(dim=1).abs().mean()) / 2
    return Print(1 - float(left) / spread, float(strokes))


def print_under(photo: Float[Tensor, "channel height width"], psf: Psf, saturation: float = CLIPPED) -> Iterator[Print]:
    """How much a photograph looks like print under its PSF, as it is, then in even light.

    Args:
        photo: 1 or 3 channels, range [0, 1].
        psf: known or found, smaller than the photograph.
        saturation: the value from which a pixel counts as clipped.

    Example:
        >>> from skimage.data import camera
        >>> from nightsharp.optics import line
        >>> photograph = torch.from_numpy(camera()[None] / 255).float()
        >>> stripes = (torch.arange(300) // 12 % 2).float().expand(1, 300, 300).contiguous()
        >>> for picture in (photograph, stripes):
        ...     [round(look.tones, 1) for look in print_under(picture, line(3))]
        [0.8, 0.5]
        [1.0, 1.0]
    """
    region = Region.of(photo, saturation)
    side = max(psf.size) // 2 * 2 + 1
    kernel = window(psf.kernel.to("cpu", torch.float32), side)
    yield look_of_print(Canvas.around(region.seen, side - 1), kernel, region.noise)
    yield look_of_print(Canvas.around(region.seen.levelled()[0], side - 1), kernel, region.noise)


def read_as_page(race: Race, sizes: Sequence[int], best: Hypothesis, agreement: float) -> tuple[Hypothesis, float]:
    """Read a photograph as a page of print, where the other ways led nowhere.

    One window and start in two or three leads to a page's PSF, and chance decides which; so they are tried in pairs
    until two agree.

    Args:
        race: in which the other ways were tried.
        sizes: the windows that there is room for.
        best: what they led to, and what the page has to beat.
        agreement: how far another way led to it.

    Returns:
        The PSF under which the photograph is a page, and how far another way led to it; else the best, and a page that
        led to it as well counts as another way. Two tones and many strokes make a page: what is none may sharpen more
        under a wrong PSF that this prior led to than under the right one.
    """
    settled = agreement >= AGREED
    for view in _views(race):
        if settled and best.gain >= _HARDLY and view is race:
            continue
        rival = best if view is race else view.judged(best)
        seen = _look(view, rival)
        if seen.strokes < (_STROKES_AGREED if settled else _FEW_STROKES):
            continue
        if settled and seen.tones < _TONES_AGREED and view is not race:
            continue
        page, plainer = _page(view, sizes, seen, patient=view is race)
        if view is not race:
            race.hypotheses += view.hypotheses
        if page is None:
            continue
        if _sharper(page, rival) or (plainer and page.gain > max(_PLAIN_GAIN, _NEARLY * rival.gain)):
            return page, max(similarity(page.fit.kernel, way.fit.kernel) for way in race.hypotheses if way is not page)
        # a witness for what was found without it, at least
        return best, max(agreement, similarity(page.fit.kernel, best.fit.kernel))
    return best, agreement


def _views(race: Race) -> Iterator[Race]:
    """The photograph as it is, and where the light falls off over it, under even light."""
    yield race
    even, falls = race.seen.levelled()
    if falls > _EVEN_LIGHT:
        yield race.elsewhere(even)


def _page(view: Race, sizes: Sequence[int], rival: Print, *, patient: bool) -> tuple[Hypothesis | None, bool]:
    """The sharpest PSF under which it is print, tried until two ways agree; None where it is none.

    Where it is not to be patient, it gives up once that is hardly more ink on paper than under the rival's PSF. The
    second answer is whether it is plainly more so.
    """
    pages: list[Hypothesis] = []
    page, found, is_page = None, Print(0.0, 0.0), False
    for starts in _page_starts(sizes):
        pages += view.climb(*starts)
        page = max(pages, key=lambda way: way.gain)
        found = _look(view, page)
        twice = max(similarity(page.fit.kernel, way.fit.kernel) for way in pages if way is not page) > _PAGE_AGREED
        is_page = _is_page(found, twice=twice) or (twice and _is_plainer(found, rival))
        if (twice and is_page) or not (patient or found.tones >= max(_HOPEFUL, rival.tones + _HIGHER)):
            break
        if page.gain < _HOPELESS:
            break
    return (page if is_page else None), _is_plainer(found, rival)


def _sharper(page: Hypothesis, rival: Hypothesis) -> bool:
    return page.gain > min(max(_PAGE_GAIN, (1 + _PRINTED) * rival.gain), (1 + _FAR_BETTER) * rival.gain)


def _is_plainer(found: Print, rival: Print) -> bool:
    """Whether it is ink on paper, and plainly more so than under the rival's PSF."""
    return found.tones >= max(_PLAIN, rival.tones + _PLAINER)


def page_alternations(sizes: Sequence[int]) -> int:
    """How many alternations :func:`read_as_page` takes at most, in both lights."""
    return 2 * sum(alternations(size) for starts in _page_starts(sizes) for size, *_ in starts)


def _look(race: Race, way: Hypothesis) -> Print:
    return look_of_print(way.fit.canvas, way.fit.kernel, race.noise)


def _is_page(found: Print, *, twice: bool) -> bool:
    """Whether it is ink on paper; ``twice`` where two ways led to its PSF."""
    if found.strokes >= _STROKES:
        return found.tones >= (_PAGE_TWICE if twice else _PAGE)
    return twice and found.strokes >= _FEW_STROKES and found.tones >= _SIGN


def _page_starts(sizes: Sequence[int]) -> list[list[tuple[int, Prior, bool]]]:
    """In pairs: the middle window from both starts, then the others."""
    sizes = sizes[:_PAGE_SIZES]
    ordered = [sizes[len(sizes) // 2], *(size for size in sizes if size != sizes[len(sizes) // 2])]
    return [[(size, PRINT, upright) for upright in (False, True)] for size in ordered]

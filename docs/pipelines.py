"""The drawn pipelines of the deep Wiener networks: boxes on a grid and arrows, as SVG."""

from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import escape

_CELL, _ROW, _MARGIN = 150, 96, 14
_BOX, _HIGH = 122, 54
# what computes without weights, what is learned, what goes in and out
_FILL = {"exact": "#d9ecd9", "learned": "#dbe6f7", "image": "#f4f4f4"}


@dataclass(frozen=True)
class Box:
    """One part of a pipeline.

    Attributes:
        column: from the left.
        row: from the top; halves lie between.
        kind: which of the fills.
        lines: the name, and what it does in small.
    """

    column: float
    row: float
    kind: str
    lines: tuple[str, ...]

    @property
    def middle(self) -> tuple[float, float]:
        """Of the box, pixels."""
        return _MARGIN + self.column * _CELL + _BOX / 2, _MARGIN + self.row * _ROW + _HIGH / 2

    def svg(self) -> str:
        """The box and its words."""
        x, y = self.middle
        parts = [
            f'<rect x="{x - _BOX / 2:g}" y="{y - _HIGH / 2:g}" width="{_BOX}" height="{_HIGH}" rx="6" '
            f'fill="{_FILL[self.kind]}" stroke="#888888"/>'
        ]
        for index, line in enumerate(self.lines):
            size, weight = (13, 600) if index == 0 else (11, 400)
            below = y + 4.5 + 15 * (index - (len(self.lines) - 1) / 2)
            parts.append(
                f'<text x="{x:g}" y="{below:g}" font-size="{size}" font-weight="{weight}" text-anchor="middle">'
                f"{escape(line)}</text>"
            )
        return "\n".join(parts)


def _arrow(start: Box, end: Box) -> str:
    (x1, y1), (x2, y2) = start.middle, end.middle
    if start.column == end.column:
        way = _HIGH / 2 if y2 > y1 else -_HIGH / 2
        path = f"M{x1:g} {y1 + way:g} V{y2 - way:g}"
    else:
        bend = x2 - _BOX / 2 - (_CELL - _BOX) / 2
        path = f"M{x1 + _BOX / 2:g} {y1:g} H{bend:g} V{y2:g} H{x2 - _BOX / 2:g}"
    return f'<path d="{path}" fill="none" stroke="#555555" marker-end="url(#tip)"/>'


def _drawn(boxes: dict[str, Box], arrows: tuple[tuple[str, str], ...]) -> str:
    width = 2 * _MARGIN + _BOX + _CELL * max(box.column for box in boxes.values())
    height = 2 * _MARGIN + _HIGH + _ROW * max(box.row for box in boxes.values())
    body = "\n".join([*(_arrow(boxes[one], boxes[other]) for one, other in arrows), *(b.svg() for b in boxes.values())])
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" width="{width:g}" '
        f'height="{height:g}" font-family="sans-serif" fill="#333333">\n'
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
        '<path d="M0 0 L8 4 L0 8 z" fill="#555555"/></marker></defs>\n'
        f'<rect width="{width:g}" height="{height:g}" fill="#ffffff"/>\n{body}\n</svg>\n'
    )


DWDN = {
    "psf": Box(2, 0, "image", ("PSF",)),
    "blurred": Box(0, 1, "image", ("blurred",)),
    "extract": Box(1, 1, "learned", ("features", "16 channels")),
    "wiener": Box(2, 1, "exact", ("Wiener step", "each channel, its", "own noise ratio")),
    "enter_half": Box(3, 0, "learned", ("enter_half", "half size")),
    "unet_half": Box(4, 0, "learned", ("U-net, refine", "same weights")),
    "guide": Box(5, 0, "exact", ("32 features", "enlarged twice")),
    "enter_full": Box(5, 1, "learned", ("enter_full", "full size, 48 channels")),
    "unet_full": Box(6, 1, "learned", ("U-net, refine", "same weights,", "then to_image")),
    "sharp": Box(7, 1, "image", ("sharp",)),
}
DWDN_ARROWS = (
    ("psf", "wiener"),
    ("blurred", "extract"),
    ("extract", "wiener"),
    ("wiener", "enter_half"),
    ("enter_half", "unet_half"),
    ("unet_half", "guide"),
    ("wiener", "enter_full"),
    ("enter_full", "unet_full"),
    ("guide", "enter_full"),
    ("unet_full", "sharp"),
)
INFWIDE = {
    "blurred": Box(0, 1, "image", ("blurred / 1.2", "mirrored")),
    "extract": Box(1, 0, "learned", ("features", "16 channels")),
    "noise": Box(0, 2, "exact", ("noise map", "one value a colour")),
    "denoiser": Box(1, 2, "learned", ("denoiser", "fills what saturated")),
    "psf": Box(2, 1, "image", ("PSF",)),
    "wiener_feature": Box(2, 0, "exact", ("Wiener step", "on features")),
    "wiener_image": Box(2, 2, "exact", ("Wiener step", "on the image")),
    "refine": Box(3, 0, "learned", ("refine", "U-net, to an image")),
    "fusion_half": Box(4, 0.5, "learned", ("fusion, half size", "two streams")),
    "fusion_full": Box(4, 1.5, "learned", ("fusion, full size", "same U-net")),
    "sharp": Box(5, 1.5, "image", ("sharp", "times 1.2")),
}
INFWIDE_ARROWS = (
    ("blurred", "extract"),
    ("blurred", "noise"),
    ("blurred", "denoiser"),
    ("noise", "denoiser"),
    ("extract", "wiener_feature"),
    ("denoiser", "wiener_image"),
    ("psf", "wiener_feature"),
    ("psf", "wiener_image"),
    ("wiener_feature", "refine"),
    ("refine", "fusion_half"),
    ("refine", "fusion_full"),
    ("wiener_image", "fusion_half"),
    ("wiener_image", "fusion_full"),
    ("fusion_half", "fusion_full"),
    ("fusion_full", "sharp"),
)
DARKDEBLUR = {
    "blurred": Box(0, 0, "image", ("blurred",)),
    "dense1": Box(1, 0, "learned", ("dense attention", "full size, 64")),
    "dense2": Box(1, 1, "learned", ("dense attention", "half size, 128")),
    "dense3": Box(1, 2, "learned", ("dense attention", "quarter, 192")),
    "dense4": Box(2.5, 3, "learned", ("dense attention", "eighth, 256")),
    "gate1": Box(2.5, 0, "learned", ("contextual gate", "what may pass")),
    "gate2": Box(2.5, 1, "learned", ("contextual gate",)),
    "gate3": Box(2.5, 2, "learned", ("contextual gate",)),
    "rise1": Box(4, 2, "learned", ("rise, + gate", "pixel shuffle, then", "dense attention")),
    "rise2": Box(4, 1, "learned", ("rise, + gate", "pixel shuffle, then", "dense attention")),
    "rise3": Box(4, 0, "learned", ("rise, + gate", "pixel shuffle")),
    "leave": Box(5, 0, "learned", ("correction", "1 x 1 convolution")),
    "add": Box(6, 0, "exact", ("+ blurred", "in or outside", "the tanh")),
    "sharp": Box(7, 0, "image", ("sharp",)),
}
DARKDEBLUR_ARROWS = (
    ("blurred", "dense1"),
    ("dense1", "dense2"),
    ("dense2", "dense3"),
    ("dense3", "dense4"),
    ("dense1", "gate1"),
    ("dense2", "gate2"),
    ("dense3", "gate3"),
    ("dense4", "rise1"),
    ("gate3", "rise1"),
    ("gate2", "rise2"),
    ("gate1", "rise3"),
    ("rise1", "rise2"),
    ("rise2", "rise3"),
    ("rise3", "leave"),
    ("leave", "add"),
    ("add", "sharp"),
)


def pipelines(folder: Path) -> None:
    """Draw DWDN, INFWIDE and DarkDeblurNet."""
    (folder / "dwdn.svg").write_text(_drawn(DWDN, DWDN_ARROWS), encoding="utf-8")
    (folder / "infwide.svg").write_text(_drawn(INFWIDE, INFWIDE_ARROWS), encoding="utf-8")
    (folder / "darkdeblur.svg").write_text(_drawn(DARKDEBLUR, DARKDEBLUR_ARROWS), encoding="utf-8")

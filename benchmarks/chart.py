"""A line chart as SVG, the same bytes for the same numbers."""

from collections.abc import Mapping, Sequence
from html import escape

# Okabe and Ito's colours, told apart by every kind of eye
_COLOURS = ("#7a7a7a", "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#a07b00")
_WIDTH, _HEIGHT = 640, 360
_LEFT, _RIGHT, _TOP, _BOTTOM = 56, 170, 36, 48


def line_chart(
    title: str, label: str, series: Mapping[str, Sequence[tuple[float, float]]], *, unit: str = " dB", step: int = 5
) -> str:
    """PSNR in dB over whatever ``label`` says; equal steps between the points, whatever their distance.

    Args:
        title: above the chart.
        label: below it.
        series: points of each line, all at the same places.
        unit: of the heights.
        step: between the heights that are written.

    Returns:
        The SVG.
    """
    places = [x for x, _ in next(iter(series.values()))]
    heights = [y for points in series.values() for _, y in points]
    low, high = int(min(heights) // step * step), int(-(-max(heights) // step) * step)
    high = max(high, low + step)
    inner = _WIDTH - _LEFT - _RIGHT, _HEIGHT - _TOP - _BOTTOM

    def across(number: int) -> float:
        return _LEFT + inner[0] * number / max(1, len(places) - 1)

    def up(value: float) -> float:
        return _TOP + inner[1] * (high - value) / (high - low)

    parts = [f'<text x="{_LEFT}" y="20" font-size="15" font-weight="600">{escape(title)}</text>']
    for value in range(low, high + 1, step):
        y = f"{up(value):.1f}"
        parts.append(f'<line x1="{_LEFT}" x2="{_LEFT + inner[0]}" y1="{y}" y2="{y}" stroke="#dddddd"/>')
        parts.append(f'<text x="{_LEFT - 8}" y="{up(value) + 4:.1f}" text-anchor="end">{value}{unit}</text>')
    for number, place in enumerate(places):
        words = f"{place:g}"
        parts.append(f'<text x="{across(number):.1f}" y="{_TOP + inner[1] + 18}" text-anchor="middle">{words}</text>')
    middle = _LEFT + inner[0] / 2
    parts.append(f'<text x="{middle:.1f}" y="{_HEIGHT - 10}" text-anchor="middle">{escape(label)}</text>')
    legend = places_of_names({name: up(points[-1][1]) for name, points in series.items()})
    for number, (name, points) in enumerate(series.items()):
        colour = _COLOURS[number % len(_COLOURS)]
        path = " ".join(f"{across(place):.1f},{up(y):.1f}" for place, (_, y) in enumerate(points))
        dash = ' stroke-dasharray="5 4"' if name == "input" else ""
        parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"{dash}/>')
        parts += [
            f'<circle cx="{across(place):.1f}" cy="{up(y):.1f}" r="3" fill="{colour}"/>'
            for place, (_, y) in enumerate(points)
        ]
        x = _LEFT + inner[0] + 12
        parts.append(f'<text x="{x}" y="{legend[name] + 4:.1f}" fill="{colour}">{escape(name)}</text>')
    body = "\n".join(parts)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" width="{_WIDTH}" '
        f'height="{_HEIGHT}" font-family="sans-serif" font-size="12" fill="#333333">\n'
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="#ffffff"/>\n{body}\n</svg>\n'
    )


def places_of_names(ends: dict[str, float], apart: float = 15) -> dict[str, float]:
    """Heights of the names beside the ends of their lines, moved down where they would overlap."""
    found: dict[str, float] = {}
    last = -apart
    for name, height in sorted(ends.items(), key=lambda item: item[1]):
        last = max(height, last + apart)
        found[name] = last
    # what was pushed below the chart comes back up as one
    excess = max(0.0, last - (_HEIGHT - _BOTTOM))
    return {name: height - excess for name, height in found.items()}

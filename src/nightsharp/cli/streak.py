"""How a trail of light is named on the command line."""

from typing import Literal

from nightsharp.errors import UsageError


def parse_streak(text: str) -> Literal["auto"] | tuple[int, int, int, int]:
    """Read ``auto`` or ``X,Y,WIDTH,HEIGHT``.

    Raises:
        UsageError: it is neither.

    Example:
        >>> parse_streak("10,20,30,40")
        (10, 20, 30, 40)
    """
    if text == "auto":
        return "auto"
    try:
        left, top, width, height = (int(part) for part in text.split(","))
    except ValueError:
        raise UsageError(
            f"--streak {text}: it is auto, or X,Y,WIDTH,HEIGHT in pixels around one trail, such as 410,220,60,40."
        ) from None
    return left, top, width, height

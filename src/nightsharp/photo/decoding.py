"""What a decoder says about a bad file, in words for the user; and extras that may be missing."""

import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType

from nightsharp.errors import LimitError, NightsharpError, PhotoError, how_to_install


@contextmanager
def refusing(name: str, what: str) -> Iterator[None]:
    """Turn whatever a decoder raises on a file made or broken by others into a typed refusal.

    Decoders raise ten kinds of exception on damaged data; none of them tells the user more than its message.

    Raises:
        PhotoError: the data cannot be decoded.
        LimitError: the decoder ran out of memory.
    """
    try:
        yield
    except NightsharpError:
        raise
    except MemoryError as problem:
        raise LimitError(f"{name}: there is not enough memory to decode this {what}. Crop or shrink it.") from problem
    except Exception as problem:
        said = " ".join(str(problem).split())[:200] or type(problem).__name__
        raise PhotoError(
            f"{name}: the {what} is damaged or cut short ({said}). "
            "Copy it again from the camera or card, or open and re-save it in a picture editor."
        ) from problem


def damaged(name: str, what: str, said: str) -> PhotoError:
    """The refusal of a file whose own words contradict each other."""
    return PhotoError(
        f"{name}: the {what} is damaged or cut short ({said}). "
        "Copy it again from the camera or card, or open and re-save it in a picture editor."
    )


def extra(module: str, name: str) -> ModuleType:
    """Import a library that comes with an extra.

    Args:
        module: what to import.
        name: the extra that brings it.

    Raises:
        PhotoError: it is not installed, or installed and broken.
    """
    try:
        return importlib.import_module(module)
    except ImportError as problem:
        absent = isinstance(problem, ModuleNotFoundError) and problem.name == module
        raise _missing(module, name, None if absent else problem) from problem
    except (RuntimeError, OSError) as problem:
        raise _missing(module, name, problem) from problem


def _missing(module: str, name: str, problem: Exception | None) -> PhotoError:
    why = "is not installed" if problem is None else f"is installed but does not load ({problem})"
    return PhotoError(f"this format needs {module}, which {why}. Run in nightsharp's folder: {how_to_install(name)}")

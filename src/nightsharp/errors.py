"""The typed errors of nightsharp, each with the exit code that the command answers with."""


def how_to_install(extra: str) -> str:
    """The command that brings what an optional part needs, to be typed in the folder nightsharp came in.

    Args:
        extra: its name in pyproject.toml.

    Example:
        >>> how_to_install("raw")
        "pip install -c constraints.txt '.[raw]'"
    """
    return f"pip install -c constraints.txt '.[{extra}]'"


class NightsharpError(Exception):
    """Whatever nightsharp refuses or cannot do; the message says what, with which value, and what to do."""

    exit_code = 1


class UsageError(NightsharpError):
    """The request itself does not hold together: an unknown method, an output that would overwrite its input."""

    exit_code = 2


class PhotoError(NightsharpError):
    """A photograph cannot be read or written as asked."""

    exit_code = 3


class PsfError(NightsharpError):
    """A point spread function is not one, or does not fit the image."""

    exit_code = 3


class EventsError(NightsharpError):
    """An event recording cannot be read or does not fit the photograph."""

    exit_code = 3


class LimitError(NightsharpError):
    """The work is larger than the limits that were set for it (pixels, memory, time)."""

    exit_code = 4


class WeightsError(NightsharpError):
    """A weight file is missing, broken, or belongs to another network."""

    exit_code = 5


class RecipeError(NightsharpError):
    """A training or synthesis recipe has an unknown key or an impossible value."""

    exit_code = 2


class Cancelled(NightsharpError):  # noqa: N818 - the word users know
    """The caller asked for a stop; nothing was written."""

    exit_code = 1

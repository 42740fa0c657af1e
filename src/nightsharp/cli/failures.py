"""What went wrong, as an exit code and in one line."""

import json
import os
import sys
import traceback
from typing import Any

from nightsharp.errors import NightsharpError

FAULT, USAGE, BAD_INPUT, LIMITS, INTERRUPTED = 1, 2, 3, 4, 130

_OUT_OF_MEMORY = ("can't allocate memory", "not enough memory", "out of memory")


def exit_code(problem: BaseException) -> int:
    """The exit code of a failure.

    Example:
        >>> from nightsharp.errors import PhotoError
        >>> exit_code(PhotoError("")), exit_code(MemoryError()), exit_code(ZeroDivisionError())
        (3, 4, 1)
    """
    if isinstance(problem, NightsharpError):
        return problem.exit_code
    if _is_out_of_memory(problem):
        return LIMITS
    return BAD_INPUT if isinstance(problem, OSError) else FAULT


def describe_failure(problem: BaseException) -> str:
    """The failure in one line: what, with which value, what to do.

    Example:
        >>> describe_failure(MemoryError())
        'there is not enough memory for this. Close other programs, or give a smaller photo.'
    """
    if isinstance(problem, NightsharpError):
        return str(problem)
    if _is_out_of_memory(problem):
        return "there is not enough memory for this. Close other programs, or give a smaller photo."
    if isinstance(problem, OSError):
        where = f"{problem.filename}: " if problem.filename else ""
        return f"{where}{problem.strerror or problem}. Check the path and its rights."
    return (
        f"this is a fault of nightsharp ({type(problem).__name__}: {problem}). "
        "Run it again with NIGHTSHARP_DEBUG=1 for the traceback, and report it."
    ).replace("\n", " ")


def failure(problem: BaseException) -> dict[str, Any]:
    """The failure for machines."""
    return {
        "kind": type(problem).__name__,
        "message": describe_failure(problem),
        "exit_code": exit_code(problem),
    }


def failure_as_json(problem: BaseException) -> str:
    """The one JSON document of a command that failed before its work began.

    Example:
        >>> failure_as_json(MemoryError())[:29]
        '{"error": {"kind": "MemoryErr'
    """
    return json.dumps({"error": failure(problem)}, ensure_ascii=False)


def say_failure(problem: BaseException, about: str | None = None) -> None:
    """Print the failure on stderr; the traceback too when NIGHTSHARP_DEBUG is set."""
    if os.environ.get("NIGHTSHARP_DEBUG", "") not in ("", "0"):
        traceback.print_exception(problem)
    words = describe_failure(problem)
    if about is not None and about not in words:
        words = f"{about}: {words}"
    print(f"nightsharp: {printable(words)}", file=sys.stderr, flush=True)


def printable(text: str) -> str:
    r"""A stranger's text, or one with a stranger's names in it: what would steer the terminal is written as its code.

    Example:
        >>> printable("lamp \x1b[2J")
        'lamp \\x1b[2J'
    """
    return "".join(sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in text)


def _is_out_of_memory(problem: BaseException) -> bool:
    if isinstance(problem, MemoryError):
        return True
    return isinstance(problem, RuntimeError) and any(words in str(problem).lower() for words in _OUT_OF_MEMORY)

"""The verbs and the way out: every failure becomes one line and an exit code."""

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from cyclopts import App, CycloptsError

from nightsharp import __version__
from nightsharp.cli.failures import FAULT, INTERRUPTED, USAGE, exit_code, failure_as_json, say_failure
from nightsharp.errors import UsageError


@dataclass(frozen=True)
class _Verb:
    path: str
    summary: str
    examples: tuple[str, ...]


_VERBS = {
    "deblur": _Verb(
        "nightsharp.cli.deblur:deblur",
        "Take the blur out of photographs; each result is written beside its photograph.",
        (
            "nightsharp deblur street.jpg",
            "nightsharp deblur *.jpg -o sharp/ --compare sides/",
            "nightsharp deblur street.png --psf line:15,30 --strength 0.7",
        ),
    ),
    "estimate-psf": _Verb(
        "nightsharp.cli.estimate_psf:estimate_psf",
        "Find the PSF of a blurred photograph from the photograph alone.",
        ("nightsharp estimate-psf street.jpg -o psf.png", "nightsharp deblur street.jpg --psf psf.png"),
    ),
    "evaluate": _Verb(
        "nightsharp.cli.evaluate:evaluate",
        "Compare results with their truths.",
        (
            "nightsharp evaluate sharp/ --against truth/",
            "nightsharp evaluate out.png --against truth.png --border 15 --shift 5 --metrics psnr,ssim,delta_e",
        ),
    ),
    "benchmark": _Verb(
        "nightsharp.cli.benchmark:benchmark",
        "Run methods over benchmark sets; without --sets, list the sets.",
        (
            "nightsharp benchmark --data sets/",
            "nightsharp benchmark --methods wiener,hyper_laplacian --sets levin2009 --data sets/ --out levin/",
        ),
    ),
    "methods": _Verb("nightsharp.cli.methods:methods", "List the methods.", ("nightsharp methods --json",)),
    "doctor": _Verb(
        "nightsharp.cli.doctor:doctor",
        "Check that nightsharp works here, and say what is missing.",
        ("nightsharp doctor",),
    ),
}


def build_app() -> App:
    """The command line, with the verbs as import paths: none is imported before it is called."""
    app = App(
        name="nightsharp",
        help="Take the blur out of photographs made in low light.",
        help_epilogue=_examples("nightsharp deblur street.jpg", "nightsharp deblur --help"),
        help_format="plaintext",
        version=__version__,
        suppress_keyboard_interrupt=False,
    )
    for name, verb in _VERBS.items():
        app.command(verb.path, name=name, help=verb.summary, help_epilogue=_examples(*verb.examples))
    return app


def _examples(*lines: str) -> str:
    return "\n".join(["Example:" if len(lines) == 1 else "Examples:", *(f"  {line}" for line in lines)])


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command.

    Args:
        arguments: what follows ``nightsharp`` on the command line; None takes it from there.

    Returns:
        The exit code: 0 done, 2 usage, 3 bad input, 4 limits or memory, 5 weights, 1 a fault of ours, 130 Ctrl-C.

    Example:
        >>> main(["--version"])
        0.1.0
        0
    """
    tokens = list(sys.argv[1:] if arguments is None else arguments)
    try:
        code = build_app()(tokens, exit_on_error=False, result_action="return_value")
        sys.stdout.flush()
    except CycloptsError as problem:
        # its words are on stderr already
        if "--json" in tokens:
            print(failure_as_json(UsageError(str(problem))))
        return USAGE
    except KeyboardInterrupt:
        print("stopped; no half-written file was left", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        # whoever read our output has enough of it; Python must not complain once more at shutdown
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAULT
    except Exception as problem:
        if "--json" in tokens:
            print(failure_as_json(problem))
        say_failure(problem)
        return exit_code(problem)
    return code if isinstance(code, int) else 0

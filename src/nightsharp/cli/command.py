"""The verbs and the way out: every failure becomes one line and an exit code."""

import io
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NoReturn

from cyclopts import App, CycloptsError

from nightsharp import __version__
from nightsharp.cli.failures import FAULT, INTERRUPTED, USAGE, exit_code, failure_as_json, say_failure
from nightsharp.errors import UsageError


@dataclass(frozen=True)
class _Verb:
    path: str
    summary: str
    examples: tuple[str, ...]
    # verbs of its own, as functions of the module that ``path`` then is
    verbs: Mapping[str, "_Verb"] = field(default_factory=dict)


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
    "downstream": _Verb(
        "nightsharp.cli.downstream:downstream",
        "Measure what reading, detecting or segmenting gains by deblurring.",
        (
            "nightsharp downstream --task ocr --method hyper_laplacian",
            "nightsharp downstream --task detect --blurred in/ --restored out/ --sharp gt/",
            "nightsharp downstream --task segment --model m.onnx --set gopro --data sets/",
        ),
    ),
    "train": _Verb(
        "nightsharp.cli.train:train",
        "Train a network by a recipe; without one, list the recipes.",
        (
            "nightsharp train",
            "nightsharp train dwdn-lite --data photos/ --minutes 30",
            "nightsharp train nightwiener --data photos/ --set steps=40000 --resume",
            "nightsharp train infwide --data photos/ --dry-run",
        ),
    ),
    "synthesize": _Verb(
        "nightsharp.cli.synthesize",
        "Make training data out of sharp photographs.",
        ("nightsharp synthesize pairs photos/ pairs/ --recipe night -n 1000",),
        {
            "pairs": _Verb(
                "pairs",
                "Make pairs of sharp and blurred images with their PSFs.",
                (
                    "nightsharp synthesize pairs photos/ pairs/ --recipe night -n 1000",
                    "nightsharp synthesize pairs photos/ pairs/ --recipe infwide --set gain=8 --size 512 --format tif",
                ),
            ),
            "psfs": _Verb(
                "psfs",
                "Make random PSFs.",
                ("nightsharp synthesize psfs psfs/ --kind rotating -n 100 --format png",),
            ),
        },
    ),
    "align": _Verb(
        "nightsharp.cli.align:align",
        "Make pairs of two shots of one scene: warp a sharp one onto a blurred one and cut both.",
        (
            "nightsharp align tripod.jpg hand.jpg -o aligned/",
            "nightsharp align tripod/ hand/ -o aligned/",
        ),
    ),
    "methods": _Verb("nightsharp.cli.methods:methods", "List the methods.", ("nightsharp methods --json",)),
    "weights": _Verb(
        "nightsharp.cli.weights",
        "List, show, check, convert and export the weights of the learned methods.",
        ("nightsharp weights list",),
        {
            "list": _Verb("list_shipped", "List the weights inside the package.", ("nightsharp weights list --json",)),
            "show": _Verb(
                "show",
                "Print the card of weights.",
                ("nightsharp weights show dwdn", "nightsharp weights show mine.safetensors"),
            ),
            "verify": _Verb(
                "verify",
                "Compare the shipped weights with their hashes, or see that files or shipped ones by name load.",
                ("nightsharp weights verify", "nightsharp weights verify mine.safetensors"),
            ),
            "convert": _Verb(
                "convert",
                "Turn official weights into a file of ours, or ours into the official layout.",
                (
                    "nightsharp weights convert model_DWDN.pt dwdn.safetensors --system dwdn",
                    "nightsharp weights convert mine.safetensors official.pt",
                ),
            ),
            "export": _Verb(
                "export",
                "Write the network as an ONNX file for images of any size.",
                ("nightsharp weights export dwdn dwdn.onnx",),
            ),
        },
    ),
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
        if not verb.verbs:
            app.command(verb.path, name=name, help=verb.summary, help_epilogue=_examples(*verb.examples))
            continue
        group = App(name=name, help=verb.summary, help_epilogue=_examples(*verb.examples), help_format="plaintext")
        for own, part in verb.verbs.items():
            path = f"{verb.path}:{part.path}"
            group.command(path, name=own, help=part.summary, help_epilogue=_examples(*part.examples))
        app.command(group)
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
    if isinstance(sys.stdout, io.TextIOWrapper):
        # a file name need not be text, and one that is not must not end the work
        sys.stdout.reconfigure(errors="backslashreplace")
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


def run() -> NoReturn:
    """Run the command as a process of its own, and end it.

    The first Ctrl-C stops the work at its next step. Later ones would end the interpreter under threads that are still
    in native code, and are not heard.
    """
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _stop_once)
    sys.exit(main())


def _stop_once(*_: object) -> NoReturn:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    raise KeyboardInterrupt

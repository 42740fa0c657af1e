"""The verb ``evaluate``."""

import json as json_format
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from nightsharp.cli.failures import exit_code, failure, say_failure
from nightsharp.cli.progress import Bars


def evaluate(
    results: Path,
    /,
    *,
    against: Path | None = None,
    metrics: str = "psnr,ssim",
    border: int = 0,
    shift: int = 0,
    step: float = 0.25,
    colour: Literal["as is", "luma", "studio luma"] = "as is",
    ssim: Literal["gaussian11", "uniform7", "wang"] = "gaussian11",
    json: Annotated[bool, Parameter(negative=())] = False,
) -> int:
    """Compare results with their truths.

    Args:
        results: a picture, or a folder of pictures.
        against: the sharp picture, or the folder of sharp pictures of the same names; without it only the scores that
            need no truth (niqe, noise, sharpness, ringing).
        metrics: psnr, ssim, ms_ssim, delta_e, lpips, niqe, noise, sharpness, ringing; several with commas.
        border: pixels left out on each side.
        shift: search the best shift within so many pixels, as on Levin's set; the border must hold it.
        step: of the search, pixels: 1, 0.5, 0.25.
        colour: compare colours as they are, their luma, or MATLAB's studio-range luma.
        ssim: the window of SSIM; wang shrinks large images first.
        json: print one JSON document on stdout, and nothing else there.
    """
    with Bars(True) as bars:
        bars.about(results.name)
        bars.advance("starting", 0, 1)
        from nightsharp.evaluation.compare import compare_files
        from nightsharp.evaluation.protocol import Protocol
        from nightsharp.evaluation.scores import METRICS, check_metrics

        names = [name.strip() for name in metrics.split(",") if name.strip()]
        check_metrics(names)
        if against is None:
            names = [name for name in names if METRICS[name].alone] or [n for n in METRICS if METRICS[n].alone]
        protocol = Protocol(colour=colour, border=border, reach=shift, step=step, ssim=ssim)
        rows = list(compare_files(results, against, protocol, names, bars.advance))
    done = [row for row in rows if row.error is None]
    means = {name: protocol.combine([row.scores[name] for row in done]) for name in names if done}
    if json:
        document = {
            "protocol": str(protocol),
            "done": len(done),
            "failed": len(rows) - len(done),
            "mean": means,
            "images": [
                {
                    "result": str(row.result),
                    "truth": None if row.truth is None else str(row.truth),
                    **({"scores": row.scores} if row.error is None else {"error": failure(row.error)}),
                }
                for row in rows
            ],
        }
        print(json_format.dumps(document, ensure_ascii=False))
    else:
        if done:
            _print_table([(row.result.name, row.scores) for row in done], means, names)
        print(f"protocol: {protocol}")
    code = 0
    for row in rows:
        if row.error is not None:
            say_failure(row.error, str(row.result))
            code = code or exit_code(row.error)
    return code


def _print_table(rows: list[tuple[str, dict[str, float]]], means: dict[str, float], names: list[str]) -> None:
    from nightsharp.evaluation.scores import METRICS

    wide = max([len(name) for name, _ in rows] + [4])
    print(" " * wide, *(f"{METRICS[name].title:>9}" for name in names))
    for file, scores in [*rows, ("mean", means)]:
        if scores:
            print(f"{file:<{wide}}", *(f"{scores[name]:>9.{METRICS[name].digits}f}" for name in names))

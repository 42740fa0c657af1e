"""The verb ``deblur``."""

import inspect
import json as json_format
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter

from nightsharp import __version__
from nightsharp.cli.failures import exit_code, failure, say_failure
from nightsharp.cli.outputs import Job, check_jobs, check_writable, expanded, plan
from nightsharp.cli.progress import Bars
from nightsharp.cli.replaying import read_replay
from nightsharp.cli.streak import parse_streak
from nightsharp.cli.words import last_words
from nightsharp.errors import NightsharpError, UsageError

if TYPE_CHECKING:
    from nightsharp.restore import Restoration

# Seconds from which on the plan is said before the work.
WORTH_TELLING = 2.0


def deblur(
    photos: Annotated[list[Path] | None, Parameter(negative=())] = None,
    /,
    *,
    output: Annotated[str | None, Parameter(name=("--output", "-o"))] = None,
    suffix: Annotated[str, Parameter(allow_leading_hyphen=True)] = "-sharp",
    method: str = "auto",
    weights: Path | None = None,
    psf: str = "auto",
    psf_size: int | None = None,
    streak: str | None = None,
    varying: Annotated[bool, Parameter(negative=())] = False,
    strength: float = 1.0,
    light: Literal["linear", "display"] | None = None,
    guard: bool = True,
    max_memory: str | None = None,
    plan_only: Annotated[bool, Parameter(negative=(), name="--plan")] = False,
    compare: str | None = None,
    report: Path | None = None,
    replay: Path | None = None,
    overwrite: Annotated[bool, Parameter(negative=())] = False,
    json: Annotated[bool, Parameter(negative=())] = False,
    quiet: Annotated[bool, Parameter(negative=(), name=("--quiet", "-q"))] = False,
) -> int:
    """Take the blur out of photographs; each result is written beside its photograph.

    Args:
        photos: the files to deblur; they are never written over.
        output: where the result goes: a file, or a folder (for several photos, or with a / at its end).
        suffix: what is added to the name, before the ending.
        method: auto, or one of the names that "nightsharp methods" lists.
        weights: a .safetensors file for a learned method, in place of the shipped ones.
        psf: what is known of the blur: auto estimates it; a file; line:LENGTH,ANGLE; disk:RADIUS; gaussian:SIGMA;
            defocus:RADIUS,BLADES (pixels; degrees anticlockwise from horizontal).
        psf_size: largest side of an estimated PSF, pixels.
        streak: take the PSF from the trail of a lamp: auto finds one, or X,Y,WIDTH,HEIGHT in pixels around it.
        varying: look for blur that varies over the photo, such as a camera that rolled.
        strength: below 1 gentler, above 1 sharper and noisier.
        light: how the values in the files are to be read; without it the file says.
        guard: keep the input where the result does not explain it.
        max_memory: what may be held at the peak, such as 3GB; without it half of what is free.
        plan_only: say what it would take, and restore nothing.
        compare: write a picture with before, after and PSF side by side: a .png, or a folder.
        report: write what was done, with all numbers, to a .json file.
        replay: do again what a report says was done; photos, if named, are where its photos are now.
        overwrite: replace results that exist already.
        json: print one JSON document on stdout, and nothing else there.
        quiet: print nothing but errors.
    """
    given = expanded(photos or [])
    orders: Sequence[dict[str, Any] | None]
    if replay is None:
        if not given:
            raise UsageError("name at least one photo, or a report with --replay.")
        jobs = plan(given, output=output, suffix=suffix, compare=compare, overwrite=overwrite, make=not plan_only)
        orders = [None] * len(jobs)
    else:
        jobs, orders = read_replay(replay, given, output=output, suffix=suffix, compare=compare, overwrite=overwrite)
    check_jobs(
        jobs,
        also_read=[Path(file) for file in (replay, weights, psf) if file is not None],
        also_written=[] if report is None else [report],
    )
    check_writable(report, overwrite=overwrite)
    options = {
        "method": method,
        "weights": weights,
        "psf": psf,
        "psf_size": psf_size,
        "streak": None if streak is None else parse_streak(streak),
        "varying": varying,
        "strength": strength,
        "light": light,
        "guard": guard,
        "max_memory": max_memory,
    }
    if replay is not None:
        _check_replay_alone(options)
    files: list[dict[str, Any]] = []
    code = 0
    stopped: KeyboardInterrupt | None = None
    with Bars(not quiet) as bars:
        for job, order in zip(jobs, orders, strict=True):
            if job.left_out is not None and not plan_only:
                files.append({"input": str(job.photo), "output": None, "left_out": job.left_out})
                if not (json or quiet):
                    bars.pause()
                    print(f"{job.photo}: left out, {job.left_out}", flush=True)
                continue
            bars.about(job.photo.name)
            try:
                if job.refusal is not None and not (plan_only and job.photo.is_file()):
                    raise job.refusal
                file = (
                    _planned(job, order, options)
                    if plan_only
                    else _done(job, order, options, bars, overwrite=overwrite, silent=quiet or json)
                )
            except KeyboardInterrupt as stop:
                # what is done is done, and its report is written
                stopped = stop
                break
            except Exception as problem:
                bars.pause()
                say_failure(problem, str(job.photo))
                code = code or exit_code(problem)
                files.append({"input": str(job.photo), "output": None, "error": failure(problem)})
                continue
            bars.pause()
            files.append(file)
            if json or quiet:
                continue
            if plan_only:
                print(f"{job.photo}: {file['words']}", flush=True)
            else:
                print(last_words(job.photo, job.output, file["report"], options), flush=True)
    failed, left_out = (sum(name in file for file in files) for name in ("error", "left_out"))
    counts = {
        "done": len(files) - failed - left_out,
        "failed": failed,
        "left_out": left_out,
        "stopped_before": len(jobs) - len(files),
    }
    document = json_format.dumps({"nightsharp": __version__, **counts, "files": files}, ensure_ascii=False, indent=2)
    if report is not None and (files or stopped is None):
        from nightsharp.photo import write_whole

        # in JSON the replacement is an escape, which reads back as the name it was
        write_whole(report, (document + "\n").encode(errors="backslashreplace"), overwrite=overwrite)
    if stopped is None and json:
        print(document)
    elif len(jobs) > 1 and not (quiet or json):
        print(_summary(counts, len(jobs)), flush=True)
    if stopped is not None:
        raise stopped
    return code


def _summary(counts: dict[str, int], photos: int) -> str:
    """What became of several photographs.

    Example:
        >>> _summary({"done": 1, "failed": 1, "left_out": 0, "stopped_before": 3}, 5)
        '1 of 5 photos done, 1 failed, 3 not begun or not finished'
    """
    said = {"failed": "failed", "left_out": "left out", "stopped_before": "not begun or not finished"}
    more = [f"{counts[name]} {words}" for name, words in said.items() if counts[name]]
    return ", ".join([f"{counts['done']} of {photos} photos done", *more])


def _check_replay_alone(options: dict[str, Any]) -> None:
    """A report says how everything was done; only the memory is this machine's."""
    usual = {name: one.default for name, one in inspect.signature(deblur).parameters.items()}
    for name, value in options.items():
        if name != "max_memory" and value != usual[name]:
            option = f"--{name.replace('_', '-')}"
            raise UsageError(f"--replay does again what the report says. Leave {option} out.")


def _planned(job: Job, order: dict[str, Any] | None, options: dict[str, Any]) -> dict[str, Any]:
    if order is not None:
        raise UsageError("--plan and --replay do not go together: a report holds its plan.")
    from nightsharp.restore import plan_deblur
    from nightsharp.restore.job import check_strength

    check_strength(options["strength"])
    asked = ("method", "weights", "psf", "streak", "varying", "psf_size", "light", "guard", "max_memory")
    plan = plan_deblur(job.photo, **{name: options[name] for name in asked})
    return {"input": str(job.photo), "output": str(job.output), "plan": plan.describe(), "words": plan.words()}


def _done(
    job: Job, order: dict[str, Any] | None, options: dict[str, Any], bars: Bars, *, overwrite: bool, silent: bool
) -> dict[str, Any]:
    done = _one(job, order, options, bars, overwrite=overwrite, silent=silent)
    return {
        "input": str(job.photo),
        "output": str(job.output),
        "compare": None if job.compare is None else str(job.compare),
        "report": done.report,
    }


def _one(
    job: Job, order: dict[str, Any] | None, options: dict[str, Any], bars: Bars, *, overwrite: bool, silent: bool
) -> "Restoration":
    bars.advance("starting", 0, 1)
    from nightsharp.photo import read_photo, write_whole
    from nightsharp.photo.writing import format_of
    from nightsharp.restore import Plan, deblur, replay
    from nightsharp.restore.memory import peak_memory
    from nightsharp.restore.report import describe_file

    def tell(plan: Plan) -> None:
        if not silent and plan.seconds is not None and plan.seconds >= WORTH_TELLING:
            bars.pause()
            print(f"{job.photo.name}: {plan.words()}", file=sys.stderr, flush=True)

    # the plan is made from here on; what the libraries took to load before is the same for every photo
    began = time.perf_counter()
    format_of(job.output)
    if order is None:
        done = deblur(job.photo, progress=bars.advance, tell_plan=tell, **options)
    else:
        done = replay(order, job.photo, max_memory=options["max_memory"], progress=bars.advance, tell_plan=tell)
    if done.photo is None:
        raise RuntimeError("a file was restored into no photograph")
    bars.advance("writing", 0, 1)
    report = done.report
    if report["guard"]["kept"] == "input" and job.output.suffix.lower() == job.photo.suffix.lower():
        # nothing was changed, so not even the compression is done again
        write_whole(job.output, job.photo.read_bytes(), overwrite=overwrite, source=job.photo)
        report["notes"] = []
    else:
        report["notes"] += done.photo.save(job.output, overwrite=overwrite)
    if job.compare is not None:
        from nightsharp.cli.compare import side_by_side

        try:
            before = read_photo(job.photo, light=report["options"]["light"])
            sheet = side_by_side(before, done.photo, done.psf, kept=report["guard"]["kept"] == "input")
            write_whole(job.compare, sheet, overwrite=overwrite)
        except (NightsharpError, MemoryError) as problem:
            # the result is written by now, and stands
            report["warnings"].append(f"there is no side-by-side: {str(problem) or 'not enough memory'}")
    report["output"] = describe_file(job.output)
    report["peak_memory_bytes"] = peak_memory()
    report["plan"]["actual"] = {
        "seconds": round(time.perf_counter() - began, 2),
        "peak_memory_bytes": report["peak_memory_bytes"],
    }
    if order is not None and order.get("output") and order["output"].get("sha256") != report["output"]["sha256"]:
        report["warnings"].append("the file written is not, byte for byte, the one of the report")
    return done

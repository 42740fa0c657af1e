"""The verb ``deblur``."""

import json as json_format
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter

from nightsharp import __version__
from nightsharp.cli.failures import exit_code, failure, say_failure
from nightsharp.cli.outputs import Job, check_distinct, check_writable, plan
from nightsharp.cli.progress import Bars
from nightsharp.cli.words import last_words

if TYPE_CHECKING:
    from nightsharp.restore import Restoration


def deblur(
    photos: Annotated[list[Path], Parameter(negative=())],
    /,
    *,
    output: Annotated[str | None, Parameter(name=("--output", "-o"))] = None,
    suffix: Annotated[str, Parameter(allow_leading_hyphen=True)] = "-sharp",
    method: str = "auto",
    psf: str = "auto",
    psf_size: int | None = None,
    strength: float = 1.0,
    light: Literal["linear", "display"] | None = None,
    guard: bool = True,
    compare: str | None = None,
    report: Path | None = None,
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
        psf: what is known of the blur: auto estimates it; a file; line:LENGTH,ANGLE; disk:RADIUS; gaussian:SIGMA;
            defocus:RADIUS,BLADES (pixels; degrees anticlockwise from horizontal).
        psf_size: largest side of an estimated PSF, pixels.
        strength: below 1 gentler, above 1 sharper and noisier.
        light: how the values in the files are to be read; without it the file says.
        guard: keep the input where the result does not explain it.
        compare: write a picture with before, after and PSF side by side: a .png, or a folder.
        report: write what was done, with all numbers, to a .json file.
        overwrite: replace results that exist already.
        json: print one JSON document on stdout, and nothing else there.
        quiet: print nothing but errors.
    """
    jobs = plan(photos, output=output, suffix=suffix, compare=compare, overwrite=overwrite)
    if report is not None:
        check_distinct(photos, [report, *(job.output for job in jobs), *(job.compare for job in jobs if job.compare)])
        check_writable(report, overwrite=overwrite)
    files: list[dict[str, Any]] = []
    code = 0
    with Bars(not quiet) as bars:
        for job in jobs:
            bars.about(job.photo.name)
            try:
                if job.refusal is not None:
                    raise job.refusal
                done = _one(
                    job,
                    bars,
                    overwrite=overwrite,
                    method=method,
                    psf=psf,
                    psf_size=psf_size,
                    strength=strength,
                    light=light,
                    guard=guard,
                )
            except Exception as problem:
                bars.pause()
                say_failure(problem, str(job.photo))
                code = code or exit_code(problem)
                files.append({"input": str(job.photo), "output": None, "error": failure(problem)})
                continue
            bars.pause()
            files.append(
                {
                    "input": str(job.photo),
                    "output": str(job.output),
                    "compare": None if job.compare is None else str(job.compare),
                    "report": done.report,
                }
            )
            if not (json or quiet):
                print(last_words(job.photo, job.output, done.report), flush=True)
    failed = sum("error" in file for file in files)
    document = json_format.dumps(
        {"nightsharp": __version__, "done": len(files) - failed, "failed": failed, "files": files},
        ensure_ascii=False,
        indent=2,
    )
    if report is not None:
        from nightsharp.photo import write_whole

        write_whole(report, (document + "\n").encode(), overwrite=overwrite)
    if json:
        print(document)
    elif len(files) > 1 and not quiet:
        print(f"{len(files) - failed} of {len(files)} photos done" + (f", {failed} failed" if failed else ""))
    return code


def _one(job: Job, bars: Bars, *, overwrite: bool, **options: Any) -> "Restoration":
    bars.advance("starting", 0, 1)
    from nightsharp.photo import read_photo, write_whole
    from nightsharp.photo.writing import format_of
    from nightsharp.restore import deblur as restore

    format_of(job.output)
    done = restore(job.photo, progress=bars.advance, **options)
    if done.photo is None:
        raise RuntimeError("a file was restored into no photograph")
    bars.advance("writing", 0, 1)
    if done.report["guard"]["kept"] == "input" and job.output.suffix.lower() == job.photo.suffix.lower():
        # nothing was changed, so not even the compression is done again
        write_whole(job.output, job.photo.read_bytes(), overwrite=overwrite, source=job.photo)
    else:
        done.report["notes"] += done.photo.save(job.output, overwrite=overwrite)
    if job.compare is not None:
        from nightsharp.cli.compare import side_by_side

        before = read_photo(job.photo, light=options["light"])
        write_whole(job.compare, side_by_side(before, done.photo, done.psf), overwrite=overwrite)
    return done

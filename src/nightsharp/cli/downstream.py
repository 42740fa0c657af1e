"""The verb ``downstream``."""

import json as json_format
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from nightsharp.cli.failures import exit_code, say_failure
from nightsharp.cli.outputs import check_writable, make_folder
from nightsharp.cli.progress import Bars
from nightsharp.errors import PhotoError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nightsharp.evaluation.downstream import Item

_RENDERED = "rendered_text"


def downstream(
    *,
    task: Literal["ocr", "detect", "segment"],
    model: str | None = None,
    blurred: Path | None = None,
    restored: Path | None = None,
    sharp: Path | None = None,
    texts: Path | None = None,
    set: str | None = None,  # noqa: A002 - the option's name
    data: Path | None = None,
    method: str = "auto",
    weights: Path | None = None,
    blind: Annotated[bool, Parameter(negative=())] = False,
    every: int = 1,
    out: Annotated[Path | None, Parameter(name=("--output", "--out", "-o"))] = None,
    json: Annotated[bool, Parameter(negative=())] = False,
) -> int:
    """Measure what reading, detecting or segmenting gains by deblurring.

    Either of folders of pictures (--blurred, --restored, and --sharp or --texts), or of a set that is restored here.

    Args:
        task: what is done with the pictures.
        model: for ocr a language of tesseract; else a file model.onnx, fasterrcnn:FILE or maskrcnn:FILE with
            torchvision's weights; without it people and faces are detected by what OpenCV brings.
        blurred: the folder of blurred pictures.
        restored: the folder of restored pictures.
        sharp: the folder of sharp ones; what is found there is the truth.
        texts: a folder of .txt files with what stands in the pictures.
        set: a set that "nightsharp benchmark" lists, or rendered_text (the default of ocr), made on the spot.
        data: the folder that holds the sets; without it the one named by NIGHTSHARP_DATA.
        method: what restores the set; auto is the route that users get.
        weights: a .safetensors file for a learned method, in place of the shipped ones.
        blind: hide the true PSFs from the method.
        every: take every N-th image of the set.
        out: the folder for the report, as JSON and Markdown.
        json: print one JSON document on stdout, and nothing else there.
    """
    if (blurred is None) != (restored is None):
        raise UsageError("--blurred and --restored belong together. Give both, or a --set.")
    if blurred is not None and set is not None:
        raise UsageError("folders and a --set are two ways to give pictures. Choose one.")
    if blurred is not None and weights is not None:
        raise UsageError("--weights are for restoring a --set; the folders hold results already. Leave one out.")
    if every < 1:
        raise UsageError(f"--every is {every}; 1 takes all images.")
    with Bars(True) as bars:
        bars.about("downstream")
        bars.advance("starting", 0, 1)
        from nightsharp.evaluation.downstream import (
            as_document,
            as_markdown,
            from_folders,
            make_task,
            measure,
            write_report,
        )

        reader = make_task(task, model)
        items: Iterable[Item]
        if blurred is not None and restored is not None:
            items = from_folders(blurred, restored, sharp, texts)
            source, count = f"{restored} beside {blurred}", len(items)
        else:
            items, source, count = _set(task, set, data, method, weights, blind=blind, every=every)
        if out is not None:
            _make_folder(out, task)
        measured = measure(reader, items, source=source, progress=bars.advance, count=count)
    code = PhotoError.exit_code if any(row.error is not None for row in measured.rows) else 0
    # shown first: a disk that is full by now takes only the report
    if json:
        print(json_format.dumps(as_document(measured), ensure_ascii=False))
    else:
        print(as_markdown(measured), end="")
    if out is not None:
        try:
            files = write_report(measured, out)
        except OSError as problem:
            say_failure(problem, str(out))
            return exit_code(problem)
        if not json:
            print(f"-> {', '.join(str(file) for file in files)}")
    return code


def _make_folder(out: Path, task: str) -> None:
    """The folder for the report, before hours of measuring."""
    if out.exists() and not out.is_dir():
        raise UsageError(f"-o {out} is a file; the report goes into a folder. Choose another name.")
    make_folder(out)
    check_writable(out / f"downstream-{task}.json", overwrite=True)


def _set(
    task: str, name: str | None, data: Path | None, method: str, weights: Path | None, *, blind: bool, every: int
) -> "tuple[Iterable[Item], str, int]":
    """The images of a set, what they are, and how many."""
    from nightsharp.evaluation.benchmarks import get_benchmark
    from nightsharp.evaluation.contestant import method_spec
    from nightsharp.evaluation.downstream import rendered_text, restored_by
    from nightsharp.evaluation.own_weights import check_weights, read_weight_files

    if name is None and task != "ocr":
        raise UsageError(f"{task} needs pictures. Give --blurred and --restored, or a --set.")
    spec = method_spec(method)
    files = read_weight_files([] if weights is None else [weights])
    check_weights([method], files)
    own = next(iter(files), None)
    given = "image only" if spec is not None and not spec.needs_psf else "blind" if blind else "true PSF"
    words = f"{method if own is None else own}, {given}"
    if name is None or name == _RENDERED:
        samples, texts = rendered_text()
        chosen = samples[::every]
        items = restored_by(method, chosen, blind=blind, texts=texts, linear=True, weights=own)
        return items, f"{_RENDERED}, {words}", len(chosen)
    place = data if data is not None else Path(os.environ.get("NIGHTSHARP_DATA") or ".")
    if not place.is_dir():
        raise UsageError(f"the data folder {place} does not exist. Give it with --data, or in NIGHTSHARP_DATA.")
    chosen = get_benchmark(name).samples(place)[::every]
    return restored_by(method, chosen, blind=blind, weights=own), f"{name}, {words}", len(chosen)

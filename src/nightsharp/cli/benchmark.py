"""The verb ``benchmark``."""

import json as json_format
import os
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from nightsharp.cli.progress import Bars
from nightsharp.errors import UsageError

_CLASSICAL = "wiener,richardson_lucy,total_variation,hyper_laplacian"


def benchmark(
    *,
    methods: str | None = None,
    weights: str | None = None,
    sets: str | None = None,
    data: Path | None = None,
    out: Annotated[Path, Parameter(name=("--output", "--out", "-o"))] = Path("benchmark"),
    blind: Annotated[bool, Parameter(negative=())] = False,
    metrics: str = "psnr,ssim",
    every: int = 1,
    seed: int = 0,
    json: Annotated[bool, Parameter(negative=())] = False,
) -> int:
    """Run methods over benchmark sets; without --sets, list the sets and which of them are there.

    Args:
        methods: names that "nightsharp methods" lists, with commas; auto is the route that users get. Without them
            wiener, richardson_lucy, total_variation, hyper_laplacian and the networks of --weights.
        weights: .safetensors files, with commas, each for the method that its card names, in place of the shipped ones.
        sets: names of sets, with commas.
        data: the folder that holds the sets; without it the one named by NIGHTSHARP_DATA.
        out: the folder for tables and pictures; a run that was stopped goes on where it was.
        blind: hide the true PSFs from the methods.
        metrics: psnr, ssim, ms_ssim, delta_e, lpips, niqe, noise, sharpness, ringing; several with commas.
        every: take every N-th image of a set; with 8 PSFs an odd N meets all of them.
        seed: of sets that are made from sharp images.
        json: print one JSON document on stdout, and nothing else there.
    """
    place = data if data is not None else Path(os.environ.get("NIGHTSHARP_DATA") or ".")
    if not place.is_dir():
        raise UsageError(f"the data folder {place} does not exist. Give it with --data, or in NIGHTSHARP_DATA.")
    if sets is None:
        _list_sets(place, as_json=json)
        return 0
    with Bars(True) as bars:
        bars.about("benchmark")
        bars.advance("starting", 0, 1)
        from nightsharp.evaluation.own_weights import read_weight_files
        from nightsharp.evaluation.report import as_document, as_markdown, write_report
        from nightsharp.evaluation.runner import Plan, run

        own = read_weight_files([Path(name) for name in _names(weights or "")])
        plan = Plan(
            methods=(*_names(_CLASSICAL), *(file.method for file in own)) if methods is None else _names(methods),
            sets=_names(sets),
            data=place,
            out=out,
            blind=blind,
            metrics=_names(metrics),
            every=every,
            seed=seed,
            weights=own,
        )
        results = run(plan, lambda stage, done, most: bars.advance("measuring", done, most))
        files = write_report(plan, results)
    if json:
        print(json_format.dumps(as_document(plan, results), ensure_ascii=False))
    else:
        print(as_markdown(plan, results))
        print(f"-> {', '.join(str(file) for file in files)}")
    return 0


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


def _list_sets(data: Path, *, as_json: bool) -> None:
    from nightsharp.evaluation.benchmarks import BENCHMARKS, MissingBenchmark

    rows = []
    for name, entry in BENCHMARKS.items():
        try:
            images = len(entry.samples(data))
        except MissingBenchmark:
            images = 0
        rows.append({"set": name, "images": images, "title": entry.title, "layout": entry.layout, "from": entry.source})
    if as_json:
        print(json_format.dumps({"data": str(data), "sets": rows}, ensure_ascii=False))
        return
    wide = max(map(len, BENCHMARKS))
    for row in rows:
        print(f"{row['set']:<{wide}}  {row['images'] or '-':>4}  {row['title']}")

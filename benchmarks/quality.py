"""The quality sections: methods over sets by the package's own runner, one folder and one small JSON each."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from benchmarks.parts import parts
from nightsharp.evaluation.benchmarks import MissingBenchmark, get_benchmark
from nightsharp.evaluation.contestant import AUTO, REFERENCE
from nightsharp.evaluation.report import as_document, as_markdown, write_report
from nightsharp.evaluation.runner import Plan, run
from nightsharp.restore.function import usable_methods


@dataclass(frozen=True)
class Section:
    """Which sets are measured together, and every how manyth image of each (with 8 PSFs, an odd number meets all)."""

    sets: dict[str, int]
    blind: bool = False


SECTIONS = {
    "nonblind": Section(
        {"levin2009": 1, "levin2009_noise1": 1, "levin2009_noise3": 1, "levin2009_noise5": 1}
        | {
            "levin2009_estimated": 5,
            "set12_noise1": 3,
            "set12_noise3": 3,
            "set12_noise5": 3,
            "sun2013": 27,
            "pan_text": 5,
        }
    ),
    "night": Section({"pan_lowillumination": 1, "nightshot": 1} | {f"cbsd68_kc{gain}": 45 for gain in (4, 8, 16)}),
    "blind": Section({"levin2009": 1, "pan_lowillumination": 5, "pan_text": 5, "lai2016_uniform": 5}, blind=True),
}


def measure(
    name: str, data: Path, out: Path, every: int = 1, only: Sequence[str] | None = None
) -> list[dict[str, Any]]:
    """Measure a section; sets that are not there are named and left out.

    Args:
        name: of :data:`SECTIONS`.
        data: the folder that holds the sets.
        out: the folder for tables, pictures and records; a stopped run goes on there.
        every: take only every N-th of what the section takes.
        only: these methods; None takes all that are given as much as the section gives, and ``auto``.

    Returns:
        One entry for each set, without the single images.
    """
    section = SECTIONS[name]
    # blind, estimating is the work: of the methods that take the estimate, the one of the route stands for all
    taken = [
        s.name for s in usable_methods() if (not s.needs_psf or s.name == REFERENCE if section.blind else s.needs_psf)
    ]
    methods = tuple(only) if only else (*taken, AUTO)
    kept: list[dict[str, Any]] = []
    for set_name, step in section.sets.items():
        plan = Plan(methods, (set_name,), data, out / set_name, section.blind, every=step * every)
        try:
            get_benchmark(set_name).samples(data)
        except MissingBenchmark as missing:
            print(f"{set_name}: left out: {missing}")
            continue
        results = run(plan)
        write_report(plan, results)
        print(as_markdown(plan, results))
        document = as_document(plan, results)["sets"][0]
        records = document.pop("records")
        if section.blind:
            document["parts"] = parts(records, REFERENCE)
        document |= {"every": plan.every, "seed": plan.seed, "threads": torch.get_num_threads()}
        document["seconds"] = {method: round(value, 2) for method, value in results[0].seconds.items()}
        kept.append(document)
        (out / "section.json").write_text(json.dumps(kept, ensure_ascii=False, indent=1) + "\n")
    return kept

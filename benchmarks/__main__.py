"""Print every measured figure with its protocol, and write each section as JSON."""

import argparse
import json
import platform
from pathlib import Path

import torch

from benchmarks import harm, harm_blind, plan, quality, robustness, speed
from benchmarks.docs import RESULTS
from benchmarks.joining import joined

SECTIONS = ("speed", "plan", "robustness", "harm", "harm_blind", *quality.SECTIONS)


def main() -> None:
    """Run the sections in turn; those that need data are left out without it."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--data", type=Path, help="folder that holds the sets, or holds them in bench/")
    parser.add_argument("--out", type=Path, default=Path("bench-out"), help="where tables, pictures and JSON go")
    parser.add_argument("--every", type=int, default=1, help="take every N-th image of what a section takes")
    parser.add_argument("--only", nargs="+", choices=SECTIONS, help="these sections only")
    parser.add_argument("--methods", nargs="+", help="measure these methods only; others keep their rows")
    parser.add_argument("--store", action="store_true", help="write the JSON to benchmarks/results")
    choice = parser.parse_args()
    processor = platform.processor() or platform.machine()
    machine = f"{processor}, {torch.get_num_threads()} threads, torch {torch.__version__}"
    print(machine)
    results = RESULTS if choice.store else choice.out / "results"
    results.mkdir(parents=True, exist_ok=True)
    for section in choice.only or SECTIONS:
        file = results / f"{section}.json"
        if section == "speed":
            figures: object = {
                "side_by_side": speed.side_by_side(),
                "startup": speed.startup(),
                "twelve_megapixels": speed.twelve_megapixels(),
            }
        elif section == "plan":
            figures = {"rows": plan.measure()}
        elif section == "robustness":
            curves = robustness.measure(choice.every)
            figures = {"setting": robustness.SETTING, "protocol": str(robustness.PROTOCOL), "curves": curves}
        elif choice.data is None:
            print(f"{section}: no --data, left out (docs/evaluation.md says which sets it needs)")
            continue
        elif section == "harm":
            names = choice.methods or ("hyper_laplacian", "auto")
            before = json.loads(file.read_text())["figures"] if choice.methods and file.is_file() else []
            figures = [rows for rows in before if rows[0]["method"] not in names]
            figures += [harm.measure(choice.data, choice.every, name) for name in names]
        elif section == "harm_blind":
            figures = [harm_blind.measure(choice.data, choice.every)]
        else:
            figures = quality.measure(section, choice.data, choice.out / section, choice.every, choice.methods)
            if choice.methods and file.is_file():
                figures = joined(json.loads(file.read_text())["figures"], figures)
        file.write_text(json.dumps({"machine": machine, "figures": figures}, ensure_ascii=False, indent=1) + "\n")
        print(f"-> {file}")


if __name__ == "__main__":
    main()

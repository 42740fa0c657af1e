"""Print every measured figure with its protocol, and write them as JSON."""

import argparse
import json
import platform
from pathlib import Path

import torch

from benchmarks import blind, nonblind, speed


def main() -> None:
    """Run the sections in turn; those that need data are left out without it."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--data", type=Path, help="folder that holds the sets, or holds them in bench/")
    parser.add_argument("--out", type=Path, default=Path("bench-out"), help="where the JSON goes")
    parser.add_argument("--every", type=int, default=1, help="take every N-th image of a set")
    parser.add_argument("--only", nargs="+", choices=("speed", "nonblind", "blind"), help="these sections only")
    choice = parser.parse_args()
    sections = choice.only or ["speed", "nonblind", "blind"]
    print(f"{platform.processor() or platform.machine()}, {torch.get_num_threads()} threads, torch {torch.__version__}")
    figures: dict[str, object] = {"torch": torch.__version__, "threads": torch.get_num_threads()}
    if "speed" in sections:
        figures["side_by_side"] = speed.side_by_side()
        figures["startup"] = speed.startup()
        figures["twelve_megapixels"] = speed.twelve_megapixels()
    if choice.data is None:
        print("no --data: the quality figures need levin2009, pan_lowillumination and pan_text (docs/benchmarks.md)")
    else:
        data = choice.data / "bench" if (choice.data / "bench").is_dir() else choice.data
        if "nonblind" in sections:
            figures["nonblind"] = nonblind.measure(data, choice.every)
        if "blind" in sections:
            figures["blind"] = blind.measure(data, choice.every)
    choice.out.mkdir(parents=True, exist_ok=True)
    file = choice.out / "figures.json"
    file.write_text(json.dumps(figures, indent=2) + "\n")
    print(f"-> {file}")


if __name__ == "__main__":
    main()

"""Is any benchmark picture among the training pictures? ``python -m benchmarks.overlap --data DIR``."""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Float32

from benchmarks.docs import RESULTS
from benchmarks.likeness import Likeness, Look, near, open_look, part, whole

PROTOCOL = """Every benchmark picture against every training picture, grey. As a whole, in eight orientations: a 64-bit
DCT hash at most 14 bits apart and a correlation of 0.93 at 32 x 32. As a part, at 384 pixels and mirrored too: 6 SIFT
features that agree on an affine map within 3 pixels, and a correlation of 0.8 where the map lays one over the other.
Finds copies that were compressed again, scaled, made grey, mirrored, turned, blurred, or cut out, down to a quarter of
the area."""

# truths, and the photographs of sets without one
BENCHMARKS = {
    "levin2009": "levin2009/gt",
    "levin2009_kernel_uncertainty": "levin2009_kernel_uncertainty/sharp",
    "sun2013_scenes": "sun2013_scenes/gt",
    "pan_lowillumination": "pan_lowillumination/gt",
    "pan_text": "pan_text/gt",
    "lai2016_uniform": "lai2016_uniform/gt",
    "lai2016_real": "lai2016_real/blurry",
    "infwide_nightshot_exp": "infwide_nightshot_exp/gt",
    "cbsd68": "classic/cbsd68",
    "set12": "classic/set12",
    "set3c": "classic/set3c",
    "set3g": "classic/set3g",
    "dwdn_testdata": "dwdn_testdata/blurredImage",
    "fdn_examples": "fdn_examples",
}
TRAINING = ("pack", "train_bsds400")
_ENDINGS = {".png", ".jpg", ".jpeg", ".tif", ".tiff", ".webp", ".bmp"}


def main(words: Sequence[str] | None = None) -> int:
    """Compare, print each overlap, and write the result; 1 when there is one, 2 when there is nothing to compare."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.overlap", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder that holds the sets, or holds them in bench/")
    parser.add_argument("--train", type=Path, nargs="+", help="training pictures; without it pack/ and train_bsds400/")
    parser.add_argument("--store", action="store_true", help="write benchmarks/results/overlap.json")
    choice = parser.parse_args(words)
    training = {folder.name: pictures(folder) for folder in choice.train or [choice.data / name for name in TRAINING]}
    bench = choice.data / "bench" if (choice.data / "bench").is_dir() else choice.data
    benchmarks = {name: pictures(bench / place) for name, place in BENCHMARKS.items()}
    for name, files in {**training, **benchmarks}.items():
        print(f"{name:30} {len(files):4} pictures")
    if not any(training.values()) or not any(benchmarks.values()):
        print(f"{choice.data}: no training or no benchmark pictures there")
        return 2
    print(PROTOCOL)
    found = compare(benchmarks, training)
    for row in found:
        print(f"{row['benchmark']} is in {row['training']}: {row}")
    print(f"{len(found)} overlaps")
    if choice.store:
        counts = [{name: len(files) for name, files in each.items()} for each in (training, benchmarks)]
        result = {"protocol": PROTOCOL, "training": counts[0], "benchmarks": counts[1], "overlaps": found}
        file = RESULTS / "overlap.json"
        file.write_text(json.dumps(result, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
        print(f"-> {file}")
    return 1 if found else 0


def pictures(folder: Path) -> list[Path]:
    """The picture files of a folder and those in it; none when it is not there."""
    return sorted(file for file in folder.rglob("*") if file.suffix.lower() in _ENDINGS)


def compare(benchmarks: dict[str, list[Path]], training: dict[str, list[Path]]) -> list[dict[str, object]]:
    """A row for each benchmark picture and training picture that are of one photograph."""
    learned = [(f"{name}/{file.name}", open_look(file)) for name, files in training.items() for file in files]
    looks = [look for _, look in learned]
    features = np.stack([look.features for look in looks])
    return [
        {"benchmark": f"{name}/{file.name}", "training": learned[place][0], **likeness._asdict()}
        for name, files in benchmarks.items()
        for file in files
        for place, likeness in among(open_look(file), looks, features).items()
    ]


def among(one: Look, looks: Sequence[Look], features: Float32[np.ndarray, "pictures 256 128"]) -> dict[int, Likeness]:
    """Which pictures one is made of, or they of it."""
    found = {place: likeness for place, other in enumerate(looks) if (likeness := whole(one, other))}
    for way in (one, one.mirrored()):
        for place in near(way.features, features):
            if place not in found and (likeness := part(way, looks[place])):
                found[int(place)] = likeness
    return found


if __name__ == "__main__":
    sys.exit(main())

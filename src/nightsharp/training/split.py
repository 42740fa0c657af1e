"""Which photographs are learned from and which are held out."""

import csv
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from nightsharp._atomic import write_atomically
from nightsharp.errors import RecipeError
from nightsharp.synthesis import generator_for
from nightsharp.training.recorded import unit_of

_HELD_OUT = 0.05


@dataclass(frozen=True)
class Split:
    """Two lists of photographs that share none.

    Attributes:
        train: the photographs that are learned from.
        held_out: the photographs that only validation sees.
        origin: where the split comes from, in words.
    """

    train: tuple[Path, ...]
    held_out: tuple[Path, ...]
    origin: str


def split_photographs(files: Sequence[Path], folder: Path, seed: int, stored: Path, share: float = _HELD_OUT) -> Split:
    """Divide the photographs of a folder.

    An ``index.csv`` in the folder with the columns ``file`` and ``split`` decides where there is one: splits that begin
    with "train" are learned from, those that begin with "val" held out, others left alone. Without it a share of the
    photographs, at least one, is held out, drawn by the seed; the draw is written down, so that photographs that join
    the folder later do not move one that was learned from to the held-out side.

    Args:
        files: the photographs that can be used.
        folder: the folder they are in.
        seed: of the draw.
        stored: the file in which the draw is kept; read where it exists.
        share: of the photographs that is drawn.

    Returns:
        The two lists, each sorted by name.

    Raises:
        RecipeError: nothing is left to learn from or to validate on.

    Example:
        >>> import tempfile
        >>> place = Path(tempfile.mkdtemp())
        >>> split = split_photographs([place / f"{n}.png" for n in range(40)], place, 0, place / "split.json")
        >>> len(split.train), len(split.held_out)
        (38, 2)
    """
    index = folder / "index.csv"
    split = _from_index(files, folder, index) if index.is_file() else _drawn(files, folder, seed, stored, share)
    if not split.train or not split.held_out:
        raise RecipeError(
            f"{folder}: {len(split.train)} photographs to learn from and {len(split.held_out)} held out "
            f"({split.origin}). Both need at least one; add photographs, or name both splits in index.csv."
        )
    return split


def _from_index(files: Sequence[Path], folder: Path, index: Path) -> Split:
    try:
        with index.open(newline="", encoding="utf-8-sig") as stream:
            table = csv.DictReader(stream)
            columns, rows = table.fieldnames or (), list(table)
    except (UnicodeDecodeError, csv.Error) as problem:
        raise RecipeError(f"{index} is no table in UTF-8 ({problem}). Save it as one, or take it away.") from problem
    if not {"file", "split"} <= set(columns):
        raise RecipeError(f"{index} lacks the columns file and split. Add them, or take the file away.")
    # a line that ends early lacks its split
    side = {folder / row["file"]: (row["split"] or "").strip() for row in rows}
    chosen = {name: tuple(f for f in sorted(files) if side.get(f, "").startswith(name)) for name in ("train", "val")}
    named = sum(file in side for file in files)
    return Split(chosen["train"], chosen["val"], f"index.csv names {named} of them; splits begin with train or val")


def _drawn(files: Sequence[Path], folder: Path, seed: int, stored: Path, share: float) -> Split:
    names = sorted(str(file.relative_to(folder)) for file in files)
    if stored.is_file():
        try:
            held_out = set(json.loads(stored.read_text(encoding="utf-8"))["held_out"])
        except (ValueError, KeyError, TypeError) as problem:
            raise RecipeError(
                f"{stored} is damaged: it says which photographs are held out. Copy it back, or take another folder."
            ) from problem
    else:
        units: dict[str, list[str]] = {}
        for name in names:
            units.setdefault(unit_of(name), []).append(name)
        # each photograph draws for itself, so the order of the folder and its growth do not matter
        ranked = sorted(units, key=lambda unit: generator_for(seed, "split", unit).initial_seed())
        held_out = set()
        for unit in ranked:
            if len(held_out) >= max(1, round(share * len(names))):
                break
            held_out |= set(units[unit])
        document = json.dumps({"seed": seed, "held_out": sorted(held_out)}, indent=1, ensure_ascii=False)
        write_atomically(stored, document.encode(), overwrite=True)
    train = tuple(folder / name for name in names if name not in held_out)
    validation = tuple(folder / name for name in names if name in held_out)
    return Split(train, validation, f"one in {round(1 / share)} by seed {seed}")

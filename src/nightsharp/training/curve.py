"""The learning curve: one row for each validation, as JSON and for TensorBoard."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from nightsharp._atomic import write_atomically
from nightsharp.errors import RecipeError


@dataclass(frozen=True)
class Row:
    """Where a run was when it was validated.

    Attributes:
        step: batches behind.
        seconds: of training, all runs together.
        lr: learning rate of the last step.
        loss: mean over the steps since the row before.
        terms: the same for each term of the loss.
        psnr: of the held-out crops, dB.
        ssim: of the same.
        psnr_recorded: of the same before restoration, dB.
        skipped: batches left out so far because the gradient was no number.
    """

    step: int
    seconds: float
    lr: float
    loss: float | None
    terms: dict[str, float]
    psnr: float
    ssim: float
    psnr_recorded: float
    skipped: int


def save_curve(file: Path, rows: list[Row], about: dict[str, object]) -> Path:
    """Write the curve.

    Args:
        file: written over where it exists.
        rows: in the order of their steps.
        about: what else a reader needs: the recipe, the data.
    """
    document = {**about, "rows": [asdict(row) for row in rows]}
    return write_atomically(file, json.dumps(document, indent=1, ensure_ascii=False).encode(), overwrite=True)


def load_curve(file: Path, until: int | None = None) -> list[Row]:
    """The rows, all or up to a step; a run that was killed may have got further than its state.

    Args:
        file: as :func:`save_curve` wrote it; no rows where there is none.
        until: the last step that counts; None for all.

    Raises:
        RecipeError: the file is damaged.
    """
    if not file.is_file():
        return []
    try:
        rows = [Row(**row) for row in json.loads(file.read_text(encoding="utf-8"))["rows"]]
    except (ValueError, KeyError, TypeError) as problem:
        raise RecipeError(f"{file} is damaged. Take it away, and the curve begins anew.") from problem
    return [row for row in rows if until is None or row.step <= until]

"""Real photographs before and after: ``python -m benchmarks.contact_sheet FOLDER... --out DIR``.

Sheets show the most eventful part of each; ``DIR/whole`` holds both pictures whole, side by side. Kernels that lie
among the photographs are left out.
"""

import argparse
import json
import time
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageDraw

from nightsharp import deblur, read_photo
from nightsharp.errors import NightsharpError
from nightsharp.evaluation.metrics import sharpness
from nightsharp.photo import Photo
from nightsharp.restore import Restoration

_ENDINGS = {".png", ".jpg", ".jpeg", ".tif", ".tiff", ".webp"}
_SIDE, _WORDS, _ROWS = 320, 44, 5
# Sharpness (one minus the blur effect) goes from 0 to 1.
_SHARPER = 0.01


def main() -> None:
    """Deblur every photograph blind and lay the most eventful part of each beside what it became."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.contact_sheet", description=__doc__)
    parser.add_argument("folders", nargs="+", type=Path, help="folders of photographs")
    parser.add_argument("--out", type=Path, default=Path("bench-out/contact"), help="where the sheets go")
    parser.add_argument("--every", type=int, default=1, help="take every N-th photograph")
    parser.add_argument("--first", type=int, default=0, help="the number of the first one")
    choice = parser.parse_args()
    files = photographs(choice.folders)
    (choice.out / "whole").mkdir(parents=True, exist_ok=True)
    rows: list[Image.Image] = []
    outcomes: dict[str, list[str]] = {}
    for file in files[choice.first :: choice.every]:
        start = time.perf_counter()
        try:
            done = deblur(file)
        except NightsharpError as problem:
            outcomes.setdefault("refused", []).append(f"{file.name}: {problem}")
            continue
        before = read_photo(file)
        row, outcome = _row(file, before, done, time.perf_counter() - start)
        _whole(before, done).save(choice.out / "whole" / f"{file.parent.name}-{file.stem}.png")
        outcomes.setdefault(outcome, []).append(file.name)
        rows.append(row)
        confidence, scores = done.report["psf"]["confidence"] or 0.0, done.report["guard"]["scores"]
        print(
            f"{file.name}: {outcome}; confidence {confidence:.2f}; {done.report['guard']['words']}; {scores}",
            flush=True,
        )
        _save(rows, choice.out)
    (choice.out / "outcomes.json").write_text(json.dumps(outcomes, indent=1) + "\n", encoding="utf-8")
    total = sum(map(len, outcomes.values()))
    for outcome, names in sorted(outcomes.items()):
        print(f"{outcome}: {len(names)} of {total}")


def photographs(folders: list[Path]) -> list[Path]:
    """The photographs in the folders and below, in the order of their names, without files and folders of kernels."""
    return sorted(
        file
        for folder in folders
        for file in folder.rglob("*")
        if file.suffix.lower() in _ENDINGS and not any("kernel" in part for part in file.relative_to(folder).parts)
    )


def _whole(before: Photo, done: Restoration) -> Image.Image:
    assert done.photo is not None
    both = torch.cat([before.display(), done.photo.display()], dim=-1)
    return Image.fromarray(_bytes(both))


def _bytes(picture: torch.Tensor) -> np.ndarray:
    return np.ascontiguousarray(picture.clamp(0, 1).mul(255).round().byte().permute(1, 2, 0).numpy())


def _row(file: Path, before: Photo, done: Restoration, seconds: float) -> tuple[Image.Image, str]:
    assert done.photo is not None
    pair = [before.display(), done.photo.display()]
    outcome = _outcome(*pair, kept=done.report["guard"]["kept"])
    top, left = _eventful(pair[0])
    sheet = Image.new("RGB", (2 * _SIDE, _SIDE + _WORDS), "black")
    for column, picture in enumerate(pair):
        part = picture[:, top : top + _SIDE, left : left + _SIDE]
        sheet.paste(Image.fromarray(_bytes(part)), (_SIDE * column, 0))
    kernel = done.psf.kernel
    psf = Image.fromarray((kernel / kernel.max() * 255).byte().numpy())
    psf = psf.resize((64, max(1, 64 * psf.height // psf.width)), Image.Resampling.NEAREST)
    sheet.paste(psf, (2 * _SIDE - 64, 0))
    draw = ImageDraw.Draw(sheet)
    confidence = done.report["psf"]["confidence"] or 0.0
    draw.text(
        (4, _SIDE + 4), f"{file.parent.name}/{file.name}   confidence {confidence:.2f}   {seconds:.0f} s", fill="white"
    )
    draw.text((4, _SIDE + 22), f"{outcome}: {done.report['guard']['words']}"[:110], fill="white")
    return sheet, outcome


def _outcome(before: torch.Tensor, after: torch.Tensor, *, kept: str) -> str:
    """By score; whether it is better is for eyes to say."""
    if kept == "input":
        return "kept"
    sharper = sharpness(after) - sharpness(before)
    return "sharper" if sharper > _SHARPER else "softer" if sharper < -_SHARPER else "unchanged"


def _eventful(picture: torch.Tensor) -> tuple[int, int]:
    """The corner of the part with the most edges."""
    grey = picture.mean(0)
    edges = (grey[1:, 1:] - grey[:-1, 1:]).abs() + (grey[1:, 1:] - grey[1:, :-1]).abs()
    window = (min(_SIDE, edges.shape[0]), min(_SIDE, edges.shape[1]))
    sums = torch.nn.functional.avg_pool2d(edges.clamp_max(0.1)[None, None], window, stride=16)[0, 0]
    best = int(sums.argmax())
    return best // sums.shape[1] * 16, best % sums.shape[1] * 16


def _save(rows: list[Image.Image], out: Path) -> None:
    number = (len(rows) - 1) // (2 * _ROWS)
    page = rows[number * 2 * _ROWS :]
    sheet = Image.new("RGB", (4 * _SIDE + 8, _ROWS * (_SIDE + _WORDS)), "black")
    for place, row in enumerate(page):
        sheet.paste(row, ((place % 2) * (2 * _SIDE + 8), (place // 2) * (_SIDE + _WORDS)))
    sheet.save(out / f"sheet-{number + 1}.png")


if __name__ == "__main__":
    main()

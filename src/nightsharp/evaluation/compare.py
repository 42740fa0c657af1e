"""Results on the disk beside their truths."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from nightsharp._endings import ENDINGS, photographs_below
from nightsharp.errors import NightsharpError, PhotoError
from nightsharp.evaluation.benchmarks.pair import read_image
from nightsharp.evaluation.protocol import Protocol
from nightsharp.evaluation.scores import score

_SHEET = "-compare"


@dataclass(frozen=True)
class Comparison:
    """One result and its truth.

    Attributes:
        result: the file.
        truth: the file it was compared with; None where scores need none.
        scores: by metric.
        error: what went wrong; None when nothing did.
    """

    result: Path
    truth: Path | None
    scores: dict[str, float]
    error: NightsharpError | None = None


def pair_files(results: Path, sharp: Path | None) -> list[tuple[Path, Path | None]]:
    """Each result with its truth: the file of the same name, else the one whose name the result's name begins with.

    So ``street-sharp.jpg`` meets ``street.png``; of several such truths the one with the longest name is meant. An
    added number is another picture: ``street-10.jpg`` is none of ``street``. Sheets of ``deblur --compare`` are left
    out.

    Args:
        results: a file or a folder (looked through with its folders).
        sharp: a file for a file, a folder for either; None for scores that need no truth.

    Raises:
        PhotoError: something is missing, or a result has no truth.
    """
    for place in (results, sharp):
        if place is not None and not place.exists():
            raise PhotoError(f"{place}: there is no such file or folder. Check the path.")
    truths = [] if sharp is None or sharp.is_file() else photographs_below(sharp)
    files = (
        [results]
        if results.is_file()
        else _without_sheets(photographs_below(results), {truth.stem for truth in truths})
    )
    if not files:
        raise PhotoError(f"{results}: there is no picture in it ({', '.join(dict.fromkeys(ENDINGS.values()))}).")
    if sharp is None:
        return [(file, None) for file in files]
    if sharp.is_file():
        if len(files) > 1:
            raise PhotoError(f"{sharp} is one file, and there are {len(files)} results. Give the folder of the truths.")
        return [(files[0], sharp)]
    base = results if results.is_dir() else results.parent
    return [(file, _truth_of(file.relative_to(base), truths, sharp)) for file in files]


def _truth_of(result: Path, truths: list[Path], sharp: Path) -> Path:
    name = result.with_suffix("").as_posix()
    places = [(truth.relative_to(sharp).with_suffix("").as_posix(), truth) for truth in truths]
    begun = sorted((len(place), truth) for place, truth in places if name == place or _adds_to(name, place))
    if not begun:
        raise PhotoError(
            f"{result}: no truth of that name is in {sharp}. Names must agree up to an added -word or _word; "
            "an added number is another picture."
        )
    return begun[-1][1]


def _adds_to(name: str, place: str) -> bool:
    """Whether the name is the place's with something added that does not look like another number."""
    added = name[len(place) :]
    return name.startswith(place) and added[:1] in ("-", "_", ".", " ") and not added[1:2].isdigit()


def _without_sheets(files: list[Path], truths: set[str]) -> list[Path]:
    """Those that are results: ``deblur --compare`` leaves ``a-compare.png`` beside ``a.png`` or ``a-sharp.png``."""

    def is_sheet(file: Path) -> bool:
        if file.suffix != ".png" or not file.stem.endswith(_SHEET) or file.stem in truths:
            return False
        name = file.stem.removesuffix(_SHEET)
        beside = (other.stem for other in files if other != file and other.parent == file.parent)
        return any(stem == name or _adds_to(stem, name) for stem in beside)

    return [file for file in files if not is_sheet(file)]


def compare_files(
    results: Path,
    sharp: Path | None,
    protocol: Protocol,
    metrics: list[str],
    progress: Callable[[str, int, int], None] | None = None,
) -> Iterator[Comparison]:
    """Score each result under the protocol; one that cannot be read or compared carries its error.

    Raises:
        PhotoError: see :func:`pair_files`.
    """
    files = pair_files(results, sharp)
    for number, (result, truth) in enumerate(files):
        if progress is not None:
            progress("comparing", number, len(files))
        try:
            image = read_image(result)
            scores, _ = score(image, None if truth is None else read_image(truth), protocol, metrics)
            yield Comparison(result, truth, scores)
        except NightsharpError as problem:
            yield Comparison(result, truth, {}, problem)

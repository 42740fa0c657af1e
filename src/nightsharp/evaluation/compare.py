"""Results on the disk beside their truths."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from nightsharp.errors import NightsharpError, PhotoError
from nightsharp.evaluation.benchmarks.folders import pictures
from nightsharp.evaluation.benchmarks.pair import read_image
from nightsharp.evaluation.protocol import Protocol
from nightsharp.evaluation.scores import score


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

    So ``street-sharp.jpg`` meets ``street.png``; of several such truths the one with the longest name is meant.

    Args:
        results: a file or a folder (looked through with its folders).
        sharp: a file for a file, a folder for either; None for scores that need no truth.

    Raises:
        PhotoError: something is missing, or a result has no truth.
    """
    for place in (results, sharp):
        if place is not None and not place.exists():
            raise PhotoError(f"{place}: there is no such file or folder. Check the path.")
    files = [results] if results.is_file() else pictures(results)
    if not files:
        raise PhotoError(f"{results}: there is no picture in it.")
    if sharp is None:
        return [(file, None) for file in files]
    if sharp.is_file():
        if len(files) > 1:
            raise PhotoError(f"{sharp} is one file, and there are {len(files)} results. Give the folder of the truths.")
        return [(files[0], sharp)]
    base = results if results.is_dir() else results.parent
    truths = pictures(sharp)
    return [(file, _truth_of(file.relative_to(base), truths, sharp)) for file in files]


def _truth_of(result: Path, truths: list[Path], sharp: Path) -> Path:
    name = result.with_suffix("").as_posix()
    places = [(truth.relative_to(sharp).with_suffix("").as_posix(), truth) for truth in truths]
    begun = sorted((len(place), truth) for place, truth in places if name == place or _adds_to(name, place))
    if not begun:
        raise PhotoError(
            f"{result}: no truth of that name is in {sharp}. Names must agree up to an added -word or _word."
        )
    return begun[-1][1]


def _adds_to(name: str, place: str) -> bool:
    """Whether the name is the place's with something added that does not look like another number."""
    return name.startswith(place) and name[len(place)] in "-_. "


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

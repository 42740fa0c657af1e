"""What is measured: a blurred picture, what was made of it, and what stands in it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from jaxtyping import Float
from torch import Tensor

from nightsharp._endings import photographs_below
from nightsharp.errors import PhotoError
from nightsharp.evaluation.benchmarks import Sample
from nightsharp.evaluation.benchmarks.pair import read_image
from nightsharp.evaluation.compare import pair_files
from nightsharp.evaluation.contestant import Estimation, restore
from nightsharp.evaluation.downstream.ocr import plain_text
from nightsharp.evaluation.own_weights import WeightFile
from nightsharp.photo.tone import linear_to_srgb


@dataclass(frozen=True)
class Shot:
    """The pictures of one item, display values in [0, 1]; to be read, they need not have one size.

    Attributes:
        blurred: before.
        restored: after.
        sharp: the truth; None where the text is known instead.
        text: what stands in it; None where it is unknown, or the task is not reading.
    """

    blurred: Float[Tensor, "channel height width"]
    restored: Float[Tensor, "channels rows columns"]
    sharp: Float[Tensor, "colours down across"] | None = None
    text: str | None = None


@dataclass(frozen=True)
class Item:
    """One picture of the measurement, before it is read.

    Attributes:
        name: unique.
        group: the row of the table in which it counts; empty for none.
        load: reads its pictures, or makes them.
    """

    name: str
    group: str
    load: Callable[[], Shot]


def from_folders(blurred: Path, restored: Path, sharp: Path | None = None, texts: Path | None = None) -> list[Item]:
    """Pictures on the disk, by name: ``street-sharp.jpg`` of the restored ones belongs to ``street.jpg``.

    Args:
        blurred: the folder before.
        restored: the folder after.
        sharp: the folder of the truths.
        texts: a folder of ``street.txt`` with what stands in ``street.jpg``.

    Raises:
        PhotoError: a folder is empty or missing, a restored picture belongs to none, or two belong to one.
    """
    for folder in (blurred, restored, sharp, texts):
        if folder is not None and not folder.is_dir():
            raise PhotoError(f"{folder}: there is no such folder. Check the path.")
    truths = {} if sharp is None else _by_place(sharp)
    known = {} if texts is None else {file.relative_to(texts).with_suffix(""): file for file in texts.rglob("*.txt")}
    items: list[Item] = []
    results: dict[Path, Path] = {}
    for after, before in pair_files(restored, blurred):
        assert before is not None
        place = before.relative_to(blurred).with_suffix("")
        if place in results:
            raise PhotoError(
                f"{before}: {results[place].name} and {after.name} are both results of it. Leave one in {restored}."
            )
        results[place] = after
        truth, text = truths.get(place), known.get(place)
        if truth is None and text is None:
            raise PhotoError(
                f"{before}: nothing says what stands in it. Give the folder of truths, or of texts, with {place}."
            )
        group = place.parts[0] if len(place.parts) > 1 else ""
        items.append(Item(place.as_posix(), group, _reader(before, after, truth, text)))
    return items


def _by_place(folder: Path) -> dict[Path, Path]:
    return {file.relative_to(folder).with_suffix(""): file for file in photographs_below(folder)}


def _reader(before: Path, after: Path, truth: Path | None, text: Path | None) -> Callable[[], Shot]:
    def read() -> Shot:
        words = None if text is None else _text(text)
        return Shot(read_image(before), read_image(after), None if truth is None else read_image(truth), words)

    return read


def _text(file: Path) -> str:
    try:
        # a byte-order mark is no character of the text
        return plain_text(file.read_text(encoding="utf-8-sig"))
    except UnicodeDecodeError as problem:
        raise PhotoError(f"{file}: the text is not in UTF-8 (byte {problem.start}). Save it as UTF-8.") from problem


def restored_by(
    method: str,
    samples: Sequence[Sample],
    *,
    blind: bool,
    texts: Mapping[str, str] | None = None,
    linear: bool = False,
    weights: WeightFile | None = None,
) -> Iterator[Item]:
    """The images of a set, restored by a method when their turn comes.

    Args:
        method: a method, or ``"auto"``.
        samples: of the set.
        blind: hide the true PSF from the method.
        texts: what stands in them, by name.
        linear: the values are linear light; readers see them through the sRGB curve.
        weights: of the method; None takes the shipped ones.
    """

    def shown(image: Tensor) -> Tensor:
        return linear_to_srgb(image.clamp(0, 1)) if linear else image.clamp(0, 1)

    def maker(sample: Sample) -> Callable[[], Shot]:
        def make() -> Shot:
            pair = sample.load()
            estimation = Estimation(pair.blurred)
            restored = restore(method, pair, blind=blind, estimation=estimation, weights=weights).sharp
            return Shot(
                shown(pair.blurred),
                shown(restored),
                None if pair.sharp is None else shown(pair.sharp),
                None if texts is None else texts[sample.name],
            )

        return make

    return (Item(sample.name, sample.group, maker(sample)) for sample in samples)

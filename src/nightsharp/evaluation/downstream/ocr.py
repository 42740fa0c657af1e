"""Reading text with tesseract, and the character error rate."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from jaxtyping import Float
from PIL import Image
from torch import Tensor

from nightsharp.errors import PhotoError, UsageError, how_to_install
from nightsharp.evaluation.downstream.task import EVERY, Ratio

_THREADS = "OMP_THREAD_LIMIT"
_PAGE = 6
"""Tesseract's page segmentation: one block of text."""


def edit_distance(one: str, other: str) -> int:
    """The fewest insertions, deletions and substitutions of characters that turn one text into the other.

    Example:
        >>> edit_distance("kitten", "sitting")
        3

    Source: Levenshtein, "Binary codes capable of correcting deletions, insertions, and reversals", 1966.
    """
    codes = np.frombuffer(other.encode("utf-32-le"), np.uint32)
    places = np.arange(len(other) + 1)
    row = places.copy()
    for number, code in enumerate(one.encode("utf-32-le")[i : i + 4] for i in range(0, 4 * len(one), 4)):
        best = np.empty_like(row)
        best[0] = number + 1
        best[1:] = np.minimum(row[1:] + 1, row[:-1] + (codes != int.from_bytes(code, "little")))
        # an insertion reaches any place further right at a cost of one each
        row = np.minimum.accumulate(best - places) + places
    return int(row[-1])


def plain_text(text: str) -> str:
    """The text with every run of white space as one space: line breaks are not what is read.

    Example:
        >>> plain_text(" Main\\n  Street ")
        'Main Street'
    """
    return " ".join(text.split())


@contextmanager
def _one_thread() -> Iterator[None]:
    """Tesseract's own threads slow it down on pictures of this size."""
    before = os.environ.get(_THREADS)
    os.environ[_THREADS] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ[_THREADS]
        else:
            os.environ[_THREADS] = before


class Ocr:
    r"""Tesseract's reading of a picture, scored by the character error rate.

    .. math:: \mathrm{CER} = \frac{\text{edit distance of reading and truth}}{\text{characters of the truth}}

    It can exceed 1 where marks are read as characters.

    Args:
        language: of tesseract's trained data.

    Raises:
        UsageError: tesseract, or the Python package that calls it, is not installed.
    """

    name = "ocr"
    measure = "character error rate"
    rising = False

    def __init__(self, language: str = "eng") -> None:
        try:
            import pytesseract
        except ImportError as problem:
            raise UsageError(
                f"reading text needs pytesseract. Install it in nightsharp's folder: {how_to_install('downstream')}"
            ) from problem
        if shutil.which("tesseract") is None:
            raise UsageError(
                "reading text needs the program tesseract, which is not here. Install it: apt-get install "
                "tesseract-ocr (Debian, Ubuntu), brew install tesseract (macOS), or see tesseract-ocr.github.io."
            )
        known = pytesseract.get_languages()
        if language not in known:
            raise UsageError(f"tesseract has no data for the language {language!r}; it has {', '.join(sorted(known))}.")
        self._tesseract = pytesseract
        self._language = language
        self.model = f"tesseract {pytesseract.get_tesseract_version()}, {language}, page mode {_PAGE}"

    def read(self, image: Float[Tensor, "channel height width"]) -> str:
        """The text in a picture."""
        values = (image.clamp(0, 1) * 255).round().byte().permute(1, 2, 0).cpu().numpy()
        picture = Image.fromarray(values[..., 0] if values.shape[-1] == 1 else values)
        try:
            with _one_thread():
                text = self._tesseract.image_to_string(picture, lang=self._language, config=f"--psm {_PAGE}")
        except self._tesseract.TesseractError as problem:
            raise PhotoError(
                f"tesseract cannot read a picture of {picture.width} x {picture.height}: {problem}"
            ) from problem
        return plain_text(text)

    def is_empty(self, answer: str) -> bool:
        """No text."""
        return not answer

    def compare(self, answer: str, truth: str) -> dict[str, Ratio]:
        """Edits needed, of characters."""
        return {EVERY: Ratio(edit_distance(answer, truth), len(truth))}

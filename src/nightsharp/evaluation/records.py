"""What was measured, one line of JSON for each method and image, kept as soon as it is known."""

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Record:
    """One method on one image of one set.

    Attributes:
        set: the benchmark.
        method: the method, or ``"input"`` for the blurred image itself.
        image: the image's name.
        version: of the settings, see :func:`~nightsharp.evaluation.fingerprint.settings_version`.
        group: the image's group in its set.
        known: what the method was given.
        scores: values by metric, rounded.
        error: kind and words of the failure; None when there was none.
    """

    set: str
    method: str
    image: str
    version: str
    group: str = ""
    known: str = ""
    scores: dict[str, float] = field(default_factory=dict)
    error: dict[str, str] | None = None

    @property
    def key(self) -> tuple[str, str, str, str]:
        """What makes it this record and no other."""
        return self.set, self.method, self.image, self.version

    @property
    def failure(self) -> str:
        """The failure in one line; empty when there was none."""
        return "" if self.error is None else f"{self.error['kind']}: {self.error['message']}"


class Ledger:
    """The records of a folder, appended line by line; seconds go to a file of their own.

    A line cut short by a kill is left out when the file is read again.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._records, self._seconds = folder / "records.jsonl", folder / "seconds.jsonl"
        self.done: dict[tuple[str, str, str, str], Record] = {}
        for line in _lines(self._records):
            record = Record(**line)
            self.done[record.key] = record
        self.seconds: dict[tuple[str, str, str, str], float] = {
            tuple(line["key"]): line["seconds"] for line in _lines(self._seconds)
        }

    def add(self, record: Record, seconds: float | None) -> None:
        """Keep a record."""
        self.done[record.key] = record
        _append(self._records, asdict(record))
        if seconds is not None:
            self.seconds[record.key] = seconds
            _append(self._seconds, {"key": record.key, "seconds": round(seconds, 4)})


def _lines(file: Path) -> list[dict]:
    if not file.is_file():
        return []
    found = []
    for line in file.read_text(encoding="utf-8").splitlines():
        try:
            found.append(json.loads(line))
        except json.JSONDecodeError:
            continue
    return found


def _append(file: Path, line: dict) -> None:
    # a new line first where a killed run left half of one
    torn = file.is_file() and file.stat().st_size > 0 and not _ends_a_line(file)
    with file.open("a", encoding="utf-8") as stream:
        stream.write(("\n" if torn else "") + json.dumps(line, ensure_ascii=False) + "\n")


def _ends_a_line(file: Path) -> bool:
    with file.open("rb") as stream:
        stream.seek(-1, os.SEEK_END)
        return stream.read(1) == b"\n"

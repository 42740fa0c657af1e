"""Pairs and PSFs as files, in a run that can be stopped and taken up again."""

import contextlib
import hashlib
import io
import json
import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Literal

import imagecodecs
import numpy as np
import tifffile
from torch import Tensor

from nightsharp import __version__
from nightsharp._atomic import flush_folder, write_atomically
from nightsharp.errors import PhotoError, UsageError
from nightsharp.synthesis.batches import PairBatches
from nightsharp.synthesis.lenses import lens
from nightsharp.synthesis.pairs import Pairs
from nightsharp.synthesis.seeds import generator_for
from nightsharp.synthesis.sharp_folder import SharpFolder

Progress = Callable[[str, int, int], None]
PARTS = ("sharp", "blurred", "psf", "assumed_psf")
"""The folders of a folder of pairs."""

_BATCH = 16
_SETTINGS, _MANIFEST = "recipe.json", "manifest.jsonl"
_NUMBERED = "[0-9]" * 6 + ".*"
# asked for so many files at once, a disk writes its journal once for all of them
_FLUSHED_AT_ONCE = 16


def write_pairs(
    batches: PairBatches,
    folder: Path,
    count: int,
    *,
    settings: dict[str, object],
    ending: Literal["png", "tif"] = "png",
    progress: Progress | None = None,
) -> int:
    """Write the first pairs of a stream, and go on where an earlier run stopped.

    Pair 12 becomes ``sharp/000012.png``, ``blurred/000012.png``, ``psf/000012.npy``, ``assumed_psf/000012.npy`` and a
    line of ``manifest.jsonl``, which names them with the noise. Every file is written whole or not at all; a pair
    counts once its line is there, and its line is written once its files are on the disk, so that neither ``kill -9``
    nor a power cut leaves a line without its files.

    Args:
        batches: the stream.
        folder: where to; made when missing.
        count: of pairs in the end.
        settings: what the stream was made of, JSON-ready; a run goes on only with the same, of the same photographs
            (their names and sizes) and in the same version.
        ending: ``"png"`` holds 16 bits, ``"tif"`` floats.
        progress: is told stage, pairs done and pairs wanted.

    Returns:
        How many pairs were made now.

    Raises:
        UsageError: the folder holds pairs of other settings, files of others, or a damaged list; or another run is
            writing there.
        PhotoError: the folder cannot be written.
    """
    chosen = {**settings, "format": ending, "nightsharp": __version__, "files": _names_and_sizes(batches.crops)}
    _make(folder)
    with _alone(folder):
        _agree(folder, chosen, (_MANIFEST, *(f"{part}/*" for part in PARTS)))
        for part in PARTS:
            _make(folder / part)
        listed = _listed(folder / _MANIFEST)
        done = {i for i in listed if all((folder / name).is_file() for name in _names(i, ending).values())}
        before = len(done)
        for number in range(-(-count // batches.size)):
            indices = range(number * batches.size, min(count, (number + 1) * batches.size))
            if not done.issuperset(indices):
                lines = _write_batch(batches[number], indices, folder, ending)
                _flush(folder / str(line[part]) for line in lines for part in PARTS)
                with (folder / _MANIFEST).open("a", encoding="utf-8") as manifest:
                    manifest.writelines(json.dumps(line) + "\n" for line in lines if line["index"] not in listed)
                _flush([folder / _MANIFEST])
                done.update(indices)
            if progress is not None:
                progress("making pairs", indices.stop, count)
    return len(done) - before


def write_psfs(
    kind: str,
    folder: Path,
    count: int,
    *,
    seed: int = 0,
    ending: Literal["npy", "png", "tif"] = "npy",
    progress: Progress | None = None,
) -> int:
    """Write PSFs of one kind, and go on where an earlier run stopped.

    Args:
        kind: as :func:`nightsharp.synthesis.lenses.lens` names them.
        folder: where to; made when missing.
        count: of PSFs in the end: ``000000.npy`` and on.
        seed: of the stream.
        ending: ``"npy"`` and ``"tif"`` hold them exactly, ``"png"`` in 16 bits with the peak at white.
        progress: is told stage, PSFs done and PSFs wanted.

    Returns:
        How many PSFs were made now.

    Raises:
        RecipeError: the kind is unknown.
        UsageError: the folder holds PSFs of another kind, seed or version, or numbered files of others; or another
            run is writing there.
        PhotoError: the folder cannot be written.
    """
    from nightsharp.optics import Psf

    draw = lens(kind)
    _make(folder)
    made = 0
    with _alone(folder):
        _agree(folder, {"psfs": kind, "seed": seed, "format": ending, "nightsharp": __version__}, (_NUMBERED,))
        for first in range(0, count, _BATCH):
            files = {place: folder / f"{first + place:06d}.{ending}" for place in range(min(_BATCH, count - first))}
            missing = {place: file for place, file in files.items() if not file.exists()}
            if missing:
                psfs = draw(_BATCH, generator_for(seed, "psfs", kind, first // _BATCH))
                for place, file in missing.items():
                    Psf.from_tensor(psfs[place, 0]).save(file)
            made += len(missing)
            if progress is not None:
                progress("making PSFs", first + len(files), count)
    return made


def _write_batch(pairs: Pairs, indices: range, folder: Path, ending: str) -> list[dict[str, object]]:
    lines: list[dict[str, object]] = []
    for place, index in enumerate(indices):
        names = _names(index, ending)
        for part, image in (("sharp", pairs.sharp[place]), ("blurred", pairs.blurred[place])):
            _write(folder / names[part], _picture(image, ending))
        for part, psf in (("psf", pairs.psf[place, 0]), ("assumed_psf", pairs.assumed_psf[place, 0])):
            stream = io.BytesIO()
            np.save(stream, psf.numpy())
            _write(folder / names[part], stream.getvalue())
        lines.append({"index": index, **names, "sigma": round(float(pairs.sigma[place]), 6)})
    return lines


def _names(index: int, ending: str) -> dict[str, str]:
    """The files of a pair by their part."""
    endings = (ending, ending, "npy", "npy")
    return {part: f"{part}/{index:06d}.{own}" for part, own in zip(PARTS, endings, strict=True)}


def _picture(image: Tensor, ending: str) -> bytes:
    values = image.permute(1, 2, 0).contiguous().numpy()
    if ending == "png":
        return bytes(imagecodecs.png_encode(np.round(values * 65535).astype(np.uint16), level=2))
    stream = io.BytesIO()
    tifffile.imwrite(stream, values, photometric="rgb")
    return stream.getvalue()


def _write(file: Path, content: bytes) -> None:
    """Write whole or not at all, without waiting for the disk: ``_flush`` does, for a whole batch.

    A stopped run leaves at most a hidden part, which the next one writes over.
    """
    part = file.with_name(f".{file.name}.part")
    try:
        part.write_bytes(content)
        part.replace(file)
    except OSError as problem:
        raise _unwritable(file, problem) from problem


def _flush(files: Iterable[Path]) -> None:
    """Wait until files and their names are on the disk."""
    wanted = list(files)
    with ThreadPoolExecutor(_FLUSHED_AT_ONCE) as several:
        list(several.map(_flush_file, wanted))
    for folder in {file.parent for file in wanted}:
        flush_folder(folder)


def _flush_file(file: Path) -> None:
    try:
        with file.open("r+b") as stream:  # some systems flush only what could be written to
            os.fsync(stream.fileno())
    except OSError as problem:
        raise _unwritable(file, problem) from problem


def _write_and_flush(file: Path, content: bytes) -> None:
    try:
        write_atomically(file, content, overwrite=True)
    except OSError as problem:
        raise _unwritable(file, problem) from problem


def _unwritable(file: Path, problem: OSError) -> PhotoError:
    return PhotoError(f"{file} cannot be written: {problem.strerror or problem}. Choose another place.")


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        raise PhotoError(f"the folder {folder} cannot be made: {problem.strerror}. Choose another place.") from problem


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Keep a second run out; the system lets go of the folder however this one ends."""
    if os.name != "posix":
        yield
        return
    import fcntl

    handle = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UsageError(
                f"another run is writing to {folder}. Wait until it has ended, or choose another folder."
            ) from None
        except OSError:
            pass  # some network shares lock no folders
        yield
    finally:
        os.close(handle)


def _agree(folder: Path, settings: dict[str, object], written: Iterable[str]) -> None:
    """Go on only with what was begun.

    The settings are the first file of a run: where they are missing, no file is ours.

    Args:
        folder: the files' folder.
        settings: of this run.
        written: patterns of the files that it may write.
    """
    file = folder / _SETTINGS
    if not file.exists():
        foreign = [found for pattern in written for found in folder.glob(pattern) if not found.is_dir()]
        if foreign:
            raise UsageError(
                f"{min(foreign)} is there, and no {_SETTINGS} says that nightsharp made it. Choose another folder."
            )
        _write_and_flush(file, (json.dumps(settings, indent=1) + "\n").encode())
        return
    try:
        begun = json.loads(file.read_bytes())
    except ValueError:
        begun = None
    if not isinstance(begun, dict):
        raise UsageError(f"{file} is damaged. Put it back as it was, or choose another folder.")
    other = [
        "photographs of other names or sizes" if key == "files" else f"{key}: {begun.get(key)!r}"
        for key in {**begun, **settings}
        if begun.get(key) != settings.get(key)
    ]
    if other:
        raise UsageError(
            f"{folder} was begun with other settings ({', '.join(other)}). Give the same, or another folder."
        )


def _names_and_sizes(crops: SharpFolder) -> str:
    """What tells one folder of photographs from another without reading them."""
    told = [(file.relative_to(crops.folder).as_posix(), file.stat().st_size) for file in crops.files]
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()[:16]


def _listed(manifest: Path) -> set[int]:
    """The pairs that have a line; one that a stopped run left unfinished is taken off."""
    if not manifest.exists():
        return set()
    content = manifest.read_bytes()
    whole = content[: content.rfind(b"\n") + 1]
    if whole != content:
        _write_and_flush(manifest, whole)
    listed: set[int] = set()
    for number, line in enumerate(whole.splitlines(), 1):
        try:
            listed.add(int(json.loads(line)["index"]))
        except (ValueError, TypeError, KeyError):
            raise UsageError(
                f"{manifest} is damaged in line {number}. Delete that line, and its pair is made again."
            ) from None
    return listed

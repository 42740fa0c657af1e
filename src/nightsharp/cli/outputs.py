"""Where results go, settled before any work begins."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from nightsharp._endings import ENDINGS
from nightsharp.errors import NightsharpError, PhotoError, UsageError


@dataclass(frozen=True)
class Job:
    """One photograph on its way.

    Attributes:
        photo: the input.
        output: where the result goes.
        compare: where the side-by-side goes, if wanted.
        refusal: why this one must not be done: it is no file, or its output is there already.
        left_out: why this one of several needs not be done: its result is there, or it is a result itself.
    """

    photo: Path
    output: Path
    compare: Path | None = None
    refusal: NightsharpError | None = None
    left_out: str | None = None


def plan(
    photos: Sequence[Path],
    *,
    output: str | None,
    suffix: str,
    compare: str | None,
    overwrite: bool,
    make: bool = True,
) -> list[Job]:
    """Name the outputs of all photographs.

    Args:
        photos: the inputs.
        output: a file, for one photograph; or a folder; None writes beside each input.
        suffix: goes between name and ending.
        compare: like ``output``, for the side-by-side.
        overwrite: whether existing files may be replaced.
        make: make the folders that are missing.

    Returns:
        One job per input, in their order.

    Raises:
        UsageError: two results would have one name, or a result would replace an input.

    Example:
        >>> job = plan([Path("a/street.jpg")], output=None, suffix="-sharp", compare=None, overwrite=False)[0]
        >>> job.output.as_posix()
        'a/street-sharp.jpg'
    """
    if os.sep in suffix or (os.altsep and os.altsep in suffix):
        raise UsageError(f"the suffix {suffix!r} holds a path. Use -o for the folder.")
    into = _folder(output, many=len(photos) > 1, option="-o", make=make)
    compare_into = _folder(compare, many=len(photos) > 1, option="--compare", make=make)
    jobs = []
    for photo in photos:
        unreadable = None
        if output is not None and into is None:
            target = Path(output)
        else:
            ending, unreadable = _ending(photo)
            target = (into or photo.parent) / f"{photo.stem}{suffix}{ending}"
        sheet = None
        if compare is not None:
            sheet = Path(compare) if compare_into is None else compare_into / f"{photo.stem}-compare.png"
            if sheet.suffix.lower() != ".png":
                raise UsageError(f"the side-by-side {sheet} is written as .png. Give it that ending.")
        jobs.append(Job(photo, target, sheet, unreadable or _refusal(photo, (target, sheet), overwrite)))
    if len(jobs) > 1 and not overwrite:
        makers = {_identities(job.output)[0]: job for job in jobs}
        jobs = [replace(job, left_out=_left_out(job, makers)) for job in jobs]
    check_jobs(jobs)
    return jobs


def expanded(photos: Sequence[Path]) -> list[Path]:
    """Photographs by name; a pattern that the shell left as it was, as Windows does, becomes the files it fits.

    Raises:
        UsageError: a pattern fits no file.

    Example:
        >>> [photo.as_posix() for photo in expanded([Path("street.jpg")])]
        ['street.jpg']
    """
    found: list[Path] = []
    for photo in photos:
        if not any(sign in str(photo) for sign in "*?[") or os.path.lexists(photo):
            found.append(photo)
            continue
        fitting = sorted(Path(photo.anchor).glob(str(photo.relative_to(photo.anchor))))
        if not fitting:
            raise UsageError(f"no file fits {photo}. Check the folder and the ending.")
        found += fitting
    return found


def check_jobs(jobs: Sequence[Job], *, also_read: Sequence[Path] = (), also_written: Sequence[Path] = ()) -> None:
    """Refuse results that meet each other or an input.

    Raises:
        UsageError: the message names the two.
    """
    written = [file for job in jobs if job.left_out is None for file in (job.output, job.compare) if file is not None]
    check_distinct([*(job.photo for job in jobs), *also_read], [*also_written, *written])


def _left_out(job: Job, makers: Mapping[object, Job]) -> str | None:
    maker = makers.get(_identities(job.photo)[0])
    if maker is not None and maker is not job:
        return f"it is the result of {maker.photo}"
    try:
        there = job.photo.is_file() and job.output.is_file()
    except OSError:  # said by the refusal
        there = False
    return f"{job.output} exists already; --overwrite makes it anew" if there else None


def check_distinct(inputs: Sequence[Path], outputs: Sequence[Path]) -> None:
    """Refuse outputs that meet each other or an input.

    Raises:
        UsageError: the message names the two.
    """
    given = {identity: file for file in inputs for identity in _identities(file)}
    taken: set[object] = set()
    for file in outputs:
        for identity in _identities(file):
            if identity in given:
                raise UsageError(
                    f"{file} would be written over the input {given[identity]}. Choose another name (-o, --suffix)."
                )
        name = _identities(file)[0]
        if name in taken:
            raise UsageError(f"two results would be written to {file}. Give them different folders or names.")
        taken.add(name)


def check_writable(file: Path | None, *, overwrite: bool) -> None:
    """Stop when a file could not be written in the end, or is there already and may not be replaced.

    Raises:
        UsageError: it exists, is a folder, or its folder is missing or closed.
    """
    if file is None:
        return
    if file.is_dir():
        raise UsageError(f"{file} is a folder. Give the name of a file.")
    if not overwrite and os.path.lexists(file):
        raise UsageError(f"{file} exists already. Use --overwrite to replace it, or choose another name.")
    if not file.parent.is_dir():
        raise UsageError(f"the folder {file.parent} does not exist. Create it, or choose another.")
    if not os.access(file.parent, os.W_OK):
        raise UsageError(f"the folder {file.parent} cannot be written. Choose another.")


def _ending(photo: Path) -> tuple[str, NightsharpError | None]:
    """The ending of a photograph's result, and what is wrong with a file whose own ending says nothing."""
    ending, known = photo.suffix, ENDINGS.get(photo.suffix.lower())
    if known is None:
        from nightsharp.photo.magic import HEAD, sniff

        try:
            with photo.open("rb") as file:
                known = sniff(photo.name, file.read(HEAD))
        except NightsharpError as problem:
            return ending, problem
        except OSError:  # said by the refusal
            return ending, None
        ending = next(usual for usual, name in ENDINGS.items() if name == known)
    # a camera's raw file can be read but not written; TIFF holds its depth
    return ".tif" if known == "raw" else ending, None


def _refusal(photo: Path, outputs: Sequence[Path | None], overwrite: bool) -> NightsharpError | None:
    try:
        if not photo.is_file():
            what = "is a folder; give its files" if photo.is_dir() else "there is no such file. Check the path"
            return PhotoError(f"{photo}: {what}.")
        for file in outputs:
            check_writable(file, overwrite=overwrite)
    except UsageError as problem:
        return problem
    except OSError as problem:  # a name too long for the disk, a folder that may not be looked into
        return PhotoError(f"{photo}: {problem.strerror}. Give the result another name (-o), or check the folder.")
    return None


def _folder(place: str | None, *, many: bool, option: str, make: bool) -> Path | None:
    """The folder meant by an option; None when it names a file, or nothing."""
    if place is None:
        return None
    ends_as_folder = place.endswith(("/", os.sep))
    folder = Path(place)
    if not (many or ends_as_folder or folder.is_dir()):
        return None
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{option} {place} is a file; for several photos, or with a / at its end, it is a folder.")
    if not ends_as_folder and folder.suffix.lower() in ENDINGS and not folder.is_dir():
        raise UsageError(f"{option} {place} is one file for several photos. Name a folder, with a / at its end.")
    if not make:
        return folder
    make_folder(folder)
    return folder


def make_folder(folder: Path) -> None:
    """Make a folder that is missing, with those above it.

    Raises:
        UsageError: it cannot be made, or is a file.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        raise UsageError(f"the folder {folder} cannot be created: {problem.strerror}. Choose another.") from problem


def _identities(file: Path) -> list[object]:
    """What makes a file itself: its resolved name, and its place on the disk when it exists."""
    found: list[object] = [os.path.normcase(file.resolve())]
    try:
        status = file.stat()
    except OSError:
        return found
    return [*found, (status.st_dev, status.st_ino)] if status.st_ino else found

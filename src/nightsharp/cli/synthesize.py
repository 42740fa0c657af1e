"""The verbs ``synthesize pairs`` and ``synthesize psfs``."""

import json as json_format
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from nightsharp.cli.progress import Bars
from nightsharp.errors import RecipeError, UsageError

_BATCH = 16


def pairs(
    source: Path,
    destination: Path,
    /,
    *,
    recipe: str = "night",
    count: Annotated[int, Parameter(name=("--count", "-n"))] = 1000,
    size: int = 256,
    seed: int = 0,
    setting: Annotated[tuple[str, ...], Parameter(name="--set", negative=())] = (),
    format: Literal["png", "tif"] = "png",  # noqa: A002 - the option's name
    json: Annotated[bool, Parameter(negative=())] = False,
) -> None:
    """Make pairs of sharp and blurred images with their PSFs; a run that was stopped goes on where it was.

    Args:
        source: the folder of sharp photographs.
        destination: the folder for the pairs.
        recipe: night (everything mixed), dwdn, infwide or exdark.
        count: pairs in the end.
        size: side of the images, pixels.
        seed: pair i depends on it and on i alone.
        setting: of the recipe, as KEY=VALUE: largest_psf (night), gain (infwide), noise (dwdn).
        format: png holds 16 bits, tif floats.
        json: print one JSON document on stdout, and nothing else there.
    """
    if count < 1 or size < 1:
        raise UsageError(f"--count {count} --size {size}: both must be at least 1.")
    chosen = dict(map(_setting, setting))
    with Bars(True) as bars:
        bars.about(recipe)
        bars.advance("starting", 0, 1)
        from nightsharp.synthesis import PairBatches, SharpFolder, pipeline
        from nightsharp.synthesis.dump import PARTS, write_pairs

        maker = pipeline(recipe, **chosen)
        _check_apart(source, destination, PARTS)
        crops = SharpFolder(source, maker.source_side(size), seed)
        batches = PairBatches(crops, maker, size=_BATCH, count=-(-count // _BATCH), seed=seed)
        settings: dict[str, object] = {"recipe": recipe, "settings": chosen, "size": size, "seed": seed}
        settings["photographs"] = len(crops)
        made = write_pairs(batches, destination, count, settings=settings, ending=format, progress=bars.advance)
    if json:
        document = {"destination": str(destination), "pairs": count, "made": made, **settings, "notes": crops.notes}
        print(json_format.dumps(document, ensure_ascii=False))
        return
    print(f"{source} -> {destination}   {count} pairs of {size} x {size}, {made} made now")
    print(f"recipe: {recipe}, seed {seed}, {len(crops)} photographs")
    for note in crops.notes:
        print(f"note: {note}")


def psfs(
    destination: Path,
    /,
    *,
    kind: str = "every",
    count: Annotated[int, Parameter(name=("--count", "-n"))] = 100,
    seed: int = 0,
    format: Literal["npy", "png", "tif"] = "npy",  # noqa: A002 - the option's name
    json: Annotated[bool, Parameter(negative=())] = False,
) -> None:
    """Make random PSFs; a run that was stopped goes on where it was.

    Args:
        destination: the folder for the PSFs.
        kind: every (all kinds, 61 x 61), rotating (INFWIDE's), markovian (DeblurGAN's) or motion (dwdn's).
        count: PSFs in the end.
        seed: PSF i depends on it and on i alone.
        format: npy and tif hold them exactly, png shows them.
        json: print one JSON document on stdout, and nothing else there.
    """
    if count < 1:
        raise UsageError(f"--count {count}: give at least 1.")
    with Bars(True) as bars:
        bars.about(kind)
        bars.advance("starting", 0, 1)
        from nightsharp.synthesis.dump import write_psfs

        made = write_psfs(kind, destination, count, seed=seed, ending=format, progress=bars.advance)
    if json:
        document = {"destination": str(destination), "psfs": count, "made": made, "kind": kind, "seed": seed}
        print(json_format.dumps(document, ensure_ascii=False))
        return
    print(f"{destination}   {count} PSFs of kind {kind}, seed {seed}, {made} made now")


def _check_apart(source: Path, destination: Path, parts: tuple[str, ...]) -> None:
    """Refuse to write among the photographs."""
    photographs = source.resolve()
    if destination.resolve().is_relative_to(photographs):
        raise UsageError(f"{destination} lies inside the sharp photographs. Choose a folder elsewhere.")
    for part in parts:
        place = (destination / part).resolve()
        if place.is_relative_to(photographs) or photographs.is_relative_to(place):
            raise UsageError(
                f"the photographs in {source} lie where pairs are written ({destination / part}). "
                "Choose a folder elsewhere."
            )


def _setting(word: str) -> tuple[str, float]:
    """One KEY=VALUE."""
    key, equals, value = word.partition("=")
    try:
        return key, float(value)
    except ValueError:
        what = f"the value {value!r} is no number" if equals else "the = is missing"
        raise RecipeError(f"--set {word}: {what}. Write for instance --set largest_psf=31.") from None

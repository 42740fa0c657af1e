"""The verb ``align``."""

import json as json_format
import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from nightsharp._endings import ENDINGS
from nightsharp.cli.failures import describe_failure, exit_code, say_failure
from nightsharp.cli.outputs import check_distinct, check_writable, make_folder
from nightsharp.cli.progress import Bars
from nightsharp.errors import PhotoError, UsageError

if TYPE_CHECKING:
    from torch import Tensor

    from nightsharp.photo import Photo
    from nightsharp.synthesis.pairing import AlignedPair


def align(
    sharp: Path,
    blurred: Path,
    /,
    *,
    output: Annotated[Path, Parameter(name=("--output", "-o"))] = Path("pairs"),
    overwrite: Annotated[bool, Parameter(negative=())] = False,
    json: Annotated[bool, Parameter(negative=())] = False,
) -> int:
    """Make pairs of two shots of one scene: warp the sharp one onto the blurred one, match its brightness, cut both.

    Args:
        sharp: a photograph from a tripod, or a folder of them.
        blurred: the photograph of the same scene with blur, or a folder; files of one name before the ending are pairs.
        output: the folder for sharp/NAME.png and blurred/NAME.png, 16 bits.
        overwrite: replace pairs that exist already.
        json: print one JSON document on stdout, and nothing else there.
    """
    couples = _couples(sharp, blurred)
    targets = {
        shot: (output / "sharp" / f"{shot.stem}.png", output / "blurred" / f"{shot.stem}.png") for _, shot in couples
    }
    check_distinct([file for couple in couples for file in couple], [file for two in targets.values() for file in two])
    for folder in (output / "sharp", output / "blurred"):
        make_folder(folder)
    rows: list[dict[str, object]] = []
    worst = 0
    stopped: KeyboardInterrupt | None = None
    with Bars(True) as bars:
        bars.about("align")
        for number, (still, shot) in enumerate(couples):
            bars.advance("aligning", number, len(couples))
            row: dict[str, object] = {"sharp": str(still), "blurred": str(shot)}
            try:
                for file in targets[shot]:
                    check_writable(file, overwrite=overwrite)
                row |= _align_one(still, shot, targets[shot], overwrite=overwrite)
            except KeyboardInterrupt as stop:
                # what is done is done, and is told
                stopped = stop
                break
            except Exception as problem:
                row["error"] = describe_failure(problem)
                worst = max(worst, exit_code(problem))
                bars.pause()
                say_failure(problem, f"{still.name} and {shot.name}")
            else:
                bars.pause()
                if not json:
                    _say(row)
            rows.append(row)
    if json:
        done = sum("error" not in row for row in rows)
        document = {"output": str(output), "done": done, "failed": len(rows) - done, "pairs": rows}
        print(json_format.dumps(document, ensure_ascii=False))
    if stopped is not None:
        raise stopped
    return worst


def _couples(sharp: Path, blurred: Path) -> list[tuple[Path, Path]]:
    """Which files belong together."""
    if sharp.is_file() and blurred.is_file():
        return [(sharp, blurred)]
    for place in (sharp, blurred):
        if not place.exists():
            raise PhotoError(f"{place}: there is no such file or folder. Check the path.")
    if sharp.is_file() or blurred.is_file():
        raise UsageError(f"{sharp} and {blurred}: give two photographs, or two folders.")
    stills, shots = _by_name(sharp), _by_name(blurred)
    both = sorted(stills.keys() & shots.keys())
    if not both:
        raise PhotoError(f"{sharp} and {blurred} have no file name in common. Name the shots of one scene alike.")
    for name in sorted(stills.keys() ^ shots.keys()):
        print(f"nightsharp: {(stills.get(name) or shots[name]).name} has no partner and is left out", file=sys.stderr)
    return [(stills[name], shots[name]) for name in both]


def _by_name(folder: Path) -> dict[str, Path]:
    """The photographs of a folder by their name before the ending; what else lies beside them is passed over."""
    found: dict[str, Path] = {}
    for file in sorted(folder.iterdir()):
        if file.suffix.lower() not in ENDINGS or file.name.startswith(".") or not file.is_file():
            continue
        if file.stem in found:
            raise UsageError(f"{found[file.stem]} and {file} have one name. Leave one of them in the folder.")
        found[file.stem] = file
    return found


def _align_one(still: Path, shot: Path, targets: tuple[Path, Path], *, overwrite: bool) -> dict[str, object]:
    from nightsharp.photo import read_photo
    from nightsharp.synthesis.pairing import align_pair

    photo = read_photo(shot)
    pair = align_pair(read_photo(still).pixels, photo.pixels)
    new = [file for file in targets if not os.path.lexists(file)]
    saved = 0
    try:
        for pixels, file in zip((pair.sharp, pair.blurred), targets, strict=True):
            _as_sixteen_bits(photo, pixels).save(file, overwrite=overwrite)
            saved += 1
    except BaseException as problem:
        # half a pair is none; a save that failed left nothing, one that was stopped may have come to its end
        reached = saved if isinstance(problem, Exception) else saved + 1
        for file in targets[:reached]:
            if file in new:
                file.unlink(missing_ok=True)
        raise
    return _report(pair) | {"outputs": [str(file) for file in targets]}


def _as_sixteen_bits(photo: "Photo", pixels: "Tensor") -> "Photo":
    from nightsharp.photo import Photo, ToneCurve

    # PNG says no curve of its own here: the profile's, else sRGB
    icc = photo.meta.icc if photo.meta.icc and photo.meta.icc[16:20] != b"GRAY" else None
    meta = replace(
        photo.meta,
        format="png",
        depth=16,
        floating=False,
        grey=False,
        icc=icc,
        curve=photo.meta.curve if icc else ToneCurve.srgb(),
        light="display",
        encoding={},
        exif=None,
        xmp=None,
    )
    return Photo(pixels, None, meta)


def _report(pair: "AlignedPair") -> dict[str, object]:
    return {
        "box": list(pair.box),
        "homography": pair.homography.tolist(),
        "gain": list(pair.gain),
        "offset": list(pair.offset),
        "matches": pair.matches,
        "inliers": pair.inliers,
        "explained": pair.explained,
        "residual": pair.residual,
        "blur": pair.blur,
    }


def _say(row: dict[str, object]) -> None:
    from typing import cast

    _, _, height, width = cast(list[int], row["box"])
    first, second = cast(list[str], row["outputs"])
    print(f"{row['sharp']} + {row['blurred']} -> {first} + {second}   {width} x {height}")
    print(
        f"features: {row['inliers']} of {row['matches']} agree; edges explained: {row['explained']:.0%}; "
        f"left over: {row['residual']:.4f} rms; blur about {row['blur']} px"
    )

"""Sets that are folders of pairs, each with its own names."""

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from nightsharp._endings import photographs_below
from nightsharp.evaluation.benchmarks.pair import Pair, Sample, read_image
from nightsharp.optics import Blur, Psf
from nightsharp.synthesis.seeds import generator_for
from nightsharp.synthesis.trajectories import markovian_psfs


def paired(
    blurred: Path, sharp: Path, psfs: Path | None = None, truth_of: Callable[[Path], Path] = lambda path: path
) -> list[Sample]:
    """Pictures of one folder with those at the same place in another; the endings may differ.

    Args:
        blurred: the folder of blurred pictures.
        sharp: the folder of truths.
        psfs: a folder of PSFs of the same names, if there is one.
        truth_of: the truth's place for the blurred picture's place, both relative.
    """
    truths = {file.relative_to(sharp).with_suffix(""): file for file in photographs_below(sharp)}
    kernels = {} if psfs is None else {f.relative_to(psfs).with_suffix(""): f for f in sorted(psfs.rglob("*.*"))}
    samples = []
    for file in photographs_below(blurred):
        place = file.relative_to(blurred).with_suffix("")
        truth, kernel = truths.get(truth_of(place)), kernels.get(place)
        if truth is not None:
            group = place.parts[0] if len(place.parts) > 1 else ""
            files = (file, truth) if kernel is None else (file, truth, kernel)
            samples.append(Sample("_".join(place.parts), _loader(file, truth, kernel), group, files))
    return samples


def _loader(file: Path, truth: Path, kernel: Path | None) -> Callable[[], Pair]:
    return lambda: Pair(read_image(file), read_image(truth), None if kernel is None else Psf.load(kernel))


def plain(folder: Path, _seed: int) -> list[Sample]:
    """``blurred/`` and ``sharp/`` with the same names; ``psf/`` beside them is optional."""
    psfs = folder / "psf"
    return paired(folder / "blurred", folder / "sharp", psfs if psfs.is_dir() else None)


def nightshot(folder: Path, _seed: int) -> list[Sample]:
    """The pre-rendered pairs of INFWIDE: ``blur_kc8/``, ``gt/``, ``kernel/``; blur is circular."""
    return paired(folder / "blur_kc8", folder / "gt", folder / "kernel")


def gopro(folder: Path, _seed: int) -> list[Sample]:
    """``test/<sequence>/blur/*.png`` beside ``sharp/``."""
    found = []
    for sequence in sorted(path for path in (folder / "test").iterdir() if (path / "blur").is_dir()):
        pairs = paired(sequence / "blur", sequence / "sharp")
        found += [replace(sample, name=f"{sequence.name}_{sample.name}", group=sequence.name) for sample in pairs]
    return found


def realblur(folder: Path, _seed: int) -> list[Sample]:
    """``scene*/blur/blur_N.png`` beside ``gt/gt_N.png``; the official test list is used where it lies beside."""
    scenes = sorted(path for path in folder.iterdir() if (path / "blur").is_dir())
    lists = [*folder.glob("RealBlur_*_test_list.txt"), *folder.parent.glob(f"RealBlur_{_kind(folder)}_test_list.txt")]
    listed = {Path(line.split()[-1]).parts[-3] for line in lists[0].read_text().splitlines() if line} if lists else None
    found = []
    for scene in scenes:
        if listed is None or scene.name in listed:
            pairs = paired(
                scene / "blur",
                scene / "gt",
                truth_of=lambda path: path.with_name(path.name.replace("blur", "gt", 1)),
            )
            found += [replace(sample, name=f"{scene.name}_{sample.name}", group=scene.name) for sample in pairs]
    return found


def _kind(folder: Path) -> str:
    """J (camera JPEG) or R (raw)."""
    return "R" if "-R" in folder.name else "J"


def reds(folder: Path, _seed: int) -> list[Sample]:
    """``val/val_blur/<sequence>/*.png`` beside ``val_sharp``."""
    return paired(folder / "val" / "val_blur", folder / "val" / "val_sharp")


def lol_blur(folder: Path, _seed: int) -> list[Sample]:
    """``test/low_blur/<sequence>/*.png`` beside ``high_sharp_scaled``: the truth is brighter as well as sharper."""
    return paired(folder / "test" / "low_blur", folder / "test" / "high_sharp_scaled")


def darkshake(folder: Path, _seed: int) -> list[Sample]:
    """``blur/`` beside ``sharp/``: two phones, one on a tripod; parallax and colour differ a little in the truth."""
    return paired(folder / "blur", folder / "sharp")


def exdark(folder: Path, seed: int) -> list[Sample]:
    """Low-light photographs blurred along random camera trajectories; the photograph itself is the truth.

    The paper's list of 563 test photographs is not published: a ``test.txt`` (one path a line) names the test split,
    else all photographs count. Its generator wraps no border and rescales the brightness; ours replicates the
    border and keeps the brightness.
    """
    chosen = folder / "test.txt"
    names = chosen.read_text().split("\n") if chosen.is_file() else None
    files = photographs_below(folder) if names is None else [folder / name.strip() for name in names if name.strip()]

    def sample(file: Path) -> Sample:
        def load() -> Pair:
            sharp = read_image(file)
            psf = Psf.from_tensor(markovian_psfs(1, generator=generator_for(seed, "exdark", file.name))[0, 0]).trim(0)
            blurred = Blur(psf, "replicate")(sharp[None])[0]
            return Pair((blurred.clamp(0, 1) * 255).round() / 255, sharp, psf)

        return Sample("_".join(file.relative_to(folder).with_suffix("").parts), load, file.parent.name, (file,))

    return [sample(file) for file in files]


_BLURRY = re.compile(r"Blurry(\d+)_(\d+)$")


def koehler(folder: Path, _seed: int) -> list[Sample]:
    """4 images x 12 recorded shakes; each has about 199 truths, one for each position of the camera."""
    truths: dict[tuple[str, str], list[tuple[int, Path]]] = {}
    for file in photographs_below(folder):
        if match := re.match(r"GroundTruth(\d+)_(\d+)_(\d+)$", file.stem):
            truths.setdefault((match[1], match[2]), []).append((int(match[3]), file))

    def sample(file: Path, image: str, shake: str) -> Sample:
        files = [truth for _, truth in sorted(truths[image, shake])]
        middle = files[len(files) // 2]

        def load() -> Pair:
            rest = tuple(truth for truth in files if truth != middle)
            return Pair(read_image(file), read_image(middle), more_truths=rest)

        return Sample(file.stem, load, f"shake {shake}", (file, *files))

    matches = [(file, match) for file in photographs_below(folder) if (match := _BLURRY.match(file.stem))]
    return [sample(file, m[1], m[2]) for file, m in matches if (m[1], m[2]) in truths]

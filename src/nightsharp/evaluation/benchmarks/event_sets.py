"""Frames with the events recorded during their exposure."""

from collections.abc import Callable
from pathlib import Path

from nightsharp.evaluation.benchmarks.pair import Pair, Sample, read_image

_EVENTS = (".npy", ".npz", ".aedat4", ".h5", ".hdf5", ".txt", ".mat")


def synthetic(colour: bool) -> Callable[[Path, int], list[Sample]]:
    """Zhou et al.'s test set: frames in ``share`` and ``subnetwork2``, events in ``others/events``; linear light."""

    def read(folder: Path, _seed: int) -> list[Sample]:
        blurred = folder / ("subnetwork2/RGB_blur" if colour else "share/APS_blur")
        return with_events(blurred, folder / "others" / "events", folder / "subnetwork2" / ("RGB" if colour else "APS"))

    return read


def real(colour: bool) -> Callable[[Path, int], list[Sample]]:
    """Zhou et al.'s recordings: frames and voxel grids of the same names, no truth; linear light."""

    def read(folder: Path, _seed: int) -> list[Sample]:
        return with_events(folder / ("RGB_blur" if colour else "APS_blur"), folder / "events_voxel_grid", None)

    return read


def beside(folder: Path, _seed: int) -> list[Sample]:
    """Frames ``*.png`` with ``*.npz`` (t_us, x, y, p) of the same name beside them, no truth."""
    return with_events(folder, folder, None)


def with_events(frames: Path, events: Path, truths: Path | None) -> list[Sample]:
    """Each frame with the event file, and the truth, of its name; a frame without events is left out."""
    recordings = {file.stem: file for file in sorted(events.iterdir()) if file.suffix in _EVENTS}

    def sample(frame: Path) -> Sample:
        truth, recording = None if truths is None else truths / frame.name, recordings[frame.stem]

        def load() -> Pair:
            return Pair(read_image(frame), None if truth is None else read_image(truth), events=recording)

        return Sample(frame.stem, load, files=(frame, recording) if truth is None else (frame, truth, recording))

    return [sample(frame) for frame in sorted(frames.glob("*.png")) if frame.stem in recordings]

"""Small bright blobs on dark ground: the lamps of a night photograph, each with the trail that the blur made of it."""

from dataclasses import dataclass

import numpy as np
import scipy.ndimage
import torch
from jaxtyping import Float
from torch import Tensor

from nightsharp.optics import Psf, estimate_sigma

LARGEST_SIDE = 101
_SMALLEST_SIDE = 4
# Levels fall from the brightest pixel; a blob keeps the lowest level at which it still stands alone.
_HIGHEST, _FALL, _LEVELS = 0.9, 0.75, 14
# A blob seen at a level above this part of its peak may be only the head of a trail; below the other, it has a halo.
_HEAD, _HALO = 0.35, 0.05
# A lower level is the same blob unless it covers this much more.
_GROWN = 1.4
_NOISES = 6.0
# What surrounds a blob may be this bright, in parts of its peak above the ground, and the ground in parts of the peak.
_AROUND, _GROUND = 0.35, 0.5
# Taps below this part of the peak belong to the ground.
_FAINT = 0.03
# A channel in which a lamp is dimmer than this part of its brightest channel is mostly noise.
_DIM_CHANNEL = 0.15
_ROOM = 2
_CELL, _CELLS, _DARKEST = 8, 15, 30
_NEIGHBOURS = np.ones((3, 3))

Box = tuple[int, int, int, int]
"""Left, top, width, height in pixels."""


@dataclass(frozen=True, eq=False)
class Trail:
    """A blob that may be the trail of a lamp.

    Attributes:
        box: where it lies.
        kernel: its light above the ground, sum 1, centroid in the middle, odd sides.
        clipped: part of its pixels that the sensor cut off, in the channel that was taken.
    """

    box: Box
    kernel: Float[Tensor, "h w"]
    clipped: float


def find_trails(photo: Float[Tensor, "channel height width"], clip: float, most: int) -> list[Trail]:
    """The blobs that stand alone on dark ground, brightest first.

    Args:
        photo: range [0, 1], best in linear light.
        clip: the value from which a pixel counts as saturated.
        most: how many at most.

    Returns:
        At most ``most`` trails; one lamp may give several, cut at different levels.
    """
    values = photo.numpy()
    light = values.mean(0)
    height, width = light.shape
    above = light - _ground(light)
    top, noise = float(above.max()), float(estimate_sigma(photo[None]).mean())
    blobs: dict[tuple[int, int], list[tuple[Box, np.ndarray, float]]] = {}
    for level in (_HIGHEST * top * _FALL**step for step in range(_LEVELS)):
        if level <= _NOISES * noise:
            break
        labels = _labelled(above > level)
        for number, (rows, columns) in enumerate(scipy.ndimage.find_objects(labels), 1):
            sides = (rows.stop - rows.start, columns.stop - columns.start)
            on_the_edge = min(rows.start, columns.start, height - rows.stop, width - columns.stop) == 0
            if on_the_edge or not _SMALLEST_SIDE <= max(sides) <= LARGEST_SIDE:
                continue
            mask = labels[rows, columns] == number
            inside = np.where(mask, above[rows, columns], 0)
            place, peak = int(inside.argmax()), float(inside.max())
            if not _HALO * peak <= level <= _HEAD * peak:
                continue
            at = (rows.start + place // sides[1], columns.start + place % sides[1])
            blobs.setdefault(at, []).append(((columns.start, rows.start, sides[1], sides[0]), mask, peak))
    found: list[tuple[float, Trail]] = []
    for levels in blobs.values():
        area = np.inf
        for box, mask, peak in reversed(levels):
            if mask.sum() * _GROWN > area:
                continue
            area = float(mask.sum())
            trail = cut_trail(values, box, mask, clip)
            if trail is not None:
                found.append((peak * (1 - trail.clipped), trail))
    found.sort(key=lambda pair: -pair[0])
    return [trail for _, trail in found[:most]]


def largest_blob(inside: np.ndarray, level: float) -> np.ndarray | None:
    """The connected pixels above a level that hold the most light."""
    labels = _labelled(inside > level)
    if not labels.any():
        return None
    light = np.bincount(labels.flat, weights=np.where(labels > 0, inside, 0).flat)
    return labels == int(light.argmax())


def cut_trail(values: np.ndarray, box: Box, mask: np.ndarray, clip: float) -> Trail | None:
    """Cut a blob out of a photograph ``(channel, height, width)`` as a kernel.

    The channel that is clipped least is taken, and among equals the brightest: a lamp that is white in red may have
    drawn its trail in blue. The ground is the median around the blob.

    Returns:
        The trail, or None where the ground is not dark or not even.
    """
    left, top, width, height = box
    rows = slice(max(0, top - _ROOM), min(values.shape[1], top + height + _ROOM))
    columns = slice(max(0, left - _ROOM), min(values.shape[2], left + width + _ROOM))
    blob = np.zeros((rows.stop - rows.start, columns.stop - columns.start), dtype=bool)
    blob[top - rows.start :, left - columns.start :][:height, :width] = mask
    near = np.asarray(scipy.ndimage.binary_dilation(blob, _NEIGHBOURS), dtype=bool)
    patch = values[:, rows, columns]
    peaks = patch[:, blob].max(1)
    clipped = (patch[:, blob] >= clip).mean(1).round(2)
    usable = [c for c in np.lexsort((-peaks, clipped)) if peaks[c] > _DIM_CHANNEL * peaks.max()]
    if near.all() or not usable:
        return None
    around = patch[usable[0]][~near]
    ground = float(np.median(around))
    peak = float(peaks[usable[0]]) - ground
    if peak <= 0 or ground > _GROUND * peak or np.quantile(around, 0.8) - ground > _AROUND * peak:
        return None
    kernel = np.where(near, patch[usable[0]] - ground, 0)
    kernel = np.where(kernel < _FAINT * peak, 0, kernel)
    psf = Psf.from_tensor(torch.from_numpy(kernel.astype(np.float32))).centred()
    return Trail(box, psf.kernel, float(clipped[usable[0]]))


def _labelled(mask: np.ndarray) -> np.ndarray:
    labels, _ = scipy.ndimage.label(mask, structure=_NEIGHBOURS)  # pyright: ignore[reportGeneralTypeIssues, reportAssignmentType]
    return labels


def _ground(light: np.ndarray) -> np.ndarray:
    """What the scene looks like without its lamps: a low percentile over about a hundred pixels."""
    height, width = light.shape
    rows, columns = max(1, height // _CELL), max(1, width // _CELL)
    cells = light[: rows * _CELL, : columns * _CELL]
    small = np.median(cells.reshape(rows, cells.shape[0] // rows, columns, cells.shape[1] // columns), axis=(1, 3))
    dark = scipy.ndimage.percentile_filter(small, _DARKEST, size=(min(_CELLS, rows), min(_CELLS, columns)))
    whole = np.asarray(scipy.ndimage.zoom(np.asarray(dark), (height / rows, width / columns), order=1))
    return whole[:height, :width]

"""Is one picture made of another: compressed again, scaled, grey, mirrored, turned, blurred, or cut out of it?"""

import math
import warnings
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Float32
from PIL import Image, ImageOps
from scipy import fft, ndimage
from skimage.feature import SIFT, match_descriptors
from skimage.measure import ransac
from skimage.transform import AffineTransform, warp

_SMALL = 32
_BITS = 8
_SIDE = 384
_FEATURES = 256
_ROOM = 32
# two pictures of different things have 32 of 64 bits apart, give or take 4
_NEAR = 14
_SAME = 0.93
# features nearer than this, in radians, may be of one thing; so many of them are worth a closer look
_ALIKE = 0.35
_WORTH_A_LOOK = 6
_RATIO = 0.8
_AGREEING = 6
_PIXELS_OFF = 3.0
# in area; a map that crushes a picture makes anything alike
_SCALED = 16
_SAME_PART = 0.8
_SMOOTH = 1.5
_LEAST_SHARE = 0.05
_FLAT = 1 / 255


@dataclass(frozen=True)
class Look:
    """What is kept of a picture to know it again.

    Attributes:
        grey: the picture, at most 384 pixels long, [0, 1].
        small: 32 x 32, mean 0 and norm 1, in its eight orientations; zero for a flat picture.
        bits: the perceptual hash of each orientation.
    """

    grey: Float32[np.ndarray, "height width"]
    small: Float32[np.ndarray, "8 1024"]
    bits: Bool[np.ndarray, "8 64"]

    @property
    def places(self) -> Float[np.ndarray, "found 2"]:
        """(row, column) of the features, the widest first, at most 256."""
        return self._found[0]

    @property
    def features(self) -> Float32[np.ndarray, "256 128"]:
        """SIFT descriptors, norm 1; rows of zeros up to 256."""
        return self._found[1]

    @cached_property
    def _found(self) -> tuple[np.ndarray, np.ndarray]:
        return _features(self.grey)

    def mirrored(self) -> "Look":
        """The picture's mirror image; SIFT is blind to turns, not to mirrors."""
        return look(self.grey[:, ::-1])


class Likeness(NamedTuple):
    """Why a picture is held to be made of another.

    Attributes:
        way: ``"whole"`` by its hash, ``"part"`` by features that agree.
        correlation: normalised cross-correlation of the two, laid over each other.
        bits_apart: of the 64 of the hash, in the best orientation.
        features: that agree on one affine map; 0 for ``"whole"``.
        share: of the picture that lies in the other one.
    """

    way: str
    correlation: float
    bits_apart: int
    features: int
    share: float


def open_look(file: Path | BinaryIO) -> Look:
    """The look of a picture file, upright, grey."""
    with Image.open(file) as picture:
        upright = ImageOps.exif_transpose(picture)
        grey = upright.convert("RGB").convert("L") if upright.mode != "L" else upright.copy()
    grey.thumbnail((_SIDE, _SIDE), Image.Resampling.LANCZOS)
    return look(np.asarray(grey, dtype=np.float32) / 255)


def look(grey: Float32[np.ndarray, "height width"]) -> Look:
    r"""The look of a grey picture.

    The hash is :math:`b_{uv} = [\,C_{uv} > \mathrm{median}\, C\,]` of the 8 x 8 lowest DCT coefficients C of the
    picture at 32 x 32.

    Source: Zauner, "Implementation and benchmarking of perceptual image hash functions", 2010; Lowe, IJCV 2004.
    """
    tiny = np.asarray(Image.fromarray(grey).resize((_SMALL, _SMALL), Image.Resampling.BOX), dtype=np.float32)
    turned = np.stack([np.rot90(way, turns) for way in (tiny, tiny[:, ::-1]) for turns in range(4)])
    low = np.asarray(fft.dctn(turned, axes=(1, 2), norm="ortho"))[:, :_BITS, :_BITS].reshape(8, -1)
    centred = (turned - turned.mean()).reshape(8, -1)
    spread = float(tiny.std()) * _SMALL
    small = centred / spread if spread > _FLAT * _SMALL else np.zeros_like(centred)
    return Look(grey, small.astype(np.float32), low > np.median(low, axis=1, keepdims=True))


def whole(one: Look, other: Look) -> Likeness | None:
    """How alike two pictures are as wholes, in any orientation; None when they are not."""
    apart = int((one.bits != other.bits[0]).sum(1).min())
    correlation = float((one.small @ other.small[0]).max())
    if apart > _NEAR or correlation < _SAME:
        return None
    return Likeness("whole", round(correlation, 3), apart, 0, 1.0)


def near(features: Float32[np.ndarray, "256 128"], all_features: Float32[np.ndarray, "pictures 256 128"]) -> np.ndarray:
    """In which pictures at least six features of one have a near one."""
    closest = (features @ all_features.reshape(-1, features.shape[1]).T).reshape(len(features), -1, _FEATURES).max(2)
    return np.flatnonzero((closest > math.cos(_ALIKE)).sum(0) >= _WORTH_A_LOOK)


def part(one: Look, other: Look) -> Likeness | None:
    """How much of a picture lies in another, which it may be a part of, or the other of it; None when nothing does."""
    count, others = len(one.places), len(other.places)
    if min(count, others) < _AGREEING:
        return None
    pairs = match_descriptors(one.features[:count], other.features[:others], max_ratio=_RATIO, cross_check=True)
    if len(pairs) < _AGREEING:
        return None
    here, there = one.places[pairs[:, 0], ::-1], other.places[pairs[:, 1], ::-1]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns where nothing agrees, which is the usual thing
        model, agree = ransac((here, there), AffineTransform, 3, _PIXELS_OFF, max_trials=500, rng=0)
    agreeing = 0 if agree is None else int(np.sum(agree))
    if not model or agreeing < _AGREEING or not 1 / _SCALED < abs(np.linalg.det(model.params)) < _SCALED:
        return None
    found = warp(np.pad(other.grey, 1, mode="edge"), _shifted(model), output_shape=one.grey.shape, cval=np.nan)
    inside = np.isfinite(found)
    if inside.mean() < _LEAST_SHARE:
        return None
    correlation = _correlation(one.grey, np.where(inside, found, 0), inside)
    if correlation < _SAME_PART:
        return None
    apart = int((one.bits != other.bits[0]).sum(1).min())
    return Likeness("part", round(correlation, 3), apart, agreeing, round(float(inside.mean()), 3))


def _features(grey: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    features = np.zeros((_FEATURES, 128), np.float32)
    detector: Any = SIFT(upsampling=1)
    if min(grey.shape) < _ROOM:
        return np.zeros((0, 2)), features
    try:
        detector.detect_and_extract(grey)
    except RuntimeError:  # it finds none
        return np.zeros((0, 2)), features
    widest = np.argsort(-detector.sigmas, kind="stable")[:_FEATURES]
    found = detector.descriptors[widest].astype(np.float32)
    features[: len(widest)] = found / np.linalg.norm(found, axis=1, keepdims=True).clip(1e-6)
    return detector.keypoints[widest].astype(float), features


def _shifted(model: AffineTransform) -> AffineTransform:
    """The same map into a picture that was padded by one pixel, so that its last row and column can be looked up."""
    move = np.eye(3)
    move[:2, 2] = 1
    return AffineTransform(matrix=move @ model.params)


def _correlation(one: np.ndarray, other: np.ndarray, inside: np.ndarray) -> float:
    """Of what is finer than the slow fall of light and coarser than noise."""
    weight = ndimage.gaussian_filter(inside.astype(float), _SMOOTH) + 1e-9
    a, b = (ndimage.gaussian_filter(each * inside, _SMOOTH) / weight for each in (one, other))
    a, b = a[inside] - a[inside].mean(), b[inside] - b[inside].mean()
    return float((a * b).mean() / (a.std() * b.std() + 1e-9))

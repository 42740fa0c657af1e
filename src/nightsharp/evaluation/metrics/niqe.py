"""Natural image quality without a truth."""

import os
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import scipy.io
import scipy.ndimage
import scipy.special
import torch
from jaxtyping import Float
from torch import Tensor

from nightsharp.errors import PhotoError, WeightsError
from nightsharp.evaluation.metrics._arrays import grey

_BLOCK = 96
_SHIFTS = ((0, 1), (1, 0), (1, 1), (1, -1))
_SHARP_ENOUGH = 0.75

# CC0 or public domain, and part of scikit-image's wheel
PICTURES = ("astronaut", "camera", "chelsea", "coffee", "rocket", "brick", "grass", "gravel")


@dataclass(frozen=True)
class NaturalModel:
    """The Gaussian of 36 features that undistorted pictures follow.

    Attributes:
        mean: (36,).
        covariance: (36, 36).
    """

    mean: np.ndarray
    covariance: np.ndarray

    @classmethod
    def load(cls, file: str | os.PathLike[str]) -> "NaturalModel":
        """Read the parameters published with NIQE (``.mat``, or the same two arrays as ``.npz``).

        Raises:
            WeightsError: the file is missing or does not hold ``mu_prisparam`` and ``cov_prisparam``.
        """
        path = Path(file)
        try:
            arrays = scipy.io.loadmat(path) if path.suffix == ".mat" else dict(np.load(path, allow_pickle=False))
            mean, covariance = arrays["mu_prisparam"].reshape(-1), arrays["cov_prisparam"]
        except (OSError, ValueError, KeyError) as problem:
            raise WeightsError(
                f"{path}: no NIQE model in it ({problem}). It is a .mat or .npz with mu_prisparam and cov_prisparam."
            ) from problem
        if mean.shape != (36,) or covariance.shape != (36, 36):
            raise WeightsError(f"{path}: the model has shapes {mean.shape}, {covariance.shape}, not 36 and 36 x 36.")
        return cls(mean.astype(np.float64), covariance.astype(np.float64))


@cache
def our_model() -> NaturalModel:
    """The model fitted to eight pictures of scikit-image (about 100 sharp blocks): not the published parameters."""
    import skimage.data

    rows = []
    for name in PICTURES:
        values = getattr(skimage.data, name)()
        tensor = torch.from_numpy(np.atleast_3d(values).astype(np.float32) / 255).permute(2, 0, 1)
        blocks, sharpness = features(grey(tensor) * 255)
        rows.append(blocks[sharpness > _SHARP_ENOUGH * sharpness.max()])
    table = np.concatenate(rows)
    return NaturalModel(table.mean(axis=0), np.cov(table, rowvar=False))


def niqe(image: Float[Tensor, "channel height width"], model: NaturalModel | None = None) -> float:
    r"""How far the statistics of an image are from those of undistorted pictures.

    .. math:: \sqrt{(\nu - \mu)^T \left( \tfrac12 (\Sigma_\nu + \Sigma) \right)^{+} (\nu - \mu)}

    Args:
        image: grey or colour (its luma is looked at), range [0, 1], at least 192 x 192.
        model: the published parameters, read by :meth:`NaturalModel.load`; None takes :func:`our_model`, whose scale
            is its own: such values rank images but stand beside no published NIQE.

    Returns:
        The distance, >= 0; lower is more natural.

    Raises:
        PhotoError: the image is too small.

    Example:
        >>> import skimage.data
        >>> cat = torch.from_numpy(skimage.data.cat() / 255).float().permute(2, 0, 1)
        >>> noise = 0.2 * torch.randn(cat.shape, generator=torch.Generator().manual_seed(0))
        >>> niqe(cat) < niqe(cat + noise)
        True

    Source: Mittal, Soundararajan and Bovik, "Making a completely blind image quality analyzer", 2013.
    """
    values = grey(image) * 255
    if min(values.shape) < 2 * _BLOCK:
        raise PhotoError(f"the image is {values.shape[0]} x {values.shape[1]}; NIQE needs {2 * _BLOCK} x {2 * _BLOCK}.")
    natural = our_model() if model is None else model
    blocks, _ = features(values)
    # a block without any texture has no statistics
    blocks = blocks[np.isfinite(blocks).all(axis=1)]
    if len(blocks) < 2:
        raise PhotoError("the image has no texture in at least two blocks; NIQE has nothing to look at.")
    apart = blocks.mean(axis=0) - natural.mean
    covariance = (np.cov(blocks, rowvar=False) + natural.covariance) / 2
    return float(np.sqrt(apart @ np.linalg.pinv(covariance) @ apart))


def features(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The 36 features (18 at each of two scales) and the sharpness of every 96 x 96 block of a 0..255 grey image."""
    rows, columns = (side // _BLOCK * _BLOCK for side in values.shape)
    values = values[:rows, :columns]
    columns_of_features, sharpness = [], np.zeros(0)
    for scale in (1, 2):
        normalised, deviation = _normalised(values)
        side = _BLOCK // scale
        columns_of_features.append(_block_features(_blocks(normalised, side)))
        if scale == 1:
            sharpness = _blocks(deviation, side).mean(axis=(1, 2))
            halved = torch.nn.functional.interpolate(
                torch.from_numpy(values)[None, None], scale_factor=0.5, mode="bicubic", antialias=True
            )
            values = halved[0, 0].numpy()
    return np.concatenate(columns_of_features, axis=1), sharpness


def _normalised(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean subtracted, contrast normalised coefficients, and the local deviation."""

    def mean(image: np.ndarray) -> np.ndarray:
        return scipy.ndimage.gaussian_filter(image, 7 / 6, radius=3, mode="nearest")

    local = mean(values)
    deviation = np.sqrt(np.abs(mean(values * values) - local * local))
    return (values - local) / (deviation + 1), deviation


def _blocks(image: np.ndarray, side: int) -> np.ndarray:
    """``(block, side, side)``."""
    rows, columns = image.shape[0] // side, image.shape[1] // side
    return image.reshape(rows, side, columns, side).swapaxes(1, 2).reshape(-1, side, side)


def _block_features(blocks: np.ndarray) -> np.ndarray:
    shape, left, right = _asymmetric_gaussian(blocks)
    found = [shape, (left + right) / 2]
    for shift in _SHIFTS:
        shape, left, right = _asymmetric_gaussian(blocks * np.roll(blocks, shift, axis=(1, 2)))
        mean = (right - left) * scipy.special.gamma(2 / shape) / scipy.special.gamma(1 / shape)
        found += [shape, mean, left, right]
    return np.stack(found, axis=1)


def _asymmetric_gaussian(blocks: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Shape and the two scales of the asymmetric generalised Gaussian of each block, by matching moments."""
    values = blocks.reshape(len(blocks), -1)
    shapes, ratios = _shape_table()
    with np.errstate(divide="ignore", invalid="ignore"):
        left = np.sqrt((values**2 * (values < 0)).sum(axis=1) / (values < 0).sum(axis=1))
        right = np.sqrt((values**2 * (values > 0)).sum(axis=1) / (values > 0).sum(axis=1))
        skew = left / right
        ratio = np.abs(values).mean(axis=1) ** 2 / (values**2).mean(axis=1)
        ratio = ratio * (skew**3 + 1) * (skew + 1) / (skew**2 + 1) ** 2
    # the ratio rises with the shape: the nearest entry is one of two neighbours
    place = np.searchsorted(ratios, ratio).clip(1, len(ratios) - 1)
    place -= (ratio - ratios[place - 1]) < (ratios[place] - ratio)
    shape = np.where(np.isfinite(ratio), shapes[place], np.nan)
    scale = np.sqrt(scipy.special.gamma(1 / shape) / scipy.special.gamma(3 / shape))
    return shape, left * scale, right * scale


@cache
def _shape_table() -> tuple[np.ndarray, np.ndarray]:
    shapes = np.arange(200, 10001) / 1000
    gamma = scipy.special.gamma
    return shapes, gamma(2 / shapes) ** 2 / (gamma(1 / shapes) * gamma(3 / shapes))

"""Lay one picture over another of the same plane by a homography, to a fraction of a pixel."""

import math
from typing import Literal

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn.functional import grid_sample

from nightsharp.errors import PhotoError

_STEPS = 30
_ENOUGH = 1e-3
# A pixel off by more than this many robust deviations moved, or is noise, and has no vote.
_OUTLIER = 4.0
_VOTES = 50_000


def warp(
    image: Float[Tensor, "channel height width"], homography: Float[np.ndarray, "3 3"], size: tuple[int, int]
) -> tuple[Float[Tensor, "channel rows columns"], Bool[Tensor, "rows columns"]]:
    r"""Look up an image where a homography points.

    .. math:: y(p) = x(H p), \qquad p = (\text{column}, \text{row}, 1)

    Args:
        image: x.
        homography: H, from places in the result to places in ``image``, pixels.
        size: rows and columns of the result.

    Returns:
        The result by cubic interpolation, and where it lies inside the image.

    Example:
        >>> image = torch.rand(1, 8, 9)
        >>> moved, inside = warp(image, np.array([[1.0, 0, 2], [0, 1, 0], [0, 0, 1]]), (8, 9))
        >>> torch.allclose(moved[..., :7], image[..., 2:], atol=1e-5), inside[0].tolist()[-3:]
        (True, [True, False, False])
    """
    row, column = _places(*size)
    place, inside = _pointed_at(homography, row, column, (image.shape[-2], image.shape[-1]))
    return _sampled(image, place, "bicubic").reshape(-1, *size), inside.reshape(size)


def refine(
    moving: Float[Tensor, "height width"],
    fixed: Float[Tensor, "rows columns"],
    homography: Float[np.ndarray, "3 3"],
    *,
    trusted: Bool[Tensor, "rows columns"],
) -> Float[np.ndarray, "3 3"]:
    r"""Improve a homography until the brightness of both pictures agrees.

    .. math:: \min_{H, a, b} \sum_p \rho\big( y(p) - a\,x(H p) - b \big)

    by Gauss-Newton steps on the eight entries of H, gain and offset together; outliers have no vote.

    Args:
        moving: x, smooth on the scale of the error of the first guess.
        fixed: y, equally smooth.
        homography: the first guess, from places in ``fixed`` to places in ``moving``, pixels.
        trusted: which pixels of ``fixed`` have a vote.

    Returns:
        The better homography.

    Raises:
        PhotoError: no pixel is left that has a vote.

    Example:
        >>> y, x = torch.meshgrid(torch.arange(40.0), torch.arange(50.0), indexing="ij")
        >>> waves = torch.sin(x / 4) * torch.cos(y / 5)
        >>> found = refine(waves, waves[3:, 2:], np.eye(3), trusted=torch.ones(37, 48, dtype=torch.bool))
        >>> np.round(found[:2, 2], 1).tolist()
        [2.0, 3.0]

    Source: Lucas and Kanade 1981; Baker and Matthews, "Lucas-Kanade 20 years on", IJCV 2004, additive steps.
    """
    rows, columns = fixed.shape
    scale = max(rows, columns) / 2
    # in coordinates around the middle, the entries of H are alike in size and the equations well conditioned
    centre = np.array([[1 / scale, 0, -(columns - 1) / 2 / scale], [0, 1 / scale, -(rows - 1) / 2 / scale], [0, 0, 1]])
    back = np.linalg.inv(centre)
    model = centre @ homography @ back
    model = model / model[2, 2]
    stack = torch.cat([moving[None], torch.stack(torch.gradient(moving))])
    room = (moving.shape[0], moving.shape[1])
    asked = _steepest(stack, homography, trusted)
    row, column = (asked // columns).double(), (asked % columns).double()
    x, y = (column - (columns - 1) / 2) / scale, (row - (rows - 1) / 2) / scale
    seen = fixed.reshape(-1)[asked].double()
    for _ in range(_STEPS):
        place, inside = _pointed_at(back @ model @ centre, row, column, room)
        if not bool(inside.any()):
            raise PhotoError("no pixel is seen unclipped by both shots. Expose less, and take both in one direction.")
        value, down, right = _sampled(stack, place).double()
        w = float(model[2, 0]) * x + float(model[2, 1]) * y + float(model[2, 2])
        u = (float(model[0, 0]) * x + float(model[0, 1]) * y + float(model[0, 2])) / w
        v = (float(model[1, 0]) * x + float(model[1, 1]) * y + float(model[1, 2])) / w
        right, down = right * scale / w, down * scale / w
        turning = -(right * u + down * v)
        ones = torch.ones_like(value)
        photometric = torch.stack([value, ones], dim=-1)
        gain, offset = torch.linalg.lstsq(photometric[inside], seen[inside, None]).solution[:, 0].tolist()
        error = seen - gain * value - offset
        spread = 1.4826 * float(error[inside].abs().median()) + 1e-9
        weight = inside * (1 - (error / (_OUTLIER * spread)).square()).clamp_min(0).square()
        slopes = [right * x, right * y, right, down * x, down * y, down, turning * x, turning * y]
        design = torch.stack([gain * slope for slope in slopes] + [value, ones], dim=-1)
        weighted = design * weight[:, None]
        normal = weighted.T @ design
        normal += 1e-9 * normal.diagonal().mean() * torch.eye(10, dtype=torch.float64)
        step = torch.linalg.solve(normal, weighted.T @ error)[:8].numpy()
        model = model + np.append(step, 0).reshape(3, 3)
        if np.abs(step).max() * scale < _ENOUGH:
            break
    result = back @ model @ centre
    return result / result[2, 2]


def _steepest(
    stack: Float[Tensor, "3 height width"], homography: np.ndarray, trusted: Bool[Tensor, "rows columns"]
) -> Int[Tensor, " votes"]:
    """The trusted pixels where the moving picture is steepest: they tell nearly all there is to tell."""
    rows, columns = trusted.shape
    row, column = _places(rows, columns)
    place, inside = _pointed_at(homography, row, column, (stack.shape[-2], stack.shape[-1]))
    slope = _sampled(stack[1:], place).square().sum(0).masked_fill(~(inside & trusted.reshape(-1)), -1)
    votes = min(_VOTES, int((slope >= 0).sum()))
    return slope.topk(votes).indices


def _places(rows: int, columns: int) -> tuple[Float[Tensor, " pixels"], Float[Tensor, " pixels"]]:
    """Row and column of every pixel, one after the other."""
    row, column = (torch.arange(length, dtype=torch.float64) for length in (rows, columns))
    return row.repeat_interleave(columns), column.repeat(rows)


def _pointed_at(
    homography: np.ndarray, row: Tensor, column: Tensor, room: tuple[int, int]
) -> tuple[Float[Tensor, "pixels 2"], Bool[Tensor, " pixels"]]:
    """Where a homography points, (column, row), in units in which the image spans -1 to 1; and whether inside."""
    u, v, w = (float(h[0]) * column + float(h[1]) * row + float(h[2]) for h in homography)
    place = torch.stack([2 * u / w / (room[1] - 1) - 1, 2 * v / w / (room[0] - 1) - 1], dim=-1)
    return place, (place.abs() <= 1 + 1e-9).all(-1) & (w > 0)


def _sampled(
    image: Float[Tensor, "channel height width"],
    place: Float[Tensor, "pixels 2"],
    mode: Literal["bilinear", "bicubic"] = "bilinear",
) -> Float[Tensor, "channel pixels"]:
    grid = place.to(image)[None, None]
    return grid_sample(image[None], grid, mode=mode, padding_mode="border", align_corners=True)[0, :, 0]


def corner_error(one: Float[np.ndarray, "3 3"], other: Float[np.ndarray, "3 3"], size: tuple[int, int]) -> float:
    """How far apart two homographies put the corners of a picture, at most, pixels.

    Args:
        one: from places in the picture.
        other: the one compared with.
        size: rows and columns.

    Example:
        >>> corner_error(np.eye(3), np.array([[1.0, 0, 3], [0, 1, 4], [0, 0, 1]]), (10, 10))
        5.0
    """
    rows, columns = size[0] - 1, size[1] - 1
    corners = np.array([[0, 0, 1], [columns, 0, 1], [0, rows, 1], [columns, rows, 1]]).T
    a, b = (h @ corners for h in (one, other))
    return math.sqrt(float((((a / a[2] - b / b[2])[:2]) ** 2).sum(0).max()))

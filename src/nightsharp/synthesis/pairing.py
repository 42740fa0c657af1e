"""Two shots of one scene, one sharp and one blurred, into a pair."""

import math
import warnings
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float
from scipy import ndimage
from skimage.feature import SIFT, match_descriptors
from skimage.measure import ransac
from skimage.transform import ProjectiveTransform
from torch import Tensor
from torch.nn.functional import interpolate

from nightsharp.errors import PhotoError, PsfError
from nightsharp.methods.map_psf.pair import PairEstimate, from_pair
from nightsharp.optics import Blur, Psf
from nightsharp.photo import linear_to_srgb
from nightsharp.synthesis.registration import corner_error, refine, warp

# Features and equations are taken from pictures of this longer side.
_WORKING_SIDE = 900
_SMALLEST_SIDE = 64
_RATIO, _TOLERANCE, _TRIALS = 0.85, 4.0, 4000
_FEWEST, _LEAST_SHARE = 12, 0.15
_LEAST_OVERLAP = 0.3
_MOST_SCALE = 4.0
_WINDOW = 320
_SATURATED = 0.98
_SMOOTHINGS = (4.0, 2.0)
_NEAR = 0.3
_MOST_PSF = 61


@dataclass(frozen=True, eq=False)
class AlignedPair:
    """A pair that shows the same in the same place.

    Attributes:
        sharp: the sharp shot as the blurred camera would have taken it: warped, of its brightness, linear light.
        blurred: what of the blurred shot both show.
        box: where that lies in the blurred shot: top, left, height, width.
        homography: from (column, row) in the whole blurred shot to (column, row) in the sharp one.
        gain: what the sharp shot was multiplied by, red, green, blue.
        offset: what was added to it then.
        matches: features found in both.
        inliers: those of them that follow the homography.
        explained: part of the blurred shot's edges that the sharp one explains, noise aside, at most 1.
        residual: root mean square of what the pair's own PSF leaves unexplained, linear light.
        blur: side of that PSF, pixels.
    """

    sharp: Float[Tensor, "3 height width"]
    blurred: Float[Tensor, "3 height width"]
    box: tuple[int, int, int, int]
    homography: Float[np.ndarray, "3 3"]
    gain: tuple[float, float, float]
    offset: tuple[float, float, float]
    matches: int
    inliers: int
    explained: float
    residual: float
    blur: int


def align_pair(sharp: Float[Tensor, "3 height width"], blurred: Float[Tensor, "3 rows columns"]) -> AlignedPair:
    """Lay a sharp shot over a blurred one of the same scene, and cut both to what they share.

    Features (SIFT) and RANSAC give a first homography. Then the PSF between the two is estimated, the sharp shot is
    blurred by it, centred, and brightness refines the homography: blur without noise moves nothing, so that the pair
    agrees where a PSF with its centroid at its centre puts it.

    Args:
        sharp: linear light, from a tripod; it may be larger than the other.
        blurred: linear light.

    Returns:
        The pair with a report.

    Raises:
        PhotoError: the two do not match, with the reason: too few common features, an impossible homography, too
            little overlap, edges that one does not explain in the other.

    Example:
        >>> from skimage.data import astronaut
        >>> from nightsharp.optics import Blur, line
        >>> scene = torch.from_numpy(astronaut()).permute(2, 0, 1)[:, :300, :360].float() / 255
        >>> pair = align_pair(scene, Blur(line(7), "replicate")(scene[None, :, 9:, 5:])[0])
        >>> np.round(pair.homography[:2, 2]).tolist()
        [5.0, 9.0]

    Source: the alignment of Sharif et al., "DarkDeblur", 2023 (SIFT, RANSAC, homography, common crop); the refinement
    and the match of brightness are ours.
    """
    for name, image in (("sharp", sharp), ("blurred", blurred)):
        if min(image.shape[-2:]) < _SMALLEST_SIDE:
            raise PhotoError(
                f"the {name} shot is {image.shape[-2]} x {image.shape[-1]}; aligning needs {_SMALLEST_SIDE} pixels on "
                "each side. Give larger photographs."
            )
    (x, x_scale), (y, y_scale) = (_working(image) for image in (sharp, blurred))
    guess, matches, inliers = _by_features(x, y)
    found, pair = _by_brightness(x, y, guess)
    homography = np.linalg.inv(x_scale) @ found @ y_scale
    homography = homography / homography[2, 2]

    size = (blurred.shape[-2], blurred.shape[-1])
    zoom = math.sqrt(abs(np.linalg.det(homography)))
    warped, inside = warp(_softened(sharp, 0.5 * math.sqrt(max(0.0, zoom**2 - 1))), homography, size)
    top, left, height, width = box = _largest_box(inside.numpy())
    if height * width < _LEAST_OVERLAP * size[0] * size[1]:
        raise PhotoError(
            f"the two shots share {height * width / (size[0] * size[1]):.0%} of the blurred one; a pair needs "
            f"{_LEAST_OVERLAP:.0%}. Take them from the same place in the same direction."
        )
    rows, columns = slice(top, top + height), slice(left, left + width)
    warped, cut = warped[:, rows, columns].clamp_min(0), blurred[:, rows, columns].contiguous()
    psf = pair.psf if y.shape[0] == size[0] else pair.psf.resize(size[0] / y.shape[0])
    matched, gain, offset, residual = _of_one_brightness(warped, cut, psf)
    return AlignedPair(
        matched, cut, box, homography, gain, offset, matches, inliers, pair.explained, residual, max(psf.size)
    )


def _working(image: Tensor) -> tuple[Float[Tensor, "rows columns"], Float[np.ndarray, "3 3"]]:
    """Brightness on the working scale, and the way there from places in the image."""
    grey = image.mean(0)
    shrink = _WORKING_SIDE / max(grey.shape)
    if shrink >= 1:
        return grey, np.eye(3)
    rows, columns = (max(1, round(length * shrink)) for length in grey.shape)
    small = interpolate(grey[None, None], (rows, columns), mode="bilinear", antialias=True, align_corners=False)[0, 0]
    down, across = rows / grey.shape[0], columns / grey.shape[1]
    # centres of pixels lie at whole numbers
    return small, np.array([[across, 0, (across - 1) / 2], [0, down, (down - 1) / 2], [0, 0, 1]])


def _by_features(x: Tensor, y: Tensor) -> tuple[Float[np.ndarray, "3 3"], int, int]:
    """A homography from y to x that most common features follow."""
    features = []
    for name, image in (("sharp", x), ("blurred", y)):
        detector = SIFT(upsampling=1, n_octaves=6, c_dog=0.006)
        try:
            detector.detect_and_extract(_for_features(image))
        except RuntimeError:
            raise PhotoError(f"the {name} shot shows no features to align by. Is it the right photograph?") from None
        features.append((np.asarray(detector.keypoints)[:, ::-1], np.asarray(detector.descriptors)))
    (at_x, in_x), (at_y, in_y) = features
    pairs = match_descriptors(in_y, in_x, max_ratio=_RATIO, cross_check=True)
    model, inliers = None, 0
    if len(pairs) >= _FEWEST:
        model, inliers = _agreed(at_y[pairs[:, 0]], at_x[pairs[:, 1]])
    if model is None or inliers < _FEWEST or inliers < _LEAST_SHARE * len(pairs):
        raise PhotoError(
            f"the two shots do not match: {inliers} of {len(pairs)} common features agree on where the camera stood, "
            f"where a pair has {_FEWEST} and {_LEAST_SHARE:.0%} or more. Are they of one scene?"
        )
    _check_plausible(model, (y.shape[0], y.shape[1]))
    return model, len(pairs), inliers


def _agreed(here: np.ndarray, there: np.ndarray) -> tuple[Float[np.ndarray, "3 3"] | None, int]:
    """The homography that most pairs of places follow, and how many do."""
    with warnings.catch_warnings():
        # it warns of samples on one line, which it passes over
        warnings.simplefilter("ignore")
        model, kept = ransac(
            (here, there),
            ProjectiveTransform,
            min_samples=4,
            residual_threshold=_TOLERANCE,
            max_trials=_TRIALS,
            rng=0,
        )
    if model is None or kept is None:
        return None, 0
    matrix = np.asarray(model.params)
    return matrix / matrix[2, 2], int(np.asarray(kept).sum())


def _check_plausible(homography: np.ndarray, size: tuple[int, int]) -> None:
    """Refuse what no second shot of a scene looks like."""
    rows, columns = size
    corners = np.array([[0, 0, 1], [columns, 0, 1], [columns, rows, 1], [0, rows, 1]]).T
    seen = homography @ corners
    place = (seen[:2] / seen[2]).T
    sides = np.roll(place, -1, 0) - place
    following = np.roll(sides, -1, 0)
    turns = sides[:, 0] * following[:, 1] - sides[:, 1] * following[:, 0]
    area = 0.5 * abs(float((place[:, 0] * np.roll(place[:, 1], -1) - np.roll(place[:, 0], -1) * place[:, 1]).sum()))
    scale = math.sqrt(area / (rows * columns))
    if not ((seen[2] > 0).all() and (turns > 0).all() and 1 / _MOST_SCALE < scale < _MOST_SCALE):
        raise PhotoError(
            f"the features agree only on an impossible view (mirrored, folded, or {scale:.2g} times as large). "
            "Are the two shots of one scene?"
        )


def _by_brightness(x: Tensor, y: Tensor, homography: np.ndarray) -> tuple[Float[np.ndarray, "3 3"], PairEstimate]:
    """Refine in two rounds: as the pictures are, smoothed; then with the sharp one blurred as the other is."""
    size = (y.shape[0], y.shape[1])
    trusted = y < _SATURATED
    for sigma in _SMOOTHINGS:
        homography = refine(_softened(x, sigma), _softened(y, sigma), homography, trusted=trusted)
    side = None
    while True:
        warped, inside = warp(x[None], homography, size)
        window = _middle(inside.numpy())
        try:
            pair = from_pair(warped.clamp_min(0)[:, *window], y[None, *window], size=side)
        except PsfError as problem:
            raise PhotoError(f"the two shots do not match: {problem}") from problem
        blurred = Blur(_exactly_centred(pair.psf.kernel), "replicate")(warped[None])[0, 0]
        known = trusted & _eroded(inside, max(pair.psf.size))
        # noise is what is left to smooth away; both are smoothed alike
        correction = refine(_softened(blurred, 1.0), _softened(y, 1.0), np.eye(3), trusted=known)
        homography = homography @ correction
        homography = homography / homography[2, 2]
        # a PSF found where the pictures lay apart is a little wide, so it is found once more
        if side is not None or corner_error(correction, np.eye(3), size) < _NEAR:
            return homography, pair
        side = min(_MOST_PSF, max(pair.psf.size) + 4)


def _exactly_centred(kernel: Float[Tensor, "kh kw"]) -> Float[Tensor, "1 1 k l"]:
    """A PSF moved by a part of a pixel, so that its centroid is its centre."""
    wide = np.pad(kernel.double().numpy(), 2)
    place = [np.arange(length) - length // 2 for length in wide.shape]
    off = [float((wide.sum(1 - axis) * place[axis]).sum() / wide.sum()) for axis in (0, 1)]
    moved = np.clip(ndimage.shift(wide, [-value for value in off], order=1), 0, None)
    return torch.from_numpy(moved / moved.sum()).float()[None, None]


def _of_one_brightness(
    warped: Tensor, blurred: Tensor, psf: Psf
) -> tuple[Tensor, tuple[float, float, float], tuple[float, float, float], float]:
    """Gain and offset of each channel that make the warped shot, blurred, most like the blurred one."""
    kernel = _exactly_centred(psf.kernel)
    if max(kernel.shape[-2:]) > min(blurred.shape[-2:]):
        kernel = torch.ones(1, 1, 1, 1)
    again = Blur(kernel, "replicate")(warped[None])[0]
    usable = ((blurred < _SATURATED) & (again < _SATURATED)).all(0)
    gains, offsets, left = [], [], []
    for one, other in zip(again, blurred, strict=True):
        a, b = one[usable].double(), other[usable].double()
        spread = float((a - a.mean()).square().mean())
        gain = float(((a - a.mean()) * (b - b.mean())).mean()) / spread if spread > 1e-12 else 1.0
        offset = float(b.mean()) - gain * float(a.mean())
        gains.append(gain)
        offsets.append(offset)
        left.append(float((b - gain * a - offset).square().mean()))
    scale, shift = (torch.tensor(values)[:, None, None] for values in (gains, offsets))
    matched = (warped * scale + shift).clamp_min(0).contiguous()
    red, green, blue = gains
    down, across, up = offsets
    return matched, (red, green, blue), (down, across, up), math.sqrt(sum(left) / 3)


def _for_features(image: Tensor) -> np.ndarray:
    """Display values from 0 to 1, noise smoothed a little, dark pictures stretched."""
    display = ndimage.gaussian_filter(linear_to_srgb(image.clamp(0, 1)).numpy().astype(np.float64), 1.5)
    low, high = np.percentile(display, (1, 99.5))
    return np.clip((display - low) / max(high - low, 1e-6), 0, 1)


def _softened(image: Tensor, sigma: float) -> Tensor:
    if sigma == 0:
        return image
    along = (0.0,) * (image.ndim - 2) + (sigma, sigma)
    return torch.from_numpy(ndimage.gaussian_filter(image.numpy(), along, mode="nearest"))


def _eroded(inside: Bool[Tensor, "rows columns"], reach: int) -> Bool[Tensor, "rows columns"]:
    """Places whose surroundings lie inside as well."""
    grown = ndimage.minimum_filter(inside.numpy(), 2 * reach + 1, mode="constant", cval=False)
    return torch.from_numpy(grown)


def _middle(inside: Bool[np.ndarray, "rows columns"]) -> tuple[slice, slice]:
    """A window in the middle of what both shots show."""
    top, left, height, width = _largest_box(inside)
    rows, columns = (min(_WINDOW, length) for length in (height, width))
    top, left = top + (height - rows) // 2, left + (width - columns) // 2
    return slice(top, top + rows), slice(left, left + columns)


def _largest_box(inside: Bool[np.ndarray, "rows columns"]) -> tuple[int, int, int, int]:
    """Top, left, height, width of a rectangle that lies inside: the worst side gives way until none is cut."""
    top, left, (bottom, right) = 0, 0, inside.shape
    while bottom > top and right > left:
        part = inside[top:bottom, left:right]
        missing = [float(1 - side.mean()) for side in (part[0], part[-1], part[:, 0], part[:, -1])]
        worst = int(np.argmax(missing))
        if missing[worst] == 0:
            break
        top, bottom = top + (worst == 0), bottom - (worst == 1)
        left, right = left + (worst == 2), right - (worst == 3)
    return top, left, max(0, bottom - top), max(0, right - left)

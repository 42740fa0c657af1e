"""Literal ports of published data generators, one sample at a time, step by step; the slow side of duels."""

import cmath
import math

import numpy as np
from scipy import ndimage, signal


def rotating_psf(rng: np.random.Generator, samples: int = 250, side: int = 37) -> np.ndarray:
    """INFWIDE's PSF: a loop over steps, a loop over bins."""
    angles, velocity, place = np.zeros(3), rng.standard_normal(3), np.zeros(3)
    path = [place]
    for t in range(1, samples):
        angles = angles + 2 * math.pi / samples * (rng.standard_normal(3) / (t + 1) + angles)
        (a, b, c), (d, e, f) = np.cos(angles), np.sin(angles)
        x = np.array([[1, 0, 0], [0, a, -d], [0, d, a]])
        y = np.array([[b, 0, e], [0, 1, 0], [-e, 0, b]])
        z = np.array([[c, -f, 0], [f, c, 0], [0, 0, 1]])
        velocity = velocity + rng.standard_normal(3) / (t + 1)
        place = place + z @ y @ x @ velocity
        path.append(place)
    rows, columns = np.array(path).T[:2]
    grid = round(min(5 - math.log(rng.random()) / 0.15, 27))
    grid += grid % 2 == 0
    edges = [np.linspace(values.min(), values.max(), grid) for values in (rows, columns)]
    kernel = np.zeros((grid, grid))
    for i in range(grid - 1):
        for j in range(grid - 1):
            in_row = (rows >= edges[0][i]) & (rows < edges[0][i + 1])
            kernel[i, j] = np.sum(in_row & (columns >= edges[1][j]) & (columns < edges[1][j + 1]))
    tail = math.exp(-0.5)
    kernel = np.asarray(signal.convolve2d(kernel / kernel.sum(), np.array([[1, tail], [tail, tail**2]]), mode="same"))
    margin = (side - grid) // 2
    kernel = np.pad(kernel / kernel.sum(), ((margin, side - grid - margin),) * 2)
    if rng.random() < 0.25:
        tall, wide = rng.integers(side, 5 * side + 1, 2)
        large = np.asarray(ndimage.zoom(kernel, (tall / side, wide / side), order=1, grid_mode=True, mode="nearest"))
        top, left = (large.shape[0] - side) // 2, (large.shape[1] - side) // 2
        kernel = large[top : top + side, left : left + side]
    if kernel.sum() < 0.1:
        place = np.arange(side) - side // 2
        kernel = np.exp(-(place[:, None] ** 2 + place**2) / (2 * (0.1 + 6 * rng.random()) ** 2))
    return kernel / kernel.sum()


def markovian_psf(rng: np.random.Generator, samples: int = 2000, length: float = 60.0, canvas: int = 64) -> np.ndarray:
    """DeblurGAN's PSF: a loop over steps, then a loop over points for each exposure."""
    pull, jerks, strength, angle = 0.7 * rng.random(), 0.2 * rng.random(), 10 * rng.random(), math.tau * rng.random()
    expansion = float(rng.choice([0.01, 0.009, 0.008, 0.007, 0.005, 0.003]))
    pace = length / (samples - 1)
    velocity, place = cmath.rect(expansion, angle), 0j
    path = [place]
    for _ in range(samples - 1):
        jerk = 0j
        if rng.random() < jerks * expansion:
            jerk = 2 * velocity * cmath.exp(1j * (math.pi + rng.random() - 0.5))
        kick = strength * complex(rng.standard_normal(), rng.standard_normal()) - pull * place
        velocity += jerk + expansion * kick * pace
        velocity *= pace / abs(velocity)
        place += velocity
        path.append(place)
    shift = complex(canvas / 2, canvas / 2) - sum(path) / len(path)
    kernel = np.zeros((canvas, canvas))
    for point in path:
        x, y = (point + shift).real, (point + shift).imag
        row, column = min(max(int(y), 0), canvas - 2), min(max(int(x), 0), canvas - 2)
        below, beside = y - row, x - column
        kernel[row, column] += (1 - below) * (1 - beside)
        kernel[row, column + 1] += (1 - below) * beside
        kernel[row + 1, column] += below * (1 - beside)
        kernel[row + 1, column + 1] += below * beside
    return kernel / samples


def infwide_pair(sharp: np.ndarray, rng: np.random.Generator, *, every_tap: bool) -> tuple[np.ndarray, np.ndarray]:
    """INFWIDE's pair of one image (height, width, 3) in [0, 1]: PSF, circular blur as a direct sum, CMOS noise.

    SciPy leaves zero taps out of the sum, and most taps are zero; a floor of 1e-9 makes it sum all 37 x 37.
    """
    kernel = rotating_psf(rng).astype(np.float32) + np.float32(1e-9 if every_tap else 0)
    blurred = np.stack([ndimage.convolve(sharp[..., c], kernel, mode="wrap") for c in range(3)], axis=-1)
    gain, beta, read, dark = int(rng.uniform(4, 16)), rng.uniform(0.01, 0.03), rng.uniform(0.5, 4), rng.uniform(2, 8)
    codes = np.zeros(sharp.shape)
    for channel, (analog, sensitivity) in enumerate(((6, 1), (3, 2), (6, 1))):
        value = np.clip(255 * blurred[..., channel], 0, None)
        shot = rng.poisson(sensitivity * value / gain)
        excess = np.maximum(rng.poisson(dark, value.shape) - dark, 0)
        row = 1 + beta * rng.standard_normal((value.shape[0], 1))
        raw = analog * row * (shot + excess + read * rng.standard_normal(value.shape))
        raw[rng.random(value.shape) < analog * 1e-6] = 0
        raw[rng.random(value.shape) < analog * 1e-5] = 255
        codes[..., channel] = np.clip(np.trunc(raw) * gain / 6, 0, 255).astype(np.uint8)
    return np.clip(1.2 * codes / 255, 0, 1) / 1.2, kernel


def moving_patches(image: np.ndarray, paths: np.ndarray) -> np.ndarray:
    """The event paper's frames: for every patch of every frame the whole image (height, width, 3) is moved and cut."""
    import cv2

    height, width = image.shape[:2]
    rows, columns, count, _ = paths.shape
    tall, wide = height // rows, width // columns
    frames = np.zeros((count, *image.shape), image.dtype)
    for index in range(count):
        for row in range(rows):
            for column in range(columns):
                down, right = paths[row, column, index]
                shift = np.array([[1, 0, right], [0, 1, down]])
                moved = cv2.warpAffine(image, shift, (width, height), borderMode=cv2.BORDER_REFLECT)
                place = slice(row * tall, (row + 1) * tall), slice(column * wide, (column + 1) * wide)
                frames[index][place] = moved[place]
    return frames

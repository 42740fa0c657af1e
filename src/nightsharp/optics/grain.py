"""A PSF that was photographed carries the grain of its photograph; all of it together blurs, and no trail does."""

from dataclasses import replace

import numpy as np
import scipy.ndimage
import torch
from jaxtyping import Float
from skimage.filters import apply_hysteresis_threshold

from nightsharp.optics.psf import Psf

# The rim of a window tells grain from light: neighbours there are as different as any two. Of 4,500 PSFs (a hand's
# shake, lines, disks and Gaussians, in their own window, in a tight one and in a wide one) every rim is dark, even or
# smooth. Fewer taps can be anything.
_FEWEST_TAPS = 32
_ALIKE, _JITTER = 0.35, 0.2
# Of the peak. 544 PSFs that others measured or estimated (of Levin's and Lai's sets and of photographs) stay below it.
_LEAST = 0.015
# The quarter above the median of normal noise begins so many standard deviations higher.
_QUARTER = 0.6745
# Light is what stands out by the first from the grain of the smoothed PSF, and what hangs on it by the second: of eight
# pairs the one that leaves the transfer functions nearest to those of 200 true PSFs (mean difference 0.053, as given
# 0.093).
_SMOOTHED = 0.8
_STANDS_OUT, _HANGS_ON = 4.0, 2.0
# The mean of normal noise whose lower half was cut off at 0.
_CUT_MEAN = 0.4


def without_grain(psf: Psf) -> Psf:
    r"""Take the grain of a photographed or scanned PSF away, and the grey of its ground.

    A sensor's noise is nothing beside the trail of a lamp, but it lies on every tap, and a window has many: grain of
    10 % of the peak on 35 x 35 taps may be half of the light. The rim of the window tells how strong it is,
    :math:`\sigma = (q_{75} - q_{50}) / 0.6745` of its taps, and whether they are grain at all, or the end of a smooth
    PSF. Taps stay where the PSF, smoothed, stands out by 4 times the grain that smoothing leaves, and beside those from
    2 times on.

    Args:
        psf: as it was given.

    Returns:
        The PSF without it, of the same size, with a note; the same object where its rim shows no grain of 1.5 % of the
        peak and more, or nothing stands out from it.

    Example:
        >>> from nightsharp.optics import line
        >>> grain = 0.1 * torch.rand(33, 33, generator=torch.Generator().manual_seed(0))
        >>> photographed = Psf.from_tensor(line(21, 30).pad(33, 33).kernel / line(21, 30).kernel.max() + grain)
        >>> [int((psf.kernel > 0).sum()) for psf in (photographed, without_grain(photographed), line(21, 30))]
        [1089, 75, 63]
        >>> without_grain(photographed).notes[-1]
        'grain of 4% of the peak taken away'
    """
    taps = psf.kernel.double().numpy()
    taps = taps / taps.max()
    ground, deviation = _grain(taps)
    if deviation < _LEAST:
        return psf
    base = max(ground, _CUT_MEAN * deviation)
    smooth = scipy.ndimage.gaussian_filter(taps, _SMOOTHED, mode="constant", cval=base)
    left = deviation / (2 * np.sqrt(np.pi) * _SMOOTHED)
    light = apply_hysteresis_threshold(smooth, base + _HANGS_ON * left, base + _STANDS_OUT * left)
    kept = np.where(light, (taps - ground).clip(0), 0)
    if kept.sum() <= 0:
        return psf
    kernel = torch.from_numpy(kept / kept.sum()).float()
    note = f"grain of {deviation:.0%} of the peak taken away"
    return replace(psf, kernel=kernel / kernel.sum(), notes=(*psf.notes, note))


def _grain(taps: Float[np.ndarray, "height width"]) -> tuple[float, float]:
    """Ground and standard deviation of the grain on the rim, parts of the peak; without deviation where it is none."""
    rim = np.concatenate([taps[0, :-1], taps[:-1, -1], taps[-1, :0:-1], taps[:0:-1, 0]])
    if len(rim) < _FEWEST_TAPS or min(taps.shape) == 1:
        return 0.0, 0.0
    ground, quarter = np.quantile(rim, [0.5, 0.75])
    deviation = (quarter - ground) / _QUARTER
    below = rim.clip(max=quarter) - rim.clip(max=quarter).mean()
    alike = float((below * np.roll(below, 1)).sum()) / max(float(np.square(below).sum()), 1e-12)
    jitter = float(np.median(np.abs(np.diff(rim))))
    grain = alike < _ALIKE and jitter > _JITTER * deviation
    return float(ground), float(deviation) if grain else 0.0

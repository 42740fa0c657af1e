"""The metrics by name, applied under a protocol."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from nightsharp.errors import UsageError
from nightsharp.evaluation import metrics
from nightsharp.evaluation.alignment import Alignment
from nightsharp.evaluation.metrics.ssim import Window
from nightsharp.evaluation.protocol import Protocol
from nightsharp.optics import estimate_sigma


@dataclass(frozen=True)
class Metric:
    """A column of a table.

    Attributes:
        title: as it is printed.
        better: +1 where more is better, -1 where less is.
        digits: after the point.
        against_truth: called with the aligned result, the truth and the protocol; None for a no-reference score.
        alone: called with the whole result; None for one that needs a truth.
        in_colour: it compares colours, also where the protocol compares luma.
    """

    title: str
    better: int
    digits: int
    against_truth: Callable[[Tensor, Tensor, Protocol], float] | None = None
    alone: Callable[[Tensor], float] | None = None
    in_colour: bool = False


def _ssim(result: Tensor, truth: Tensor, protocol: Protocol) -> float:
    wang = protocol.ssim == "wang"
    window: Window = "uniform7" if protocol.ssim == "uniform7" else "gaussian11"
    return metrics.ssim(result, truth, window=window, downsample=wang, peak=protocol.peak)


METRICS: dict[str, Metric] = {
    "psnr": Metric("PSNR", 1, 2, lambda x, y, p: metrics.psnr(x, y, peak=p.peak)),
    "ssim": Metric("SSIM", 1, 4, _ssim),
    "ms_ssim": Metric("MS-SSIM", 1, 4, lambda x, y, p: metrics.ms_ssim(x, y, peak=p.peak)),
    "delta_e": Metric(
        "ΔE00", -1, 2, lambda x, y, _: metrics.delta_e(x.expand(3, -1, -1), y.expand(3, -1, -1)), in_colour=True
    ),
    "lpips": Metric("LPIPS", -1, 4, lambda x, y, _: metrics.lpips(x, y)),
    "niqe": Metric("NIQE (own model)", -1, 2, alone=metrics.niqe),
    "noise": Metric("noise", -1, 4, alone=lambda x: float(estimate_sigma(x[None].float()).mean())),
    "sharpness": Metric("sharpness", 1, 4, alone=metrics.sharpness),
    "ringing": Metric("ringing", -1, 4, alone=metrics.ringing),
}
"""What ``--metrics`` accepts."""


def check_metrics(names: list[str]) -> None:
    """Refuse a metric that is not there.

    Raises:
        UsageError: with the list of those that are.
    """
    for name in names:
        if name not in METRICS:
            raise UsageError(f"metric {name!r} is unknown. There are {', '.join(METRICS)}.")


def score(
    result: Tensor, truth: Tensor | None, protocol: Protocol, names: list[str]
) -> tuple[dict[str, float], Alignment | None]:
    """The values of the named metrics for one image; those that need a truth are left out without one.

    Args:
        result: (channel, height, width), range [0, 1].
        truth: the sharp image of the same size, or None.
        protocol: how they are compared; no-reference scores see the whole result after clipping.
        names: of :data:`METRICS`.

    Returns:
        The values by name, and the alignment where there is a truth.

    Example:
        >>> image = torch.rand(1, 32, 32)
        >>> score(image, image, Protocol(), ["psnr", "ssim"])[0]
        {'psnr': 120.0, 'ssim': 1.0}
    """
    check_metrics(names)
    found: dict[str, float] = {}
    aligned = None if truth is None else protocol.compare(result, truth)
    for name in names:
        metric = METRICS[name]
        if metric.alone is not None:
            found[name] = metric.alone(result.clamp(0, 1))
        elif metric.against_truth is not None and aligned is not None:
            seen = aligned
            if metric.in_colour and truth is not None and protocol.colour != "as is":
                seen = replace(protocol, colour="as is").compare(result, truth)
            one, other = (torch.from_numpy(np.moveaxis(image, 2, 0)) for image in (seen.result, seen.truth))
            found[name] = metric.against_truth(one, other, protocol)
    return found, aligned

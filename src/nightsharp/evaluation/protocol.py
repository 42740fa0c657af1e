"""How a result is compared with the truth: every choice that moves a number, in one object."""

from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from nightsharp.errors import UsageError
from nightsharp.evaluation.alignment import Alignment, align

Colour = Literal["as is", "luma", "studio luma"]
SsimVariant = Literal["gaussian11", "uniform7", "wang"]

_LUMA = {
    "luma": ((0.299, 0.587, 0.114), 0.0),
    # MATLAB's rgb2ycbcr: 16 to 235 of 255
    "studio luma": ((65.481 / 255, 128.553 / 255, 24.966 / 255), 16 / 255),
}


@dataclass(frozen=True)
class Protocol:
    """A frozen description of a comparison; printed with every table.

    Attributes:
        colour: ``"as is"``: all channels together; ``"luma"``: BT.601 luma, full range; ``"studio luma"``: MATLAB's
            ``rgb2ycbcr``, whose Y spans 219 of 255 and gains 1.32 dB against full range.
        clip: values outside [0, 1] are clipped first.
        quantise: values are rounded to 8 bits first, as a saved PNG is.
        border: pixels left out on each side.
        reach: the farthest shift that is searched, pixels; 0 searches none.
        step: of the search, pixels.
        ssim: ``"gaussian11"``, ``"uniform7"``, or ``"wang"`` (11 x 11 Gaussian with automatic down-sampling).
        aggregate: how the values of the images become one.
        peak: the largest possible value, on the scale of the images.

    Example:
        >>> print(Protocol(border=15, reach=5))
        colours as they are, clipped, 15 px border left out, best shift within 5 px in steps of 0.25 px, peak 1,
        SSIM 11 x 11 Gaussian, mean over images
    """

    colour: Colour = "as is"
    clip: bool = True
    quantise: bool = False
    border: int = 0
    reach: int = 0
    step: float = 0.25
    ssim: SsimVariant = "gaussian11"
    aggregate: Literal["mean", "median"] = "mean"
    peak: float = 1.0

    def __post_init__(self) -> None:
        """Refuse what cannot be carried out.

        Raises:
            UsageError: a border narrower than the shifts, or a step that divides no pixel.
        """
        if not 0 <= self.reach <= self.border:
            raise UsageError(
                f"border {self.border} px with shifts of {self.reach} px: the border must hold the shifts."
            )
        if not 0 < self.step <= 1 or abs(round(1 / self.step) * self.step - 1) > 1e-9:
            raise UsageError(f"step {self.step}: it is 1, 1/2, 1/4 ... of a pixel.")

    def __str__(self) -> str:
        """The protocol in one line."""
        words = {"as is": "colours as they are"}.get(self.colour, self.colour)
        steps = "whole pixels" if self.step == 1 else f"steps of {self.step:g} px"
        search = f"best shift within {self.reach} px in {steps}" if self.reach else "no shift"
        ssim = {"gaussian11": "11 x 11 Gaussian", "uniform7": "7 x 7 uniform", "wang": "Wang, down-sampled"}[self.ssim]
        parts = [
            words,
            "clipped" if self.clip else "not clipped",
            *(["8 bits"] if self.quantise else []),
            f"{self.border} px border left out" if self.border else "whole image",
            search,
            f"peak {self.peak:g}",
            f"SSIM {ssim}",
            f"{self.aggregate} over images",
        ]
        return ", ".join(parts)

    def prepare(self, image: Float[Tensor, "channel height width"]) -> Float[Tensor, "channels height width"]:
        """Clip, quantise and convert, in this order.

        Example:
            >>> Protocol(quantise=True).prepare(torch.tensor([[[0.5, 1.2]]]))
            tensor([[[0.5020, 1.0000]]], dtype=torch.float64)
        """
        values = image.detach().cpu().double()
        if self.clip:
            values = values.clamp(0, 1)
        if self.quantise:
            values = (values * 255).round() / 255
        if self.colour == "as is" or values.shape[0] == 1:
            return values
        weights, offset = _LUMA[self.colour]
        return (values * values.new_tensor(weights)[:, None, None]).sum(0, keepdim=True) + offset

    def compare(
        self, result: Float[Tensor, "channel height width"], truth: Float[Tensor, "channels rows columns"]
    ) -> Alignment:
        """Bring both into the protocol's colours, cut the border, and find the best shift.

        A grey image stands beside a colour one as three equal channels.

        Raises:
            PhotoError: the sizes differ, or the border leaves nothing.
        """
        channels = max(result.shape[0], truth.shape[0])
        one, other = (self.prepare(image.expand(channels, -1, -1)) for image in (result, truth))
        return align(one, other, border=self.border, reach=self.reach, step=self.step)

    def combine(self, values: list[float]) -> float:
        """One value of many.

        Example:
            >>> Protocol(aggregate="median").combine([1.0, 2.0, 9.0])
            2.0
        """
        table = torch.tensor(values, dtype=torch.float64)
        return float(table.quantile(0.5) if self.aggregate == "median" else table.mean())

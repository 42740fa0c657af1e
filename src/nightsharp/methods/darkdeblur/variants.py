"""Where the paper and its release disagree, and what this project does otherwise than both."""

from dataclasses import dataclass
from typing import Literal

VariantName = Literal["code", "paper", "nightsharp"]


@dataclass(frozen=True)
class Variant:
    r"""What differs.

    Attributes:
        convolved: weight of the dense block's last convolution.
        identity: weight of the dense block's input in its output.
        attended: weight of the input scaled by its channel attention.
        batch_norm: the enlargement normalises batches and ends in ReLU; otherwise it does not and ends in PReLU.
        tanh: the input image is added before a tanh; otherwise the correction is added to it as it is.
        conditional: the discriminator sees the blurred image beside the one it judges.
        ring: the discriminator's last convolution surrounds its input with zeros, where it sees its bias only.
        judge_norm: the discriminator normalises batches.
    """

    convolved: float
    identity: float
    attended: float
    batch_norm: bool
    tanh: bool
    conditional: bool
    ring: bool
    judge_norm: bool


# r = 0.2 x5 + x + a and 0.2 r + x, multiplied out
_SCALED = (0.04, 1.2, 0.2)

VARIANTS: dict[str, Variant] = {
    "code": Variant(*_SCALED, batch_norm=True, tanh=True, conditional=False, ring=True, judge_norm=True),
    "paper": Variant(1.0, 0.0, 1.0, batch_norm=False, tanh=True, conditional=True, ring=False, judge_norm=True),
    "nightsharp": Variant(*_SCALED, batch_norm=False, tanh=False, conditional=True, ring=False, judge_norm=False),
}

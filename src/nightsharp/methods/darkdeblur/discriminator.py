"""The discriminator: how likely an image is a real sharp one.

Source: Sharif et al., "DarkDeblur", Expert Systems with Applications 2023, section 2.1.
"""

import itertools

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import silu

from nightsharp.errors import UsageError
from nightsharp.methods.darkdeblur.variants import VARIANTS, VariantName

Image = Float[Tensor, "batch 3 height width"]


class Discriminator(nn.Module):
    """Eight 3 x 3 convolutions with swish, every second one halving the image; one 1 x 1, averaged.

    Args:
        variant: ``"code"``: it sees one image, as released, and its last convolution reaches a ring of zeros around
            its input. ``"paper"``: it sees the blurred image as well. ``"nightsharp"``: likewise, without batch
            normalisation, so that an image's score does not hang on its neighbours in the batch.
        width: channels of the first convolution; they double at the third, fifth and seventh.

    Example:
        >>> judge = Discriminator(variant="paper", width=8)
        >>> judge(torch.rand(2, 3, 32, 32), torch.rand(2, 3, 32, 32)).shape
        torch.Size([2, 1])
    """

    def __init__(self, *, variant: VariantName = "code", width: int = 64) -> None:
        super().__init__()
        self.config = {"variant": variant, "width": width}
        kind = VARIANTS[variant]
        self.conditional = kind.conditional
        enters = 6 if kind.conditional else 3
        depths = [enters, width, width, *(width * times for times in (2, 2, 4, 4, 8, 8))]
        self.convs = nn.ModuleList(
            nn.Conv2d(one, other, 3, 1 + number % 2, 1)
            for number, (one, other) in enumerate(itertools.pairwise(depths))
        )
        # none after the first
        self.norms = nn.ModuleList(nn.BatchNorm2d(depth) if kind.judge_norm else nn.Identity() for depth in depths[2:])
        self.last = nn.Conv2d(depths[-1], 1, 1, padding=int(kind.ring))

    def forward(self, image: Image, blurred: Image | None = None) -> Float[Tensor, "batch 1"]:
        """The probability of being real.

        Args:
            image: that is judged, range [0, 1].
            blurred: the one it was made of; the unconditional variant does not look at it.

        Raises:
            UsageError: the blurred image is missing where it is looked at.
        """
        return torch.sigmoid(self.logits(image, blurred))

    def logits(self, image: Image, blurred: Image | None = None) -> Float[Tensor, "batch 1"]:
        """The logarithm of the odds of being real; arguments as for :meth:`forward`."""
        x = image
        if self.conditional:
            if blurred is None:
                raise UsageError("this discriminator is conditional: give the blurred image beside the one to judge.")
            x = torch.cat([image, blurred], dim=1)
        x = silu(self.convs[0](2 * x - 1))
        for conv, norm in zip(self.convs[1:], self.norms, strict=True):
            x = silu(norm(conv(x)))
        return self.last(x).mean(dim=(2, 3))

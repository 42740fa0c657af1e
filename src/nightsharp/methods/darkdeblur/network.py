"""DarkDeblurNet's generator, top to bottom in the paper's order: dense attention, contextual gate, level transitions.

Source: Sharif, Naqvi, Ali, Biswas, "DarkDeblur: Learning single-shot image deblurring in low-light condition", Expert
Systems with Applications 2023.
"""

from collections.abc import Generator, Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import conv2d, leaky_relu, pad, pixel_shuffle, prelu

from nightsharp.errors import UsageError
from nightsharp.methods.darkdeblur.strips import in_strips, whole
from nightsharp.methods.darkdeblur.variants import VARIANTS, Variant, VariantName

Image = Float[Tensor, "batch 3 height width"]
Features = Float[Tensor, "batch channel height width"]
Mean = Float[Tensor, "#batch channel 1 1"]
Wanted = Generator[Tensor, Tensor, Tensor]
"""Features go out, their mean over the whole image comes in; the return value is the result."""

MULTIPLE = 8
"""Height and width are multiples of this: three halvings."""

_SLOPE, _FIRST_SLOPE = 0.2, 0.01


class ChannelAttention(nn.Module):
    """How much each channel counts, from its mean (equations 2 to 4)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        squeezed = max(4, channels // 16)
        self.squeeze = nn.Linear(channels, squeezed, bias=False)
        self.excite = nn.Linear(squeezed, channels, bias=False)

    def forward(self, mean: Mean) -> Mean:
        """The factors W, in (0, 1)."""
        factors = torch.sigmoid(self.excite(torch.relu(self.squeeze(mean.flatten(1)))))
        return factors[:, :, None, None]


class DenseAttention(nn.Module):
    r"""Five convolutions, each of which sees all before it, beside the channel attention of their input.

    .. math:: D(x) = \alpha\, x_5 + \beta\, x + \gamma\, W(\bar x)\, x

    Equation (5) has (1, 0, 1) for the three weights, the release (0.04, 1.2, 0.2).
    """

    def __init__(self, channels: int, growth: int, kind: Variant, *, attention: bool) -> None:
        super().__init__()
        self.weights = (kind.convolved, kind.identity, kind.attended)
        self.attention = ChannelAttention(channels) if attention else None
        self.convs = nn.ModuleList(_conv(channels + growth * number, growth) for number in range(4))
        self.last = _conv(channels + 4 * growth, channels)

    def forward(self, x: Features, mean: Mean | None) -> Features:
        """Attend.

        Args:
            x: the features.
            mean: of ``x`` over the whole image; None without attention.
        """
        convolved, identity, attended = self.weights
        kept = x.new_tensor(identity)
        if self.attention is not None and mean is not None:
            kept = kept + attended * self.attention(mean)
        weight, bias = convolved * self.last.weight, convolved * _bias(self.last)

        def dense(part: Tensor) -> Tensor:
            features = part
            for conv in self.convs:
                features = torch.cat([features, leaky_relu(conv(features), _SLOPE, inplace=True)], dim=1)
            return conv2d(features, weight, bias, padding=1)

        if whole():
            return torch.addcmul(dense(x), x, kept)

        def strip(part: Tensor, read: slice, own: slice) -> Tensor:
            inner = slice(own.start - read.start, own.stop - read.start)
            return dense(part)[..., inner, :].addcmul_(part[..., inner, :], kept)

        held = 2 * self.last.in_channels
        return in_strips(x, strip, values=held, halo=len(self.convs) + 1, into=torch.empty_like(x))


class ContextualGate(nn.Module):
    r"""Lets through what matters of a level's features: :math:`\phi(F)\,\sigma(G)` (equations 6 to 8)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.feature = nn.Conv2d(channels, channels, 3)
        self.mask = nn.Conv2d(channels, channels, 3)

    def forward(self, x: Features) -> Features:
        """Gate, the border mirrored."""
        # one convolution for both reads the image once
        weight = torch.cat([self.feature.weight, self.mask.weight])
        bias = torch.cat([_bias(self.feature), _bias(self.mask)])

        def gated(around: Tensor) -> Tensor:
            feature, mask = conv2d(around, weight, bias).chunk(2, dim=1)
            if whole():
                return leaky_relu(feature, _SLOPE) * torch.sigmoid(mask)
            return leaky_relu(feature, _SLOPE, inplace=True).mul_(mask.sigmoid_())

        if whole():
            return gated(pad(x, (1, 1, 1, 1), mode="reflect"))
        rows = x.shape[-2]

        def strip(part: Tensor, read: slice, own: slice) -> Tensor:
            top, bottom = int(own.start == 0), int(own.stop == rows)
            return gated(pad(part, (1, 1, top, bottom), mode="reflect"))

        return in_strips(x, strip, values=4 * x.shape[1], halo=1, into=torch.empty_like(x))


class Rise(nn.Module):
    """Twice the height and width by pixel shuffle (equation 10), added to what the gate let through."""

    def __init__(self, channels: int, kind: Variant, *, faithful: bool) -> None:
        super().__init__()
        self.widen = _conv(channels, 4 * channels)
        self.norm = nn.BatchNorm2d(4 * channels) if kind.batch_norm else None
        self.slope = None if kind.batch_norm else nn.Parameter(torch.tensor([0.25]))
        self.faithful = faithful

    def forward(self, x: Features, skip: Float[Tensor, "batch channel rows columns"]) -> Wanted:
        """Enlarge.

        Args:
            x: features at half the size.
            skip: to be added; overwritten where no gradient is wanted.
        """
        weight, bias = self.widen.weight, _bias(self.widen)
        if self.norm is not None:
            if self.training:
                return self._risen(self.norm(self.widen(x))) + skip
            if self.faithful:
                wide = self.widen(x)
                mean = yield wide
                wide = wide - mean
                factor = ((yield wide.square()) + self.norm.eps).rsqrt() * self.norm.weight[:, None, None]
                return self._risen(wide * factor + self.norm.bias[:, None, None]) + skip
            weight, bias = _normalised(weight, bias, self.norm)
        if whole():
            return self._risen(conv2d(x, weight, bias, padding=1)) + skip

        def strip(part: Tensor, read: slice, own: slice) -> Tensor:
            inner = slice(own.start - read.start, own.stop - read.start)
            risen = self._risen(conv2d(part, weight, bias, padding=1)[..., inner, :])
            return risen.add_(skip[..., 2 * own.start : 2 * own.stop, :])

        return in_strips(x, strip, values=3 * self.widen.out_channels, halo=1, into=skip)

    def _risen(self, wide: Tensor) -> Tensor:
        large = pixel_shuffle(wide, 2)
        return torch.relu(large) if self.slope is None else prelu(large, self.slope)


class DarkDeblurNet(nn.Module):
    """The generator: three levels down and up, dense attention on each, gated skips, the image added at the end.

    Args:
        variant: ``"code"``: as released. ``"paper"``: dense blocks without scaling and without their input, PReLU and
            no batch normalisation. ``"nightsharp"``: the release's dense blocks, PReLU, no batch normalisation, and
            the image added outside the tanh, so that black and white can be reached and an untrained network hands
            its input back.
        widths: channels at full, half, quarter and eighth size.
        growth: channels that each convolution of a dense block adds.
        attention: whether dense blocks have their channel attention; False is for the ablation.
        gates: whether skips are gated; False is for the ablation.
        faithful: batch normalisation takes its statistics from the image at hand in evaluation mode too, as the
            official inference does, which never leaves training mode; only for the variant ``"code"``.

    Example:
        >>> network = DarkDeblurNet.lite()
        >>> image = torch.rand(1, 3, 32, 40)
        >>> torch.allclose(network(image), image, atol=1e-6)  # untrained
        True
        >>> again = DarkDeblurNet(**network.config)

    Source: section 2.1 and figure 2(a).
    """

    def __init__(
        self,
        *,
        variant: VariantName = "code",
        widths: tuple[int, int, int, int] = (64, 128, 192, 256),
        growth: int = 32,
        attention: bool = True,
        gates: bool = True,
        faithful: bool = False,
    ) -> None:
        super().__init__()
        self.config = {
            "variant": variant,
            "widths": tuple(widths),
            "growth": growth,
            "attention": attention,
            "gates": gates,
            "faithful": faithful,
        }
        self.kind = VARIANTS[variant]
        if faithful and not self.kind.batch_norm:
            raise UsageError(f"faithful concerns batch normalisation, which the variant {variant!r} has not.")
        self.attention = attention
        above, below = widths[:3], widths[1:]
        self.enter = _conv(3, widths[0])
        self.dense = nn.ModuleList(
            DenseAttention(width, growth, self.kind, attention=attention) for width in (*widths, widths[2], widths[1])
        )
        self.gates = nn.ModuleList(ContextualGate(width) if gates else nn.Identity() for width in above)
        self.downs = nn.ModuleList(nn.Conv2d(upper, lower, 3, 2, 1) for upper, lower in zip(above, below, strict=True))
        turned = list(zip(above, below, strict=True))[::-1]
        self.narrow = nn.ModuleList(_conv(lower, upper) for upper, lower in turned)
        self.rises = nn.ModuleList(Rise(upper, self.kind, faithful=faithful) for upper, _ in turned)
        self.leave = nn.Conv2d(widths[0], 3, 1)
        for part in self.modules():
            if isinstance(part, nn.Conv2d):
                nn.init.xavier_uniform_(part.weight)
        if not self.kind.tanh:
            nn.init.zeros_(self.leave.weight)
            nn.init.zeros_(_bias(self.leave))

    @classmethod
    def lite(cls, *, variant: VariantName = "nightsharp") -> "DarkDeblurNet":
        """A narrow one for CPUs, below 1 million parameters, most of them where the image is small."""
        return cls(variant=variant, widths=(16, 32, 56, 88), growth=16)

    def forward(self, blurred: Image, means: Sequence[Tensor] | None = None) -> Image:
        """Deblur.

        In training mode the variant ``"code"`` normalises by the statistics of the batch and moves the running ones,
        as its release does at all times.

        Args:
            blurred: range [0, 1], display values; height and width multiples of 8, at least 16.
            means: what is averaged over the whole image, where ``blurred`` is a tile of it
                (:func:`~nightsharp.methods.darkdeblur.measure`); averaged here when None.

        Returns:
            The sharp image, range [0, 1].

        Raises:
            UsageError: height or width is not a multiple of 8, or too small.
        """
        return self._run(blurred, means).clamp(0, 1)

    def forward_all(self, blurred: Image) -> Image:
        """The sharp image, not clipped, for training; ``blurred`` as for :meth:`forward`."""
        return self._run(blurred, None)

    def next_wanted(self, blurred: Image, means: Sequence[Tensor]) -> Tensor | None:
        """The features whose mean over the whole image is needed next.

        Args:
            blurred: a part of the image, as for :meth:`forward`.
            means: those that are known already.

        Returns:
            Features of that part, at its size, half, a quarter or an eighth; None when all are known.
        """
        passes = self._passes(blurred)
        try:
            wanted = next(passes)
            for mean in means:
                wanted = passes.send(mean)
        except StopIteration:
            return None
        return wanted

    def _run(self, blurred: Tensor, means: Sequence[Tensor] | None) -> Tensor:
        passes = self._passes(blurred)
        given = iter(means) if means is not None else None
        mean = None
        while True:
            try:
                wanted = next(passes) if mean is None else passes.send(mean)
            except StopIteration as done:
                return done.value
            mean = wanted.mean(dim=(2, 3), keepdim=True) if given is None else next(given)
            # nothing here shall keep features alive that the network has done with
            del wanted

    def _passes(self, blurred: Tensor) -> Wanted:
        height, width = blurred.shape[-2:]
        if height % MULTIPLE or width % MULTIPLE or min(height, width) < 2 * MULTIPLE:
            raise UsageError(
                f"the image is {height} x {width}; both sides must be multiples of {MULTIPLE} and at least "
                f"{2 * MULTIPLE}. Pad it, or use darkdeblur(), which does."
            )
        # channels innermost spares the convolutions a rearrangement each
        image = (2 * blurred - 1).contiguous(memory_format=torch.channels_last)
        x = leaky_relu(self.enter(image), _FIRST_SLOPE)
        skips = []
        for dense, gate, down in zip(self.dense[:3], self.gates, self.downs, strict=True):
            x = dense(x, (yield x) if self.attention else None)
            skips.append(gate(x))
            x = down(x)
        for dense, narrow, rise in zip(self.dense[3:], self.narrow, self.rises, strict=True):
            x = dense(x, (yield x) if self.attention else None)
            x = yield from rise(narrow(x), skips.pop())
        sharp = self.leave(x) + image
        return ((torch.tanh(sharp) if self.kind.tanh else sharp) + 1) / 2


def _conv(enters: int, leaves: int) -> nn.Conv2d:
    return nn.Conv2d(enters, leaves, 3, padding=1)


def _bias(conv: nn.Conv2d) -> Tensor:
    assert conv.bias is not None
    return conv.bias


def _normalised(weight: Tensor, bias: Tensor, norm: nn.BatchNorm2d) -> tuple[Tensor, Tensor]:
    """A convolution's weights that do the normalisation after it as well, by its running statistics."""
    assert norm.running_mean is not None
    assert norm.running_var is not None
    factor = norm.weight * (norm.running_var + norm.eps).rsqrt()
    return weight * factor[:, None, None, None], (bias - norm.running_mean) * factor + norm.bias

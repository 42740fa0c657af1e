"""The solver behind the regularised methods: ADMM with the data term and every derivative split off.

.. math:: \\min_x\\; \\tfrac12 \\sum_p w_p\\, (k * x - y)_p^2 \\;+\\; \\sigma^2 \\sum_f \\lambda_f \\sum_p \\phi(D_f x)_p

with :math:`u = k * x`, :math:`v_f = D_f x` and, for :math:`x \\ge 0`, a copy of x as variables of their own. Each step is then either a division in the
Fourier domain (x) or independent for every pixel (u, v), and pixels that were never recorded (the border) or clipped
(lamps) cost nothing.

Sources: Afonso, Bioucas-Dias, Figueiredo 2011 (ADMM for imaging); Almeida and Figueiredo, "Deconvolving images with
unknown boundaries using the alternating direction method of multipliers", IEEE TIP 2013 (the split data term);
Eckstein and Bertsekas 1992 (over-relaxation).
"""

from collections.abc import Callable, Sequence
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from nightsharp.methods._blocks.callbacks import Cancel, Progress, tick
from nightsharp.methods._blocks.canvas import Canvas

Derivative = Literal["x", "y", "xx", "yy", "xy"]
Shrink = Callable[[list[Tensor]], list[Tensor]]

_DATA_PENALTY = 0.04
_LIGHT_PENALTY = 0.002
_OVER_RELAXATION = 1.8


def minimise(
    canvas: Canvas,
    derivatives: Sequence[Derivative],
    shrink: Shrink,
    penalty: Float[Tensor, "batch channel 1 1"],
    *,
    ridge: Float[Tensor, "batch channel rows half"] | None = None,
    nonnegative: bool = True,
    iterations: int,
    tolerance: float,
    progress: Progress | None = None,
    cancel: Cancel | None = None,
) -> Float[Tensor, "batch channel rows columns"]:
    """Run ADMM from the observed image.

    Args:
        canvas: the photograph, its weights and its OTF.
        derivatives: which derivatives the prior looks at.
        shrink: the proximal step of the prior, from all derivatives at once to all of them.
        penalty: ADMM's penalty on the derivatives, relative to a data weight of 1.
        ridge: a quadratic prior's spectrum, added to the division; none when None.
        nonnegative: light is not below black; holds ringing beside lamps down.
        iterations: steps at most.
        tolerance: stop when a step changes the image by less than this, relative, in the root mean square.
        progress: told after each step.
        cancel: asked after each step.

    Returns:
        The latent image on the whole canvas.

    Raises:
        Cancelled: ``cancel`` answered True.
    """
    y, otf = canvas.observed, canvas.otf
    size = (y.shape[-2], y.shape[-1])
    divisor = _DATA_PENALTY * otf.abs().square() + (_LIGHT_PENALTY if nonnegative else 1e-8)
    for name in derivatives:
        divisor = divisor + penalty * power(name, size).to(y)
    inverse = 1 / (divisor if ridge is None else divisor + ridge)
    adjoint = _DATA_PENALTY * otf.conj()
    blend = 1 / (canvas.known + _DATA_PENALTY)
    weighted = canvas.known * y
    lamps = bool(canvas.saturated.any())
    # u = k * x and v = D x are the split variables, du and dv their scaled multipliers
    u, du = y.clone(), torch.zeros_like(y)
    p, dp = y.clone(), torch.zeros_like(y)
    v = [torch.zeros_like(y) for _ in derivatives]
    dv = [torch.zeros_like(y) for _ in derivatives]
    x = y
    for step in range(iterations):
        back = torch.zeros_like(y)
        for name, vf, df in zip(derivatives, v, dv, strict=True):
            _add_adjoint(name, vf - df, back)
        back.mul_(penalty)
        if nonnegative:
            back.add_(p - dp, alpha=_LIGHT_PENALTY)
        if canvas.point:
            spectrum = torch.fft.rfft2(back.add_(u - du, alpha=_DATA_PENALTY)).mul_(inverse)
        else:
            spectrum = (adjoint * torch.fft.rfft2(u - du)).add_(torch.fft.rfft2(back)).mul_(inverse)
        before, x = x, torch.fft.irfft2(spectrum, s=size)
        blurred = x if canvas.point else torch.fft.irfft2(spectrum.mul_(otf), s=size)
        # data: a quadratic where recorded, nothing outside, one-sided at clipped pixels
        t = torch.lerp(u, blurred, _OVER_RELAXATION).add_(du)
        u = (weighted + _DATA_PENALTY * t).mul_(blend)
        if lamps:
            u = torch.where(canvas.saturated & (t > y), t, u)
        du = t - u
        if nonnegative:
            q = torch.lerp(p, x, _OVER_RELAXATION).add_(dp)
            p = q.clamp_min(0)
            dp = q - p
        # prior
        g = [
            torch.lerp(vf, _apply(name, x), _OVER_RELAXATION).add_(df)
            for name, vf, df in zip(derivatives, v, dv, strict=True)
        ]
        v = shrink(g)
        dv = [gf.sub_(vf) for gf, vf in zip(g, v, strict=True)]
        tick(step + 1, iterations, progress, cancel)
        change = (x - before).square().mean(dim=(-2, -1)).sqrt() / x.square().mean(dim=(-2, -1)).sqrt().clamp_min(1e-6)
        if float(change.max()) < tolerance:
            break
    return x


def _along(axis: int, image: Tensor) -> Tensor:
    """Forward difference, circular."""
    return torch.roll(image, -1, axis) - image


def _back(axis: int, image: Tensor) -> Tensor:
    """The adjoint of the forward difference."""
    return torch.roll(image, 1, axis) - image


def _apply(name: Derivative, image: Tensor) -> Tensor:
    match name:
        case "x":
            return _along(-1, image)
        case "y":
            return _along(-2, image)
        case "xx":
            return _back(-1, _along(-1, image))
        case "yy":
            return _back(-2, _along(-2, image))
        case "xy":
            return _along(-2, _along(-1, image))


def _add_adjoint(name: Derivative, image: Tensor, total: Tensor) -> None:
    match name:
        case "x":
            total += _back(-1, image)
        case "y":
            total += _back(-2, image)
        case "xx":
            total += _back(-1, _along(-1, image))
        case "yy":
            total += _back(-2, _along(-2, image))
        case "xy":
            total += _back(-1, _back(-2, image))


def power(name: Derivative, size: tuple[int, int]) -> Float[Tensor, "1 1 rows half"]:
    """The squared magnitude of a derivative's transfer function: ``2 - 2 cos w`` for each difference taken.

    Example:
        >>> float(power("x", (4, 4))[0, 0, 0, 2])
        4.0
    """
    rows, columns = size
    along = {
        "y": 2 - 2 * torch.cos(2 * torch.pi * torch.fft.fftfreq(rows))[:, None],
        "x": 2 - 2 * torch.cos(2 * torch.pi * torch.fft.rfftfreq(columns)),
    }
    total = torch.ones(rows, columns // 2 + 1)
    for axis in name:
        total = total * along[axis]
    return total[None, None]

"""The solver behind the regularised methods: ADMM with the data term and the derivatives split off.

.. math:: \\min_{x \\ge 0}\\; \\tfrac12 \\sum_p w_p\\, (k * x - y)_p^2
    \\;+\\; \\sum_{o} \\sum_p \\phi_o\\big(|\\nabla^o x|_p\\big)

with :math:`u = k * x`, :math:`v_o = \\nabla^o x` and a non-negative copy of x as variables of their own. Each step is
then either a division in the Fourier domain (x) or independent for every pixel (u, v), and pixels that were never
recorded (the border) or clipped (lamps) cost nothing.

Of every split variable v with its multiplier d, two mixtures are kept rather than v and d themselves. With
:math:`g = 1.8\\,\\nabla x - 0.8\\,v + d` (over-relaxed) and :math:`v' = f g,\\; d' = g - v'`, the next division needs
:math:`v' - d' = (2f - 1)\\,g` and the next g needs :math:`d' - 0.8\\,v' = (1 - 1.8 f)\\,g`. That halves the memory
traffic, which is what the time goes into.

Sources: Afonso, Bioucas-Dias, Figueiredo 2011 (ADMM for imaging); Almeida and Figueiredo, "Deconvolving images with
unknown boundaries using the alternating direction method of multipliers", IEEE TIP 2013 (the split data term);
Eckstein and Bertsekas 1992 (over-relaxation).
"""

from collections.abc import Callable, Sequence
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from nightsharp.errors import UsageError
from nightsharp.methods._blocks.callbacks import Cancel, Progress, tick
from nightsharp.methods._blocks.canvas import Canvas
from nightsharp.methods._blocks.noise import measured_contrast, root_mean_square

Derivative = Literal["x", "y", "xx", "yy", "xy"]
Shrink = Callable[[Tensor], Tensor]
"""From the squared length of a derivative, ``(batch, 1, rows, columns)``, to the part of it that stays, in [0, 1]."""

_DATA_PENALTY = 0.04
_LIGHT_PENALTY = 0.002
_RELAX = 1.8
_LOOK_EVERY = 5
_ORDERS: tuple[tuple[Derivative, ...], ...] = (("x", "y"), ("xx", "yy", "xy"))


def minimise(
    canvas: Canvas,
    shrinks: Sequence[Shrink],
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
        shrinks: the prior's proximal step, for the gradient and, when there are two, for the second derivatives. The
            length of a derivative is shared by the channels, whose edges coincide.
        penalty: ADMM's penalty on the derivatives, relative to a data weight of 1.
        ridge: a quadratic prior's spectrum, added to the division; none when None.
        nonnegative: light is not below black; holds ringing beside lamps down.
        iterations: steps at most.
        tolerance: an image is done when a step changes it by less than this part of its contrast, in the root mean
            square; looked at every few steps. Each image of a batch comes out as it would alone.
        progress: told after each step.
        cancel: asked after each step.

    Returns:
        The latent image on the whole canvas.

    Raises:
        UsageError: ``iterations`` is below 1.
        Cancelled: ``cancel`` answered True.
    """
    if iterations < 1:
        raise UsageError(f"iterations is {iterations}; at least 1 step is needed.")
    y, otf = canvas.observed, canvas.otf
    size = (y.shape[-2], y.shape[-1])
    inverse = _DATA_PENALTY * otf.abs().square() + (_LIGHT_PENALTY if nonnegative else 1e-8)
    for names in _ORDERS[: len(shrinks)]:
        inverse = inverse + penalty * sum((power(name, size) for name in names), torch.zeros(())).to(y)
    inverse = (inverse if ridge is None else inverse + ridge).reciprocal_()
    adjoint = _DATA_PENALTY * otf.conj().resolve_conj()

    blend = 1 / (canvas.known + _DATA_PENALTY)
    weighted = canvas.known * y * blend
    least = torch.where(canvas.saturated, y, torch.inf) if bool(canvas.saturated.any()) else None
    slope = _Slopes(y, len(shrinks))
    data, data_rest = y.clone(), -(_RELAX - 1) * y
    light, light_rest = y, -(_RELAX - 1) * y
    back = torch.zeros_like(y)
    x = y
    moving, settled = torch.ones_like(y[:, :1, :1, :1], dtype=torch.bool), x
    for step in range(iterations):
        back.mul_(penalty)
        if nonnegative:
            back.add_(light, alpha=_LIGHT_PENALTY)
        if canvas.point:
            spectrum = torch.fft.rfft2(back.add_(data, alpha=_DATA_PENALTY)).mul_(inverse)
        else:
            spectrum = torch.fft.rfft2(data).mul_(adjoint).add_(torch.fft.rfft2(back)).mul_(inverse)
        before, x = x, torch.fft.irfft2(spectrum, s=size)
        seen = x if canvas.point else torch.fft.irfft2(spectrum.mul_(otf), s=size)
        # data: a quadratic where recorded, nothing outside, one-sided at clipped pixels
        t = data_rest.add_(seen, alpha=_RELAX)
        u = torch.addcmul(weighted, t, blend, value=_DATA_PENALTY)
        if least is not None:
            u = torch.where(t > least, t, u)
        torch.sub(2 * u, t, out=data)
        data_rest = t.sub_(u, alpha=_RELAX)
        if nonnegative:
            q = light_rest.add_(x, alpha=_RELAX)
            light = q.abs()
            light_rest = q.sub_(q.clamp_min(0), alpha=_RELAX)
        back = slope.step(x, shrinks)
        tick(step + 1, iterations, progress, cancel)
        if step % _LOOK_EVERY == 1 and tolerance > 0:
            # of the contrast: a bright, even photograph changes little beside its own light, and much beside its detail
            done = moving & (root_mean_square(x - before) <= tolerance * measured_contrast(x))
            if bool(done.any()):
                settled, moving = torch.where(done, x, settled), moving & ~done
            if not bool(moving.any()):
                break
    return torch.where(moving, x, settled)


class _Slopes:
    """The split derivatives of one or two orders."""

    def __init__(self, like: Tensor, orders: int) -> None:
        self._rest = [[torch.zeros_like(like) for _ in names] for names in _ORDERS[:orders]]
        self._zero = torch.zeros_like(like)

    def step(self, x: Tensor, shrinks: Sequence[Shrink]) -> Tensor:
        """Shrink the derivatives of x; returns the adjoint of what the next division needs."""
        if not shrinks:
            return self._zero
        across, down = _difference(x, -1), _difference(x, -2)
        derivatives = [[across, down]]
        if len(shrinks) > 1:
            derivatives.append([_adjoint(across, -1), _adjoint(down, -2), _difference(across, -2)])
        asked = [
            _proximal(new, rest, shrink) for new, rest, shrink in zip(derivatives, self._rest, shrinks, strict=True)
        ]
        z_across, z_down = asked[0]
        if len(shrinks) > 1:
            z_xx, z_yy, z_xy = asked[1]
            z_across.add_(_difference(z_xx, -1)).add_(_adjoint(z_xy, -2))
            z_down.add_(_difference(z_yy, -2))
        return _adjoint(z_across, -1).add_(_adjoint(z_down, -2))


def _proximal(new: list[Tensor], rest: list[Tensor], shrink: Shrink) -> list[Tensor]:
    """One order's shrinkage; ``rest`` becomes what the next step needs, the return value what the division needs."""
    length = torch.zeros((), dtype=new[0].dtype, device=new[0].device)
    for fresh, old in zip(new, rest, strict=True):
        old.add_(fresh, alpha=_RELAX)
        length = torch.addcmul(length, old, old)
    stays = shrink(length.mean(dim=1, keepdim=True))
    asked, kept = 2 * stays - 1, 1 - _RELAX * stays
    for fresh, old in zip(new, rest, strict=True):
        torch.mul(old, asked, out=fresh)
        old.mul_(kept)
    return new


def _difference(image: Tensor, axis: int) -> Tensor:
    """Forward difference, circular."""
    out = torch.empty_like(image)
    length = image.shape[axis]
    torch.sub(image.narrow(axis, 1, length - 1), image.narrow(axis, 0, length - 1), out=out.narrow(axis, 0, length - 1))
    torch.sub(image.narrow(axis, 0, 1), image.narrow(axis, length - 1, 1), out=out.narrow(axis, length - 1, 1))
    return out


def _adjoint(image: Tensor, axis: int) -> Tensor:
    """The adjoint of the forward difference."""
    out = torch.empty_like(image)
    length = image.shape[axis]
    torch.sub(image.narrow(axis, 0, length - 1), image.narrow(axis, 1, length - 1), out=out.narrow(axis, 1, length - 1))
    torch.sub(image.narrow(axis, length - 1, 1), image.narrow(axis, 0, 1), out=out.narrow(axis, 0, 1))
    return out


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

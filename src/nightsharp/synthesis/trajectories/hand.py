"""A hand that holds a camera: rotations and translations on six axes, in seconds, metres and pixels."""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

SAMPLES = 128
# At 1.7 degrees a second a lens of 50 mm moves the picture by a circle of confusion (0.03 mm) in 1/50 s, which is the
# photographers' rule of one over the focal length.
_TURNING = math.radians(1.7)
_ROLLING = 0.5
_DRIFTING = 0.004
# Slow drift up to about this frequency, and physiological tremor around the other; a sixth of the power is tremor.
_DRIFT_HERTZ = 1.5
_TREMOR_HERTZ = (9.0, 1.5)
_TREMOR_SHARE = 1 / 6
_DRIFTS, _TREMORS = 10, 4
_FASTEST_HERTZ = 20.0


@dataclass(frozen=True, eq=False)
class HeldCamera:
    """How a camera was held, shot by shot.

    Attributes:
        exposure: seconds.
        focal: focal length in pixels: that of the lens by the pitch of the pixels.
        place: where in the picture the light lands, (row, column) from the optical axis, pixels.
        distance: of the subject, metres.
        unsteadiness: 1 for a hand that keeps the rule of one over the focal length.
    """

    exposure: Float[Tensor, " batch"]
    focal: Float[Tensor, " batch"]
    place: Float[Tensor, "batch 2"]
    distance: Float[Tensor, " batch"]
    unsteadiness: Float[Tensor, " batch"]


def hand_paths(camera: HeldCamera, *, generator: torch.Generator) -> Float[Tensor, "batch samples 2"]:
    r"""How a light moves over the picture while a hand holds the camera.

    Each axis turns or moves with a velocity that is a Gaussian process: drift of Lorentzian spectrum and tremor around
    9 Hz, as a sum of random waves, which is integrated term by term. With angles :math:`\alpha` and translations t,

    .. math:: \Delta y = f\,\alpha_x - x\,\alpha_z + \tfrac{f t_y + y t_z}{Z}, \qquad
              \Delta x = f\,\alpha_y + y\,\alpha_z + \tfrac{f t_x + x t_z}{Z}

    Args:
        camera: one shot each.
        generator: the source of randomness, on the CPU.

    Returns:
        (row, column) from the start, pixels, at 128 evenly spaced moments of the exposure.

    Example:
        >>> one = torch.ones(2)
        >>> camera = HeldCamera(one / 10, 3000 * one, torch.zeros(2, 2), 5 * one, one)
        >>> hand_paths(camera, generator=torch.Generator().manual_seed(0)).shape
        torch.Size([2, 128, 2])

    Source: spectrum and size follow the rule of one over the focal length and the physiological tremor of 8 to 12 Hz;
    the geometry is that of a pinhole at small angles, as in Whyte et al., "Non-uniform deblurring for shaken images",
    IJCV 2012.
    """
    batch, waves = len(camera.exposure), _DRIFTS + _TREMORS
    shape = (batch, 6, waves)
    share = torch.rand(shape, generator=generator, dtype=torch.float64)
    around = torch.randn(shape, generator=generator, dtype=torch.float64)
    phase = 2 * math.pi * torch.rand(shape, generator=generator, dtype=torch.float64)
    # |amplitude| of a complex normal variable of unit variance, so that the sum is a Gaussian process
    height = torch.empty(shape, dtype=torch.float64).exponential_(generator=generator).sqrt()
    slowest = math.atan(_FASTEST_HERTZ / _DRIFT_HERTZ)
    drift = _DRIFT_HERTZ * (share * slowest).tan()
    tremor = (_TREMOR_HERTZ[0] + _TREMOR_HERTZ[1] * around).clamp(4, _FASTEST_HERTZ)
    is_tremor = torch.arange(waves) >= _DRIFTS
    hertz = torch.where(is_tremor, tremor, drift).clamp_min(1e-3)
    power = torch.where(is_tremor, _TREMOR_SHARE / _TREMORS, (1 - _TREMOR_SHARE) / _DRIFTS)
    speeds = torch.tensor([_TURNING] * 2 + [_TURNING * _ROLLING] + [_DRIFTING] * 3, dtype=torch.float64)
    speed = camera.unsteadiness.double()[:, None, None] * speeds[:, None] * (2 * power).sqrt() * height

    pace = 2 * math.pi * hertz
    moment = camera.exposure.double()[:, None] * torch.arange(SAMPLES) / SAMPLES
    wave = (pace[..., None] * moment[:, None, None] + phase[..., None]).sin() - phase.sin()[..., None]
    pitch, yaw, roll, down, right, near = ((speed / pace)[..., None, :] @ wave)[..., 0, :].unbind(1)

    focal, distance = camera.focal.double()[:, None], camera.distance.double()[:, None]
    row, column = camera.place.double().T[..., None]
    moved_down = focal * pitch - column * roll + (focal * down + row * near) / distance
    moved_right = focal * yaw + row * roll + (focal * right + column * near) / distance
    return torch.stack([moved_down, moved_right], dim=-1)

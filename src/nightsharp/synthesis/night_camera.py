"""Any camera at night: from no noise to very strong, stored as floats, in 8 bits, or as JPEG."""

import torch
from jaxtyping import Float
from torch import Tensor

from nightsharp.optics.jpeg import jpeg
from nightsharp.optics.raw_sensor import RawSensor, photograph
from nightsharp.synthesis.mixture import by_kind, drawn_kinds, log_uniform, uniform
from nightsharp.synthesis.night_look import powers
from nightsharp.synthesis.pipeline import Scene, on_device

# no noise, Gaussian, photons with Gaussian, a colour sensor behind its filters
_NOISE_SHARES = (0.06, 0.34, 0.25, 0.35)
# floats, 8 bits, JPEG
_STORAGE_SHARES = (0.3, 0.4, 0.3)


def night_camera(scene: Scene, generator: torch.Generator) -> Float[Tensor, "batch 3 height width"]:
    """Record blurred light with one of four kinds of noise and store it in one of three ways.

    Storage rounds and compresses display values, as files do, whatever the light of the scene.

    Args:
        scene: blurred light with its gamma.
        generator: the source of randomness, on the CPU.

    Returns:
        Recorded values in the light of the scene, range [0, 1].

    Example:
        >>> scene = Scene(torch.rand(3, 3, 32, 32), torch.full((3, 1, 1, 1), 2.2))
        >>> night_camera(scene, torch.Generator().manual_seed(0)).shape
        torch.Size([3, 3, 32, 32])
    """
    pixels = on_device(generator, scene.light.device)
    recorded = _noisy(scene.light, generator, pixels)
    kinds = drawn_kinds(len(recorded), _STORAGE_SHARES, generator=generator).to(recorded.device)

    def display(chosen: Tensor) -> Tensor:
        return powers(recorded[chosen], 1 / scene.gamma[chosen])

    def eight_bits(chosen: Tensor) -> Tensor:
        return powers(display(chosen).mul(255).round().div(255), scene.gamma[chosen])

    def compressed(chosen: Tensor) -> Tensor:
        quality = uniform(55, 98, len(chosen), generator=generator)
        return powers(jpeg(display(chosen), quality), scene.gamma[chosen])

    return by_kind(kinds, (lambda chosen: recorded[chosen], eight_bits, compressed))


def _noisy(light: Tensor, generator: torch.Generator, pixels: torch.Generator) -> Tensor:
    """Noise of a kind drawn for each image, cut off at black and white."""
    kinds = drawn_kinds(len(light), _NOISE_SHARES, generator=generator).to(light.device)

    def column(low: float, high: float, count: int) -> Tensor:
        return log_uniform(low, high, count, generator=generator)[:, None, None, None].to(light)

    def normal(like: Tensor) -> Tensor:
        return torch.randn(like.shape, generator=pixels, dtype=light.dtype, device=light.device)

    def none(chosen: Tensor) -> Tensor:
        return light[chosen].clamp(0, 1)

    def gaussian(chosen: Tensor) -> Tensor:
        values = light[chosen]
        return (values + column(5e-4, 0.1, len(chosen)) * normal(values)).clamp_(0, 1)

    def photons(chosen: Tensor) -> Tensor:
        values = light[chosen]
        # beyond some tens of photons a normal variable of the same variance is all one sees of them
        variance = values / column(40, 2e4, len(chosen)) + column(3e-4, 0.03, len(chosen)).square()
        return (values + variance.sqrt() * normal(values)).clamp_(0, 1)

    def sensor(chosen: Tensor) -> Tensor:
        many = len(chosen)
        red, blue = (uniform(1.3, 2.4, many, generator=generator) for _ in range(2))
        balance = torch.stack([red, torch.ones(many), blue], dim=1)
        iso = RawSensor.at_iso(log_uniform(100, 12800, many, generator=generator))
        return photograph(light[chosen], iso, balance=balance, generator=pixels)

    return by_kind(kinds, (none, gaussian, photons, sensor))

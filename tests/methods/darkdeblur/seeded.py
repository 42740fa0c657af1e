"""Random images, and networks whose every weight shows."""

from typing import Any

import torch

from nightsharp.methods.darkdeblur import DarkDeblurNet


def random(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed))


def network(**arguments: Any) -> DarkDeblurNet:
    """A small one unless sizes are given; untrained ones would hide their last layers and their statistics."""
    if "widths" not in arguments:
        arguments |= {"widths": (16, 24, 32, 40), "growth": 8}
    generator = torch.Generator().manual_seed(1)
    with torch.random.fork_rng():
        torch.manual_seed(1)
        made = DarkDeblurNet(**arguments).eval()
    for name, value in made.state_dict().items():
        if name.endswith(("running_var", "norm.weight")):
            value.copy_(0.5 + torch.rand(value.shape, generator=generator))
        elif value.ndim == 2:
            value.copy_(2 * torch.randn(value.shape, generator=generator))
        elif value.ndim == 1:
            value.copy_(0.1 * torch.randn(value.shape, generator=generator))
    torch.nn.init.normal_(made.leave.weight, std=0.05, generator=generator)
    return made


def off(ours: torch.Tensor, theirs: torch.Tensor) -> float:
    """The largest difference, relative to the largest value."""
    return float((ours - theirs).abs().max() / theirs.abs().max())

"""One list of PSFs and one of boundaries; whatever joins a list meets every law."""

from typing import get_args

import pytest
import torch
from torch import Tensor

from nightsharp.optics import Boundary, defocus, disk, gaussian, line, shake


def _random(*shape: int) -> Tensor:
    values = torch.rand(*shape, generator=torch.Generator().manual_seed(sum(shape)))
    return values / values.sum(dim=(-2, -1), keepdim=True)


KERNELS: dict[str, Tensor] = {
    "identity": torch.ones(1, 1, 1, 1),
    "line": line(9, angle=30).kernel[None, None],
    "disk": disk(3.3).kernel[None, None],
    "gaussian": gaussian(1.2).kernel[None, None],
    "defocus": defocus(4.5, blades=6, rotation=10).kernel[None, None],
    "shake": shake(11, generator=torch.Generator().manual_seed(3)).kernel[None, None],
    "one row": _random(1, 1, 1, 7),
    "one column": _random(1, 1, 6, 1),
    "even sides": _random(1, 1, 4, 6),
    "two by two": _random(1, 1, 2, 2),
    "as large as the image": _random(1, 1, 24, 31),
    "one per channel": _random(1, 3, 5, 4),
    "one per image": _random(2, 1, 4, 7),
    "one per image and channel": _random(2, 3, 3, 5),
}


@pytest.fixture(params=KERNELS.values(), ids=list(KERNELS))
def kernel(request: pytest.FixtureRequest) -> Tensor:
    return request.param


@pytest.fixture(params=get_args(Boundary))
def boundary(request: pytest.FixtureRequest) -> Boundary:
    return request.param


@pytest.fixture
def generator() -> torch.Generator:
    return torch.Generator().manual_seed(0)


@pytest.fixture
def image(generator: torch.Generator) -> Tensor:
    """Two images of three channels, an even and an odd side."""
    return torch.rand(2, 3, 24, 31, dtype=torch.float64, generator=generator)

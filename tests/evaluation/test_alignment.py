"""The search for the best shift, beside the search that papers describe."""

import time

import numpy as np
import pytest
import torch
from levin_port import best_shift

from nightsharp.errors import PhotoError, UsageError
from nightsharp.evaluation import Protocol, align


def scene(height: int = 72, width: int = 80, seed: int = 0) -> torch.Tensor:
    blocks = torch.rand(1, 1, 9, 10, generator=torch.Generator().manual_seed(seed))
    return torch.nn.functional.interpolate(blocks, (height, width), mode="bicubic")[0].clamp(0, 1)


@pytest.mark.parametrize("border", [3, 8])
@pytest.mark.parametrize("seed", range(4))
def test_the_same_shift_and_error_as_trying_every_shift(seed, border):
    generator = torch.Generator().manual_seed(seed)
    truth = scene(seed=seed)
    moved = truth.roll((int(torch.randint(-2, 3, (), generator=generator)), 1), (1, 2))
    estimate = 0.6 * moved + 0.4 * moved.roll(1, 2) + 0.02 * torch.randn(truth.shape, generator=generator)
    found = align(estimate, truth, border=border, reach=3)
    error, down, right = best_shift(estimate[0].double().numpy(), truth[0].double().numpy(), border, 3)
    assert (found.down, found.right) == (down, right)
    assert abs(10 * np.log10(found.error / error)) < 1e-9


@pytest.mark.parametrize(("reach", "step"), [(0, 0.25), (2, 1.0), (2, 0.5), (5, 0.125)])
def test_any_reach_and_step(reach, step):
    truth = scene()
    estimate = truth.roll((reach, -reach), (1, 2))
    found = align(estimate, truth, border=8, reach=reach, step=step)
    assert (found.down, found.right) == (reach, -reach)
    assert found.error < 1e-20


def test_channels_share_one_shift():
    truth = torch.cat([scene(seed=seed) for seed in range(3)])
    found = align(truth.roll(2, 1), truth, border=6, reach=3)
    assert (found.down, found.right) == (2.0, 0.0)
    assert found.result.shape == (60, 68, 3)


def test_twenty_times_faster_than_a_resampling_for_each_shift():
    truth = scene(255, 255)
    estimate = truth + 0.01 * torch.randn(truth.shape, generator=torch.Generator().manual_seed(1))
    start = time.perf_counter()
    error, *_ = best_shift(estimate[0].double().numpy(), truth[0].double().numpy(), 15, 2)
    literal = (time.perf_counter() - start) * (41 / 17) ** 2
    ours = min(timed(lambda: align(estimate, truth, border=15, reach=5)) for _ in range(3))
    assert abs(10 * np.log10(align(estimate, truth, border=15, reach=5).error / error)) < 1e-3
    assert literal / ours >= 20


def timed(work) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def test_what_cannot_be_compared_is_refused():
    image = scene()
    with pytest.raises(UsageError, match="too narrow"):
        align(image, image, border=4, reach=5)
    with pytest.raises(UsageError, match="step"):
        align(image, image, border=5, reach=1, step=0.3)
    with pytest.raises(PhotoError, match="leaves nothing"):
        align(image, image, border=40, reach=1)
    with pytest.raises(PhotoError, match="one size"):
        align(image, image[:, 1:], border=4, reach=1)
    with pytest.raises(UsageError, match="hold the shifts"):
        Protocol(border=4, reach=5)
    with pytest.raises(UsageError, match="step"):
        Protocol(step=0.3)

"""The quick 5 x 5 convolution is a convolution."""

from collections.abc import Iterator

import pytest
import torch
from torch.nn.functional import conv2d

from nightsharp.methods._blocks import winograd
from nightsharp.methods._blocks.winograd import fast_conv5


def drawn(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


@pytest.fixture
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def no_direct(one_thread: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fail where the direct convolution is taken."""

    def refused(*_: object, **__: object) -> None:
        raise AssertionError("the direct convolution was taken")

    monkeypatch.setattr(winograd, "conv2d", refused)


@pytest.mark.usefixtures("no_direct")
@pytest.mark.parametrize(
    ("batch", "enters", "leaves", "height", "width"),
    [(1, 32, 32, 64, 64), (2, 48, 32, 37, 50), (1, 32, 64, 33, 301), (1, 128, 128, 32, 32), (1, 35, 33, 4, 259)],
)
@pytest.mark.parametrize("memory", [torch.contiguous_format, torch.channels_last])
@torch.no_grad()
def test_it_is_the_convolution(
    batch: int, enters: int, leaves: int, height: int, width: int, memory: torch.memory_format
) -> None:
    x = drawn(batch, enters, height, width).contiguous(memory_format=memory)
    weight, bias = drawn(leaves, enters, 5, 5, seed=1) / (25 * enters) ** 0.5, drawn(leaves, seed=2)
    expected = conv2d(x.double(), weight.double(), bias.double(), padding=2)
    got = fast_conv5(x, weight, bias)
    assert got.shape == expected.shape
    assert (got - expected).abs().max() <= 1.5e-5 * expected.abs().max()
    assert torch.allclose(fast_conv5(x, weight, None), got - bias[:, None, None], atol=1e-5)


@pytest.mark.usefixtures("no_direct")
@torch.no_grad()
def test_strips_do_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    x, weight = drawn(1, 32, 80, 61), drawn(32, 32, 5, 5, seed=1)
    whole = fast_conv5(x, weight, None)
    monkeypatch.setattr(winograd, "_STRIP", 1)
    assert torch.allclose(fast_conv5(x, weight, None), whole, rtol=0, atol=1e-5 * float(whole.abs().max()))


def test_what_is_to_be_differentiated_is_the_direct_convolution() -> None:
    x, weight = drawn(1, 32, 40, 40), drawn(32, 32, 5, 5, seed=1).requires_grad_()
    got = fast_conv5(x, weight, None)
    assert torch.equal(got, conv2d(x, weight, padding=2))
    assert got.requires_grad


@torch.no_grad()
@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
def test_other_precisions_are_the_direct_convolution(dtype: torch.dtype) -> None:
    x, weight = drawn(1, 32, 40, 40).to(dtype), drawn(32, 32, 5, 5, seed=1).to(dtype)
    assert torch.equal(fast_conv5(x, weight, None), conv2d(x, weight, padding=2))

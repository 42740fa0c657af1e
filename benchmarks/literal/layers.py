"""Layers by their official names: ``weights`` is a state dict, ``name`` a prefix in it."""

from collections.abc import Mapping

from torch import Tensor
from torch.nn.functional import conv2d, conv_transpose2d

Weights = Mapping[str, Tensor]


def c(weights: Weights, name: str, x: Tensor, stride: int = 1) -> Tensor:
    """C: a 5 x 5 convolution, padding 2."""
    return conv2d(x, weights[f"{name}.weight"], weights[f"{name}.bias"], stride, 2)


def r(weights: Weights, name: str, x: Tensor) -> Tensor:
    """R: a residual block."""
    return x + c(weights, f"{name}.body.2.body.0", c(weights, f"{name}.body.0.body.0", x).relu_())


def t(weights: Weights, name: str, x: Tensor) -> Tensor:
    """T: a transposed 3 x 3 convolution of stride 2, and ReLU."""
    return conv_transpose2d(x, weights[f"{name}.weight"], weights[f"{name}.bias"], 2, 1, 1).relu_()


def enter(weights: Weights, name: str, x: Tensor, stride: int = 1) -> Tensor:
    """CR and three R."""
    x = c(weights, f"{name}.0.body.0", x, stride).relu_()
    for index in (1, 2, 3):
        x = r(weights, f"{name}.{index}", x)
    return x


def three(weights: Weights, name: str, x: Tensor) -> Tensor:
    """Three R."""
    for index in (0, 1, 2):
        x = r(weights, f"{name}.{index}", x)
    return x


def rise(weights: Weights, name: str, x: Tensor) -> Tensor:
    """Three R and T."""
    return t(weights, f"{name}.3.body.0", three(weights, name, x))

"""DarkDeblurNet and its discriminator as the release computes them, from state dicts under the official names."""

import torch
from torch import Tensor
from torch.nn.functional import batch_norm, conv2d, leaky_relu, linear, pad, pixel_shuffle, relu

from benchmarks.literal.layers import Weights


def darkdeblur(weights: Weights, image: Tensor, *, training: bool = False) -> Tensor:
    """The generator.

    Args:
        weights: the official state dict; the second and third dense block of each attention may be missing.
        image: (batch, 3, height, width), range [-1, 1], sides multiples of 8.
        training: normalise batches by their own statistics, as the release does at test time too.
    """
    e0 = leaky_relu(_conv(weights, "inputConv", image), 0.01)
    s1 = _attention(weights, "depthAttention1", e0)
    g1 = _gate(weights, "gate1", s1)
    s2 = _attention(weights, "depthAttention2", _conv(weights, "down1", s1, 2))
    g2 = _gate(weights, "gate2", s2)
    s3 = _attention(weights, "depthAttention3", _conv(weights, "down2", s2, 2))
    g3 = _gate(weights, "gate3", s3)
    s4 = _attention(weights, "depthAttention4", _conv(weights, "down3", s3, 2))
    u1 = _up(weights, 1, s4, training) + g3
    u2 = _up(weights, 2, _attention(weights, "depthAttention5", u1), training) + g2
    u3 = _up(weights, 3, _attention(weights, "depthAttention6", u2), training) + g1
    return torch.tanh(conv2d(u3, weights["convOut.weight"], weights["convOut.bias"]) + image)


def discriminator(weights: Weights, image: Tensor) -> Tensor:
    """How real an image looks, batches normalised by their own statistics.

    Args:
        weights: the official state dict.
        image: (batch, 3, height, width), range [-1, 1].

    Returns:
        (batch, 1), range [0, 1].
    """
    x = image
    for layer in range(1, 9):
        x = _conv(weights, f"conv{layer}", x, 2 if layer % 2 == 0 else 1)
        if layer > 1:
            x = batch_norm(x, None, None, weights[f"bn{layer}.weight"], weights[f"bn{layer}.bias"], training=True)
        x = x * torch.sigmoid(x)
    x = conv2d(x, weights["conv9.weight"], weights["conv9.bias"], padding=1)
    return torch.sigmoid(x.mean(dim=(2, 3)))


def _conv(weights: Weights, name: str, x: Tensor, stride: int = 1) -> Tensor:
    return conv2d(x, weights[f"{name}.weight"], weights[f"{name}.bias"], stride, 1)


def _attention(weights: Weights, name: str, x: Tensor) -> Tensor:
    name = f"{name}.RDB1"
    squeezed = relu(linear(x.mean(dim=(2, 3)), weights[f"{name}.DA.fc.0.weight"]))
    a = x * torch.sigmoid(linear(squeezed, weights[f"{name}.DA.fc.2.weight"]))[:, :, None, None]
    x1 = leaky_relu(_conv(weights, f"{name}.conv1", x), 0.2)
    x2 = leaky_relu(_conv(weights, f"{name}.conv2", torch.cat([x, x1], 1)), 0.2)
    x3 = leaky_relu(_conv(weights, f"{name}.conv3", torch.cat([x, x1, x2], 1)), 0.2)
    x4 = leaky_relu(_conv(weights, f"{name}.conv4", torch.cat([x, x1, x2, x3], 1)), 0.2)
    x5 = _conv(weights, f"{name}.conv5", torch.cat([x, x1, x2, x3, x4], 1))
    r = 0.2 * x5 + x + a
    return 0.2 * r + x


def _gate(weights: Weights, name: str, x: Tensor) -> Tensor:
    around = pad(x, (1, 1, 1, 1), mode="reflect")
    f = conv2d(around, weights[f"{name}.conv2d.weight"], weights[f"{name}.conv2d.bias"])
    m = conv2d(around, weights[f"{name}.mask_conv2d.weight"], weights[f"{name}.mask_conv2d.bias"])
    return leaky_relu(f * torch.sigmoid(m), 0.2)


def _up(weights: Weights, level: int, x: Tensor, training: bool) -> Tensor:
    x = _conv(weights, f"convUP{level}", x)
    name = f"psUpsampling{level}.upSample"
    x = _conv(weights, f"{name}.0", x)
    mean, var = weights[f"{name}.1.running_mean"].clone(), weights[f"{name}.1.running_var"].clone()
    x = batch_norm(x, mean, var, weights[f"{name}.1.weight"], weights[f"{name}.1.bias"], training=training)
    return relu(pixel_shuffle(x, 2))

"""INFWIDE as its release computes it, from a state dict under the official names."""

import torch
from torch import Tensor
from torch.nn.functional import conv2d, conv_transpose2d, interpolate, pad

from benchmarks.literal.layers import Weights, c, enter, r, rise, t, three
from benchmarks.literal.wiener import median, wiener


def infwide(weights: Weights, image: Tensor, psf: Tensor, *, faithful: bool = True) -> tuple[list[Tensor], Tensor]:
    """Both scales, half and full, and the denoised image.

    Args:
        weights: the official state dict.
        image: (batch, 3, height, width).
        psf: (batch, 1, kh, kw).
        faithful: count height squared pixels in the statistics.
    """
    features = enter(weights, "FeatModule1.FeatureBlock", image)
    x2 = _refine(weights, wiener(features, psf, faithful=faithful))
    denoised = _denoise(weights, image)
    x1 = wiener(denoised, psf, faithful=faithful)
    return _fuse(weights, x1, x2), denoised


def _noise_map(image: Tensor) -> Tensor:
    batch, colours, height, width = image.shape
    plane = torch.zeros_like(image)
    pixels = height * width
    for n in range(batch):
        for colour in range(colours):
            y = image[n : n + 1, colour : colour + 1]
            m = median(y)
            d = m - y
            sn = ((d - d.mean()).square().sum() / (pixels - 1)).sqrt()
            plane[n, colour] = sn / (m.square().sum() / (pixels - 1)).sqrt()
    return plane


def _denoise(weights: Weights, image: Tensor) -> Tensor:
    height, width = image.shape[-2:]

    def w(name: str) -> Tensor:
        return weights[f"DenoiseUnet.{name}.weight"]

    def b(name: str, x: Tensor) -> Tensor:
        inner = conv2d(x, w(f"{name}.res.0"), padding=1).relu_()
        return x + conv2d(inner, w(f"{name}.res.2"), padding=1)

    x = torch.cat([image, _noise_map(image)], dim=1)
    x = pad(x, (0, -width % 8, 0, -height % 8), mode="replicate")
    levels = [conv2d(x, w("m_head"), padding=1)]
    for i in (1, 2, 3):
        x = b(f"m_down{i}.1", b(f"m_down{i}.0", levels[-1]))
        levels.append(conv2d(x, w(f"m_down{i}.2"), stride=2))
    x = b("m_body.1", b("m_body.0", levels[3]))
    for i in (3, 2, 1):
        x = conv_transpose2d(x + levels[i], w(f"m_up{i}.0"), stride=2)
        x = b(f"m_up{i}.2", b(f"m_up{i}.1", x))
    return conv2d(x + levels[0], w("m_tail"), padding=1)[..., :height, :width]


def _refine(weights: Weights, fw: Tensor) -> Tensor:
    name = "FSRefineModule"
    a = enter(weights, f"{name}.InBlock2.inBlock", fw)
    e1 = enter(weights, f"{name}.RefineUnet.encoder_first", a, 2)
    e2 = enter(weights, f"{name}.RefineUnet.encoder_second", e1, 2)
    d2 = rise(weights, f"{name}.RefineUnet.decoder_second", e2)
    d1 = rise(weights, f"{name}.RefineUnet.decoder_first", d2 + _grown(e1, d2))
    b = a + _cut(d1, a)
    return _out_b(weights, f"{name}.OutBlock_b.outLayers", three(weights, f"{name}.OutBlock_a.outLayers", b))


def _out_b(weights: Weights, name: str, x: Tensor) -> Tensor:
    return c(weights, f"{name}.2.body.0", c(weights, f"{name}.1.body.0", r(weights, f"{name}.0", x)))


def _fuse(weights: Weights, x1: Tensor, x2: Tensor) -> list[Tensor]:
    name = "MergeRefineModule"
    height, width = x1.shape[-2:]
    half = (round(height / 2), round(width / 2))
    y1, y2 = _cross_unet(
        weights,
        enter(weights, f"{name}.InBlock11.inBlock", interpolate(x1, size=half, mode="bilinear", align_corners=False)),
        enter(weights, f"{name}.InBlock12.inBlock", interpolate(x2, size=half, mode="bilinear", align_corners=False)),
    )
    o1 = three(weights, f"{name}.OutBlock_a1.outLayers", y1)
    o2 = three(weights, f"{name}.OutBlock_a2.outLayers", y2)
    out0 = _out_b(weights, f"{name}.OutBlock_b.outLayers", torch.cat([o1, o2], dim=1))
    up1 = interpolate(o1, size=(height, width), mode="bilinear", align_corners=False)
    up2 = interpolate(o2, size=(height, width), mode="bilinear", align_corners=False)
    y1, y2 = _cross_unet(
        weights,
        enter(weights, f"{name}.InBlock21.inBlock", torch.cat([up1, x1], dim=1)),
        enter(weights, f"{name}.InBlock22.inBlock", torch.cat([up2, x2], dim=1)),
    )
    o1 = three(weights, f"{name}.OutBlock_a1.outLayers", y1)
    o2 = three(weights, f"{name}.OutBlock_a2.outLayers", y2)
    return [out0, _out_b(weights, f"{name}.OutBlock_b.outLayers", torch.cat([o1, o2], dim=1))]


def _cross_unet(weights: Weights, p: Tensor, q: Tensor) -> tuple[Tensor, Tensor]:
    name = "MergeRefineModule.XRFUnet"

    def step(part: str, one: Tensor, other: Tensor) -> tuple[Tensor, Tensor]:
        mean = (one + other) / 2
        leaving = []
        for x, stream, leave in ((one, "conv1", "12"), (other, "conv2", "21")):
            s = c(weights, f"{name}.{part}.{stream}.0.body.0", x).relu_()
            s = (c(weights, f"{name}.{part}.{stream}.1.body.0", s) + mean).relu_()
            if part.startswith("XRD"):
                leaving.append(c(weights, f"{name}.{part}.conv{leave}.1.body.0", s, 2).relu_())
            else:
                leaving.append(t(weights, f"{name}.{part}.deconv{leave}.1.body.0", s))
        return leaving[0], leaving[1]

    p1, q1 = step("XRD1", p, q)
    p2, q2 = step("XRD2", p1, q1)
    u, v = step("XRU2", p2, q2)
    w, z = step("XRU1", u + _grown(p1, u), v + _grown(q1, v))
    return p + _cut(w, p), q + _cut(z, q)


def _grown(x: Tensor, like: Tensor) -> Tensor:
    down, across = like.shape[-2] - x.shape[-2], like.shape[-1] - x.shape[-1]
    return pad(x, (across // 2, across - across // 2, down // 2, down - down // 2))


def _cut(x: Tensor, like: Tensor) -> Tensor:
    top, left = (x.shape[-2] - like.shape[-2]) // 2, (x.shape[-1] - like.shape[-1]) // 2
    return x[..., top : top + like.shape[-2], left : left + like.shape[-1]]

"""Perceptual distance by a network's features; its weights come from a file, none is shipped."""

import os
from pathlib import Path

import safetensors.torch
import torch
from jaxtyping import Float
from torch import Tensor, nn

from nightsharp.errors import PhotoError, WeightsError

VARIABLE = "NIGHTSHARP_LPIPS"

# (channels out, kernel, stride, padding) of AlexNet's convolutions; a 3 x 3 pooling stands before the second and third
_CONVOLUTIONS = ((64, 11, 4, 2), (192, 5, 1, 2), (384, 3, 1, 1), (256, 3, 1, 1), (256, 3, 1, 1))
_OFFICIAL = (0, 3, 6, 8, 10)
_SHIFT, _SCALE = (-0.030, -0.088, -0.188), (0.458, 0.448, 0.450)
_SMALLEST = 63


class Lpips(nn.Module):
    r"""Learned perceptual image patch similarity, AlexNet, version 0.1.

    .. math:: \sum_l \frac{1}{H_l W_l} \sum_{hw} \| w_l \odot (\hat f^l_{hw} - \hat g^l_{hw}) \|^2

    with features f, g of unit length over the channels; the files hold the squares of w. Without :meth:`load` the
    weights are random.

    Source: Zhang, Isola, Efros, Shechtman and Wang, "The unreasonable effectiveness of deep features as a perceptual
    metric", CVPR 2018.
    """

    shift: Tensor
    scale: Tensor

    def __init__(self) -> None:
        super().__init__()
        channels = [3, *(out for out, *_ in _CONVOLUTIONS)]
        self.convolutions = nn.ModuleList(
            nn.Conv2d(before, out, kernel, stride, padding)
            for before, (out, kernel, stride, padding) in zip(channels, _CONVOLUTIONS, strict=False)
        )
        self.weights = nn.ParameterList(torch.rand(out, 1, 1) for out in channels[1:])
        self.register_buffer("shift", torch.tensor(_SHIFT).view(3, 1, 1), persistent=False)
        self.register_buffer("scale", torch.tensor(_SCALE).view(3, 1, 1), persistent=False)
        self.requires_grad_(False)

    @classmethod
    def load(cls, file: str | os.PathLike[str] | None = None) -> "Lpips":
        """Read the weights that :func:`convert_lpips` wrote.

        Args:
            file: a ``.safetensors``; None takes the one named by the environment variable ``NIGHTSHARP_LPIPS``.

        Raises:
            WeightsError: no file is named, it is missing, or it holds another network.
        """
        place = file if file is not None else os.environ.get(VARIABLE)
        if not place:
            raise WeightsError(
                f"LPIPS needs its weights and none is shipped. Make a file with nightsharp.evaluation.metrics."
                f"convert_lpips from AlexNet's and LPIPS's published weights, and set {VARIABLE} to its path."
            )
        network = cls()
        try:
            network.load_state_dict(safetensors.torch.load_file(place))
        except (OSError, RuntimeError, safetensors.SafetensorError) as problem:
            raise WeightsError(f"{place}: no LPIPS weights in it ({problem}). Make it with convert_lpips.") from problem
        return network.eval()

    def forward(
        self, result: Float[Tensor, "batch 3 height width"], truth: Float[Tensor, "batch 3 height width"]
    ) -> Float[Tensor, " batch"]:
        """The distance of each pair; RGB in [0, 1]."""
        total = result.new_zeros(len(result))
        for weight, f, g in zip(self.weights, self._features(result), self._features(truth), strict=True):
            total = total + (weight * (f - g).square()).sum(1).mean((1, 2))
        return total

    def _features(self, image: Tensor) -> list[Tensor]:
        x = (2 * image - 1 - self.shift) / self.scale
        features = []
        for number, convolution in enumerate(self.convolutions):
            if number in (1, 2):
                x = nn.functional.max_pool2d(x, 3, 2)
            x = convolution(x).relu()
            features.append(x / (x.square().sum(1, keepdim=True).sqrt() + 1e-10))
        return features


def lpips(
    result: Float[Tensor, "channel height width"],
    truth: Float[Tensor, "channels rows columns"],
    network: Lpips | None = None,
) -> float:
    """LPIPS distance of two images; grey counts as three equal channels.

    Args:
        result: the restored image, range [0, 1], at least 63 x 63.
        truth: the sharp image, same shape and range.
        network: the network; None loads it from the file named by ``NIGHTSHARP_LPIPS``.

    Returns:
        The distance, 0 for identical images.

    Raises:
        WeightsError: there are no weights.
        PhotoError: the shapes differ, or the images are too small.

    Example:
        >>> image = torch.rand(3, 64, 64)
        >>> lpips(image, image, Lpips())
        0.0
    """
    if result.shape != truth.shape or min(result.shape[-2:]) < _SMALLEST:
        shapes = " and ".join(" x ".join(map(str, image.shape)) for image in (result, truth))
        raise PhotoError(f"the images are {shapes}; LPIPS compares images of one size, {_SMALLEST} pixels at least.")
    network = Lpips.load() if network is None else network
    one, other = (image.float().expand(3, -1, -1)[None] for image in (result, truth))
    return float(network(one, other))


def convert_lpips(
    alexnet: str | os.PathLike[str], linear: str | os.PathLike[str], into: str | os.PathLike[str]
) -> Path:
    """Write the weights file of :meth:`Lpips.load` from the two published ones.

    Args:
        alexnet: torchvision's ``alexnet-owt-7be5be79.pth``.
        linear: ``alex.pth`` of LPIPS 0.1.
        into: the ``.safetensors`` to write.

    Returns:
        The path written.

    Raises:
        WeightsError: a file is missing or is not what its name says.
    """
    try:
        features = torch.load(alexnet, map_location="cpu", weights_only=True)
        lines = torch.load(linear, map_location="cpu", weights_only=True)
        state = {}
        for number, place in enumerate(_OFFICIAL):
            state[f"convolutions.{number}.weight"] = features[f"features.{place}.weight"]
            state[f"convolutions.{number}.bias"] = features[f"features.{place}.bias"]
            state[f"weights.{number}"] = lines[f"lin{number}.model.1.weight"][0]
        Lpips().load_state_dict(state)
    except Exception as problem:
        raise WeightsError(f"{alexnet} and {linear} are not AlexNet's and LPIPS's weights ({problem}).") from problem
    path = Path(into)
    safetensors.torch.save_file({key: value.contiguous() for key, value in state.items()}, path)
    return path

"""The convolutions of VGG-19, for the perceptual loss; the weights are the public ones, which we do not ship.

Source: Simonyan and Zisserman, ICLR 2015.
"""

import itertools
import os
import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn.functional import max_pool2d

from nightsharp.errors import WeightsError

PUBLIC = "https://download.pytorch.org/models/vgg19-dcbb9e9d.pth"
"""ImageNet weights as torchvision publishes them; fetched by torch.hub, which checks the hash in the name."""

_STAGES = ((64, 2), (128, 2), (256, 4), (512, 4), (512, 4))
_MEAN, _STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


class VGG19Features(nn.Module):
    """What VGG-19 sees at its last convolution (conv5_4), with weights that do not learn.

    Example:
        >>> VGG19Features()(torch.rand(1, 3, 32, 48)).shape
        torch.Size([1, 512, 2, 3])
    """

    mean: Tensor
    std: Tensor

    def __init__(self) -> None:
        super().__init__()
        widths = [3, *(width for width, count in _STAGES for _ in range(count))]
        self.convs = nn.ModuleList(nn.Conv2d(one, other, 3, padding=1) for one, other in itertools.pairwise(widths))
        self.register_buffer("mean", torch.tensor(_MEAN)[:, None, None], persistent=False)
        self.register_buffer("std", torch.tensor(_STD)[:, None, None], persistent=False)
        self.requires_grad_(False)

    def forward(
        self, image: Float[Tensor, "batch 3 height width"], *, normalised: bool = True, activated: bool = True
    ) -> Float[Tensor, "batch 512 rows columns"]:
        """The features at a sixteenth of the size.

        Args:
            image: range [0, 1] where it is ``normalised``; at least 16 x 16.
            normalised: bring the image to ImageNet's mean and spread, as the weights were trained.
            activated: after the last ReLU, where the paper takes them; the release takes them before it.
        """
        x = (image - self.mean) / self.std if normalised else image
        number = 0
        for stage, (_, count) in enumerate(_STAGES):
            if stage:
                x = max_pool2d(x, 2)
            for _ in range(count):
                x = self.convs[number](x)
                number += 1
                if activated or number < len(self.convs):
                    x = torch.relu(x)
        return x

    @classmethod
    def from_public(cls, file: str | os.PathLike[str] | None = None) -> "VGG19Features":
        """With the public weights.

        Args:
            file: torchvision's ``vgg19-dcbb9e9d.pth``, or the same tensors as ``.safetensors``; fetched by torch.hub,
                into its cache, when None.

        Raises:
            WeightsError: the file is not there, or holds something else, or cannot be fetched.
        """
        state = _fetched() if file is None else _read(Path(file))
        network = cls()
        network.load_state_dict(_convolutions(state, PUBLIC if file is None else str(file)))
        return network


def _fetched() -> Mapping[str, Any]:
    try:
        return torch.hub.load_state_dict_from_url(PUBLIC, map_location="cpu", check_hash=True, weights_only=True)
    except (OSError, RuntimeError) as problem:
        raise WeightsError(
            f"VGG-19's weights could not be fetched from {PUBLIC} ({problem}). Give them as a file, or train without "
            "the perceptual term."
        ) from problem


def _read(file: Path) -> Mapping[str, Any]:
    if not file.is_file():
        raise WeightsError(f"{file}: there is no such file. VGG-19's weights are at {PUBLIC}.")
    try:
        if file.suffix == ".safetensors":
            return load_file(file)
        return torch.load(file, map_location="cpu", weights_only=True)
    except (SafetensorError, pickle.UnpicklingError, RuntimeError, EOFError, LookupError, ValueError) as problem:
        raise WeightsError(f"{file}: not a whole weight file ({problem}). VGG-19's are at {PUBLIC}.") from problem


def _convolutions(state: Mapping[str, Any], where: str) -> dict[str, Tensor]:
    """Our names for torchvision's: its layers count convolutions, ReLUs and pools alike."""
    found, place, number = {}, 0, 0
    for width, count in _STAGES:
        for _ in range(count):
            for kind in ("weight", "bias"):
                tensor = state.get(f"features.{place}.{kind}") if isinstance(state, Mapping) else None
                if not isinstance(tensor, Tensor) or tensor.shape[0] != width:
                    raise WeightsError(f"{where}: no VGG-19, 'features.{place}.{kind}' is missing or of another size.")
                found[f"convs.{number}.{kind}"] = tensor
            place += 2
            number += 1
        place += 1
    return found

"""From sharp images to training pairs: scene, PSF, blur, camera."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from nightsharp.errors import RecipeError
from nightsharp.optics import Blur
from nightsharp.synthesis.pairs import Pairs


@dataclass(frozen=True, eq=False)
class Scene:
    r"""The light of a scene before the lens.

    Attributes:
        light: values in which blur is a convolution, >= 0; lamps may exceed 1.
        gamma: how they came of display values, :math:`x = d^\gamma`; 1 where the light is in display values itself.
    """

    light: Float[Tensor, "batch 3 height width"]
    gamma: Float[Tensor, "batch 1 1 1"]


# Draws come from a generator on the CPU, whatever the device, so that every device gets the same parameters.
Look = Callable[[Tensor, torch.Generator], Scene]
Lens = Callable[[int, torch.Generator], Tensor]
Camera = Callable[[Scene, torch.Generator], Tensor]
Belief = Callable[[Tensor, torch.Generator], Tensor]


def display_values(sharp: Float[Tensor, "batch 3 height width"], generator: torch.Generator) -> Scene:
    """Take display values as they are.

    Args:
        sharp: range [0, 1].
        generator: not used.
    """
    return Scene(sharp, sharp.new_ones(len(sharp), 1, 1, 1))


def true_psf(psf: Float[Tensor, "batch 1 k k"], generator: torch.Generator) -> Float[Tensor, "batch 1 k k"]:
    """Know the PSF.

    Args:
        psf: the true one.
        generator: not used.
    """
    return psf


@dataclass(frozen=True, eq=False)
class Pipeline:
    r"""The four steps from sharp images to pairs; each can be exchanged with ``dataclasses.replace``.

    .. math:: y = \mathrm{camera}\big(k * \mathrm{look}(x)\big)

    Attributes:
        name: of the recipe.
        lens: draws PSFs, ``(count, generator) -> (count, 1, k, k)``.
        camera: records blurred light, ``(scene, generator) -> (batch, 3, height, width)``.
        look: makes light of display values, ``(sharp, generator) -> Scene``.
        develop: what is shown of light, sharp or blurred, before the camera records it; nothing is changed where None.
        belief: what a method is told of the PSF, ``(psf, generator) -> psf``.
        margin: pixels that each side of a pair is smaller than the sharp image, so that nothing beyond its border is
            needed; 0 blurs with a circular border.
        monochrome: share of the pairs of which the green channel alone is kept, three times: a network that always sees
            three kinds of noise does not know what to do with one.

    Example:
        >>> from nightsharp.synthesis import pipeline
        >>> infwide = pipeline("infwide")
        >>> pairs = infwide.pairs(torch.rand(2, 3, 64, 64), generator=torch.Generator().manual_seed(0))
        >>> pairs.blurred.shape, pairs.psf.shape, infwide.source_side(64)
        (torch.Size([2, 3, 64, 64]), torch.Size([2, 1, 37, 37]), 64)
    """

    name: str
    lens: Lens
    camera: Camera
    look: Look = display_values
    develop: Callable[[Tensor], Tensor] | None = None
    belief: Belief = true_psf
    margin: int = 0
    monochrome: float = 0.0

    def source_side(self, side: int) -> int:
        """The side of the sharp crops from which pairs of ``side`` pixels are made.

        Args:
            side: of the pairs, pixels.
        """
        return side + 2 * self.margin

    def pairs(self, sharp: Float[Tensor, "batch 3 height width"], *, generator: torch.Generator) -> Pairs:
        """Make a pair of each sharp image.

        The same images and generator state give the same pairs; on another device the parameters are the same and the
        noise is of the same law.

        Args:
            sharp: display values, range [0, 1], each side at least ``source_side(1)``.
            generator: the source of all randomness, on the CPU.

        Returns:
            The pairs, on the device of ``sharp``, smaller than it by ``margin`` on each side.

        Raises:
            RecipeError: the images are too small for the PSFs of this recipe.
        """
        scene = self.look(sharp, generator)
        psf = self.lens(len(sharp), generator).to(sharp)
        smallest = max(psf.shape[-1], self.source_side(1))
        if min(sharp.shape[-2:]) < smallest:
            raise RecipeError(
                f"the sharp images are {sharp.shape[-2]} x {sharp.shape[-1]}; recipe {self.name!r} needs "
                f"{smallest} x {smallest} at least. Take larger crops (Pipeline.source_side)."
            )
        blurred_light = self._blurred(scene.light, psf)
        light = scene.light[
            ..., self.margin : sharp.shape[-2] - self.margin, self.margin : sharp.shape[-1] - self.margin
        ]
        if self.develop is not None:
            light, blurred_light = self.develop(light), self.develop(blurred_light)
        recorded = self.camera(Scene(blurred_light, scene.gamma), generator)
        clean, sharp = blurred_light.clamp(0, 1), light.clamp(0, 1).contiguous()
        if self.monochrome:
            grey = torch.rand(len(sharp), generator=generator) < self.monochrome
            sharp, clean, recorded = (_green_where(grey, images) for images in (sharp, clean, recorded))
        return Pairs(
            sharp=sharp,
            clean=clean,
            blurred=recorded,
            psf=psf,
            assumed_psf=self.belief(psf, generator),
            sigma=_noise(recorded, clean),
        )

    def _blurred(self, light: Tensor, psf: Tensor) -> Tensor:
        if not self.margin:
            return Blur(psf, "circular")(light).clamp_min(0)
        whole = Blur(psf, "valid")(light).clamp_min(0)
        extra = self.margin - psf.shape[-1] // 2
        return whole[..., extra : whole.shape[-2] - extra, extra : whole.shape[-1] - extra].contiguous()


def _green_where(grey: Tensor, images: Tensor) -> Tensor:
    return torch.where(grey.to(images.device)[:, None, None, None], images[:, 1:2], images)


def _noise(recorded: Tensor, clean: Tensor) -> Tensor:
    """Root mean square of the difference where the light is not saturated; 0 where all of it is."""
    counted = (clean < recorded.amax((-3, -2, -1), keepdim=True)).to(clean)
    square = ((recorded - clean).square() * counted).sum((-3, -2, -1), keepdim=True)
    return (square / counted.sum((-3, -2, -1), keepdim=True).clamp_min(1)).sqrt()


def on_device(generator: torch.Generator, device: torch.device) -> torch.Generator:
    """A generator for pixels on a device, seeded by the generator of the parameters; itself on the CPU.

    Args:
        generator: on the CPU.
        device: where the pixels are.
    """
    if device.type == "cpu":
        return generator
    seed = int(torch.randint(2**62, (), generator=generator))
    return torch.Generator(device).manual_seed(seed)

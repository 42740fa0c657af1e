"""The multi-term objective: the paper's, and the release's.

Source: Sharif et al., "DarkDeblur", Expert Systems with Applications 2023, section 2.2.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits, l1_loss, softplus

from nightsharp.methods.darkdeblur.ms_ssim import ms_ssim, released_ms_ssim
from nightsharp.methods.darkdeblur.vgg import VGG19Features

Image = Float[Tensor, "batch 3 height width"]
Logits = Float[Tensor, "batch 1"]
Terms = dict[str, Tensor]
"""Each term with its weight in it; their sum is what is minimised."""


@dataclass(frozen=True)
class Weights:
    """How much each term counts; 0 leaves it out (equation 16).

    Attributes:
        reconstruction: of the mean absolute error.
        structure: of 1 - MS-SSIM.
        perceptual: of the error of VGG-19's features; needs their weights.
        adversarial: of the discriminator's verdict.
    """

    reconstruction: float = 1.0
    structure: float = 1.0
    perceptual: float = 1e-2
    adversarial: float = 1e-4


RELEASED = Weights(perceptual=1.0, adversarial=1e-3)
"""The release's weights; its perceptual term is a product (:func:`released_terms`)."""


def paper_terms(
    restored: Image, sharp: Image, logits: Logits | None, vgg: VGG19Features | None, weights: Weights | None = None
) -> Terms:
    r"""The paper's objective.

    .. math:: L = L_R + (1 - \text{MS-SSIM}) + \lambda_F L_F + \lambda_G L_G

    The paper writes + SSIM, which would be minimised; 1 - SSIM is meant.

    Args:
        restored: of :meth:`~nightsharp.methods.darkdeblur.DarkDeblurNet.forward_all`.
        sharp: the truth, range [0, 1].
        logits: the discriminator's of ``restored``; None without one.
        vgg: features for the perceptual term; None without it.
        weights: None for the paper's.

    Example:
        >>> x = torch.rand(1, 3, 32, 32)
        >>> {name: abs(round(float(value), 4)) for name, value in paper_terms(x, x, None, None).items()}
        {'reconstruction': 0.0, 'structure': 0.0}
    """
    weights = weights or Weights()
    terms = {}
    if weights.reconstruction:
        terms["reconstruction"] = weights.reconstruction * l1_loss(restored, sharp)
    if weights.structure:
        terms["structure"] = weights.structure * (1 - ms_ssim(restored, sharp))
    if vgg is not None and weights.perceptual:
        terms["perceptual"] = weights.perceptual * perceptual_loss(restored, sharp, vgg)
    if logits is not None and weights.adversarial:
        terms["adversarial"] = weights.adversarial * adversarial_loss(logits)
    return terms


def released_terms(
    restored: Image, sharp: Image, logits: Logits | None, vgg: VGG19Features | None, weights: Weights | None = None
) -> Terms:
    r"""The release's objective: all on values from -1 to 1, its own MS-SSIM, and a product for the perceptual term.

    .. math:: L = L_R + (1 - \text{MS-SSIM}') + \lambda_F\, T\, F + \lambda_G L_G

    with F the error of VGG-19's features before their last ReLU, of images not normalised, and T that of the gradients.

    Args:
        restored: as for :func:`paper_terms`, range [0, 1].
        sharp: likewise.
        logits: likewise.
        vgg: likewise.
        weights: None for the release's.
    """
    weights = weights or RELEASED
    x, y = 2 * restored - 1, 2 * sharp - 1
    terms = {}
    if weights.reconstruction:
        terms["reconstruction"] = weights.reconstruction * l1_loss(x, y)
    if weights.structure:
        terms["structure"] = weights.structure * (1 - released_ms_ssim(x, y))
    if vgg is not None and weights.perceptual:
        features = l1_loss(vgg(x, normalised=False, activated=False), vgg(y, normalised=False, activated=False))
        terms["perceptual"] = weights.perceptual * gradient_error(x, y) * features
    if logits is not None and weights.adversarial:
        terms["adversarial"] = weights.adversarial * adversarial_loss(logits)
    return terms


def perceptual_loss(restored: Image, sharp: Image, vgg: VGG19Features) -> Float[Tensor, ""]:
    r"""The mean absolute error of VGG-19's top features (equation 14).

    .. math:: \frac{1}{HWC} \lVert \psi(\hat x) - \psi(x) \rVert_1

    Args:
        restored: range [0, 1].
        sharp: the same.
        vgg: the features ψ.
    """
    return l1_loss(vgg(restored), vgg(sharp))


def gradient_error(image: Image, other: Image) -> Float[Tensor, ""]:
    r"""The release's total variation between two images.

    .. math:: \frac{\sum |\nabla_y x - \nabla_y y| + \sum |\nabla_x x - \nabla_x y|}{N C H W}

    Example:
        >>> ramp = torch.arange(4.0).expand(1, 3, 4, 4)
        >>> float(gradient_error(ramp, torch.zeros(1, 3, 4, 4)))
        0.75
    """
    difference = image - other
    total = difference.diff(dim=-2).abs().sum() + difference.diff(dim=-1).abs().sum()
    return total / image.numel()


def adversarial_loss(logits: Logits) -> Float[Tensor, ""]:
    r"""How surely the discriminator takes the restored images for made up: :math:`-\log D` (equation 15).

    Example:
        >>> round(float(adversarial_loss(torch.zeros(2, 1))), 4)
        0.6931
    """
    return softplus(-logits).mean()


def discriminator_loss(real: Logits, fake: Logits, *, generator: torch.Generator | None = None) -> Float[Tensor, ""]:
    r"""What the discriminator minimises: :math:`-\log D(\text{real}) - \log(1 - D(\text{fake}))`.

    Args:
        real: its logits of sharp images.
        fake: its logits of restored ones.
        generator: where given, targets are drawn as the release draws them, from [0.7, 1.2] and [0, 0.3]; those above
            1, which have no minimum, are taken as 1.

    Example:
        >>> round(float(discriminator_loss(torch.zeros(2, 1), torch.zeros(2, 1))), 4)
        1.3863
    """
    if generator is None:
        return softplus(-real).mean() + softplus(fake).mean()
    drawn = torch.rand(2, *real.shape, generator=generator, device=generator.device).to(real)
    high, low = (0.7 + 0.5 * drawn[0]).clamp_max(1.0), 0.3 * drawn[1]
    return binary_cross_entropy_with_logits(real, high) + binary_cross_entropy_with_logits(fake, low)

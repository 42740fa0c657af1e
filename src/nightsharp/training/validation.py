"""How good the mean of the weights is on photographs that were never learned from."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torchmetrics.functional.image import structural_similarity_index_measure

from nightsharp.training.batches import Batch


@dataclass(frozen=True)
class Scores:
    """Means over the held-out crops, values clipped to [0, 1].

    Attributes:
        psnr: of what the network restores, dB.
        ssim: of the same.
        psnr_recorded: of what it was given, dB.
    """

    psnr: float
    ssim: float
    psnr_recorded: float


@dataclass(frozen=True)
class Sides:
    """Some held-out crops to look at.

    Attributes:
        recorded: what the network was given.
        restored: what it made of it.
        sharp: the truth.
        psf: the blur.
    """

    recorded: Float[Tensor, "count 3 height width"]
    restored: Float[Tensor, "count 3 height width"]
    sharp: Float[Tensor, "count 3 height width"]
    psf: Float[Tensor, "count 1 k k"]


@torch.no_grad()
def validate(
    network: nn.Module, held_out: Sequence[Batch], device: torch.device, crops: int, looked_at: int = 4
) -> tuple[Scores, Sides]:
    """Restore the held-out crops and compare.

    Args:
        network: on ``device``.
        held_out: the batches, the same each time.
        device: where the network is.
        crops: how many crops count; what a last batch has beyond them is left out.
        looked_at: how many crops come back as pictures.

    Returns:
        The scores and the first pictures.
    """
    shown: list[tuple[Tensor, ...]] = []
    sums = torch.zeros(3, dtype=torch.float64)
    for batch in held_out:
        here = batch.to(device)
        pairs, count = here.pairs, min(len(here.pairs), crops - sum(len(part[0]) for part in shown))
        # a network that takes channels one by one lays them along the batch
        picture = network(*here.inputs).reshape(pairs.sharp.shape)[:count].clamp(0, 1)
        recorded, sharp = pairs.blurred[:count].clamp(0, 1), pairs.sharp[:count]
        ssim = structural_similarity_index_measure(picture, sharp, data_range=1.0, reduction="sum")
        sums += torch.stack([_psnr(picture, sharp), torch.as_tensor(ssim), _psnr(recorded, sharp)]).cpu().double()
        shown.append((recorded.cpu(), picture.cpu(), sharp.cpu(), pairs.psf[:count].cpu()))
    psnr, ssim, psnr_recorded = (sums / crops).tolist()
    sides = Sides(*(torch.cat(parts)[:looked_at] for parts in zip(*shown, strict=True)))
    return Scores(psnr, ssim, psnr_recorded), sides


def _psnr(picture: Tensor, sharp: Tensor) -> Tensor:
    """The sum over the crops of each one's PSNR, 100 dB at most."""
    error = (picture - sharp).square().mean(dim=(1, 2, 3))
    return -10 * error.clamp_min(1e-10).log10().sum()

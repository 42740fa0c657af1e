"""What a run leaves for people: the learning curve, pictures, TensorBoard, and weights with their card."""

import math
import platform
from dataclasses import asdict, dataclass

import torch
from torch import nn
from torch.utils.tensorboard import SummaryWriter

from nightsharp import weights
from nightsharp.training.batches import Batch, Batches
from nightsharp.training.curve import Row, load_curve, save_curve
from nightsharp.training.job import Job
from nightsharp.training.preview import draw_preview, save_preview
from nightsharp.training.split import Split
from nightsharp.training.validation import Scores, validate


@dataclass(frozen=True)
class Moment:
    """Where a run is when it is validated.

    Attributes:
        step: batches behind.
        seconds: of training.
        lr: learning rate of the last step.
        terms: mean of each term of the loss since the last validation.
        skipped: batches left out.
    """

    step: int
    seconds: float
    lr: float
    terms: dict[str, float]
    skipped: int


class Recorder:
    """Validates and writes down, in the first process of a run.

    Args:
        job: what is asked for.
        split: the photographs.
        device: where the network is.
        step: the step that the run begins with.
    """

    def __init__(self, job: Job, split: Split, device: torch.device, step: int) -> None:
        self._job, self._split, self._device = job, split, device
        self._held_out = held_out_batches(job, split)
        self.rows = load_curve(job.curve, step) if job.resume else []
        self._writer = SummaryWriter(str(job.out / "tensorboard"), purge_step=step + 1)

    def record(self, network: nn.Module, moment: Moment) -> Row | None:
        """Validate a network and write everything down.

        Args:
            network: the mean of the weights.
            moment: where the run is.

        Returns:
            The new row; None, and nothing is written, when what the network makes is not finite.
        """
        scores, sides = validate(network, self._held_out, self._device, self._job.recipe.validation_crops)
        if not math.isfinite(scores.psnr + scores.ssim):
            return None
        row = Row(
            step=moment.step,
            seconds=round(moment.seconds, 2),
            lr=moment.lr,
            loss=sum(moment.terms.values()) if moment.terms else None,
            terms=moment.terms,
            skipped=moment.skipped,
            **asdict(scores),
        )
        self.rows.append(row)
        picture = draw_preview(sides)
        folder = self._job.out / "preview"
        folder.mkdir(exist_ok=True)
        save_preview(picture, folder / f"step-{row.step:07}.png")
        about = {"recipe": self._job.recipe.model_dump(exclude_none=True), "data": self._data()}
        save_curve(self._job.curve, self.rows, about)
        weights.save(self._job.weights, network, self._card(row, scores), overwrite=True)
        self._to_tensorboard(row)
        self._writer.add_image("recorded, restored, sharp", picture, row.step, dataformats="HWC")
        self._writer.flush()
        return row

    def close(self) -> None:
        """Finish the TensorBoard file."""
        self._writer.close()

    def _to_tensorboard(self, row: Row) -> None:
        scalars = {"loss": row.loss, "lr": row.lr, "psnr": row.psnr, "ssim": row.ssim}
        for name, value in {**scalars, **{f"loss/{name}": value for name, value in row.terms.items()}}.items():
            if value is not None:
                self._writer.add_scalar(name, value, row.step)

    def _card(self, row: Row, scores: Scores) -> weights.Card:
        recipe = self._job.recipe
        protocol = (
            f"{recipe.validation_crops} crops of {recipe.crop} px from {len(self._split.held_out)} held-out "
            f"photographs, synthesis {recipe.pipeline}, seed {recipe.seed}, values clipped, mean of the crops; "
            f"{scores.psnr_recorded:.2f} dB before"
        )
        on_gpu = self._device.type == "cuda"
        return weights.Card(
            system=recipe.network,
            data=self._data(),
            recipe=recipe.model_dump_json(exclude_none=True),
            steps=row.step,
            hours=round(row.seconds / 3600, 4),
            machine=torch.cuda.get_device_name(self._device) if on_gpu else platform.machine(),
            measured=(
                weights.Measurement(
                    on="held-out crops", metric="PSNR", value=round(row.psnr, 3), unit="dB", protocol=protocol
                ),
                weights.Measurement(on="held-out crops", metric="SSIM", value=round(row.ssim, 4), protocol=protocol),
            ),
        )

    def _data(self) -> str:
        split = self._split
        return f"{len(split.train)} photographs, {len(split.held_out)} more held out ({split.origin})"


def held_out_batches(job: Job, split: Split) -> list[Batch]:
    """The batches of every validation, always the same ones.

    Args:
        job: names folder and recipe.
        split: names the photographs.
    """
    recipe = job.recipe
    batches = Batches(job.data, recipe, "held out").only(split.held_out)
    count = math.ceil(recipe.validation_crops / recipe.batch)
    return [batches.batch(number, batches.sharp(number)) for number in range(count)]

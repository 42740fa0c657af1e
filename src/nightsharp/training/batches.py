"""The batches of a run: batch n is the same in every process, worker and repetition."""

import itertools
import signal
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from nightsharp.errors import RecipeError
from nightsharp.synthesis import Pairs, SharpFolder, generator_for, oriented, pipeline
from nightsharp.training.displayed import in_display_values
from nightsharp.training.objectives import OBJECTIVES
from nightsharp.training.recipe import Recipe
from nightsharp.training.recorded import RECORDED, RecordedFrames, RecordedPairs

_ENDLESS = 2**40
# Batches between two uses of one, so that neighbouring steps do not see the same photographs.
_APART = 4


@dataclass(frozen=True)
class Batch:
    """One batch.

    Attributes:
        number: in the run.
        pairs: what was made of sharp crops.
        inputs: what the network is given of them.
    """

    number: int
    pairs: Pairs
    inputs: tuple[Tensor, ...]

    def to(self, device: torch.device) -> "Batch":
        """The same batch on a device.

        Args:
            device: where to.
        """
        return Batch(self.number, self.pairs.to(device), tuple(part.to(device) for part in self.inputs))

    def oriented(self, orientation: int) -> "Batch":
        """The same batch, all of it turned and flipped.

        Args:
            orientation: as :func:`nightsharp.synthesis.oriented` counts them; 0 changes nothing.
        """
        pairs = Pairs(*(oriented(getattr(self.pairs, field.name), orientation) for field in fields(self.pairs)))
        return Batch(self.number, pairs, tuple(oriented(part, orientation) for part in self.inputs))


@dataclass(frozen=True)
class Share:
    """Which part of each batch is made here.

    Attributes:
        part: number of this process.
        parts: how many processes there are.
    """

    part: int = 0
    parts: int = 1


class Batches:
    """All batches of a run, or one process' share of them, by number.

    Args:
        folder: holds the photographs.
        recipe: names crop, batch, pipeline, network and seed.
        stream: a word that tells these batches from others of the same seed.
        share: the part that is made here.

    Attributes:
        crops: the photographs.
    """

    def __init__(self, folder: Path, recipe: Recipe, stream: str, share: Share | None = None) -> None:
        self._inputs = OBJECTIVES[recipe.network].inputs
        self._recipe = recipe
        self._stream = stream
        self._share = share or Share()
        if recipe.pipeline == RECORDED:
            if recipe.network != "darkdeblur":
                raise RecipeError(
                    f"{recipe.name}: {recipe.network} needs a PSF, which nobody knows of recorded frames. Take another "
                    "pipeline, or the network darkdeblur."
                )
            self._pipeline = RecordedPairs()
            self.crops = RecordedFrames(folder, recipe.crop, recipe.seed)
        else:
            self._pipeline = pipeline(recipe.pipeline, **recipe.synthesis)
            self.crops = SharpFolder(folder, self._pipeline.source_side(recipe.crop), recipe.seed)

    @property
    def left_out(self) -> str | None:
        """How many photographs of the folder no crop is taken from, and why the first of them; None where all are."""
        notes = self.crops.notes if isinstance(self.crops, SharpFolder) else []
        if not notes:
            return None
        found = len(self.crops.files) + len(notes)
        return f"{len(notes)} of {found} photographs are left out; the first: {notes[0].removeprefix('left out: ')}"

    def only(self, files: Sequence[Path]) -> "Batches":
        """Take crops of these photographs alone.

        Args:
            files: some of ``crops.files``.
        """
        self.crops.files = list(files)
        return self

    def __reduce__(self) -> tuple[object, ...]:
        """Travel to a worker as what they were made of: neither the pipeline nor opened photographs can or should."""
        again = (self.crops.folder, self._recipe, self._stream, self._share)
        return _with_files, (again, self.crops.files)

    def sharp(self, number: int) -> Float[Tensor, "size 3 height width"]:
        """The sharp crops of batch ``number``."""
        share = self._share
        return self.crops.batch(number * share.parts + share.part, self._recipe.batch // share.parts)

    def batch(self, number: int, sharp: Float[Tensor, "size 3 height width"]) -> Batch:
        """Batch ``number`` of its sharp crops, on their device."""
        generator = generator_for(self._recipe.seed, self._stream, number, self._share.part)
        pairs = self._pipeline.pairs(sharp, generator=generator)
        if self._recipe.displayed:
            pairs = in_display_values(pairs)
        return Batch(number, pairs, self._inputs(pairs))

    def stream_from(self, number: int, device: torch.device, workers: int) -> Iterator[Batch]:
        """The batch of every step from ``number`` on, on the device.

        With ``reuse`` r, step n takes in its turn t = n mod r the batch that was made t times four batches before the
        newest, in orientation t; the first few steps of a run, which have no such batch yet, take the newest.

        Args:
            number: of the first step.
            device: where the batches are wanted.
            workers: processes, as for :meth:`made_from`.
        """
        reuse = self._recipe.reuse
        newest = number // reuse
        oldest = max(0, newest - _APART * (reuse - 1))
        made = self.made_from(oldest, device, workers)
        kept = deque(itertools.islice(made, newest - oldest), maxlen=_APART * (reuse - 1) + 1)
        for step in range(number, _ENDLESS):
            fresh, turn = divmod(step, reuse)
            if not kept or kept[-1].number < fresh:
                kept.append(next(made))
            back = _APART * turn if _APART * turn < len(kept) else 0
            yield replace(kept[-1 - back].oriented(turn), number=step)

    def made_from(self, number: int, device: torch.device, workers: int) -> Iterator[Batch]:
        """Every batch that is made from ``number`` on, on the device.

        Photographs are read by ``workers`` processes, or here where there are none. All the rest is done by those
        processes too for a CPU, and on the device itself otherwise.

        Args:
            number: of the first batch.
            device: where the batches are wanted.
            workers: processes; 0 does all the work here.
        """
        on_cpu = device.type == "cpu"
        loader = DataLoader(
            _ByNumber(self, ready=on_cpu),
            batch_size=None,
            sampler=range(number, _ENDLESS),
            num_workers=workers,
            pin_memory=device.type == "cuda",
            # without one of its own the loader draws from the global source of randomness
            generator=torch.Generator(),
            worker_init_fn=_leave_ctrl_c_to_the_run,
        )
        for made in loader:
            if isinstance(made, Batch):
                yield made
            else:
                count, sharp = made
                yield self.batch(count, sharp.to(device, non_blocking=True))


def _leave_ctrl_c_to_the_run(worker: int) -> None:
    """A terminal sends Ctrl-C to all processes; a run whose workers die of it could not finish its step."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _with_files(arguments: tuple[Path, Recipe, str, Share], files: list[Path]) -> Batches:
    return Batches(*arguments).only(files)


class _ByNumber(Dataset[Batch | tuple[int, Tensor]]):
    """Batches, or the sharp crops for them, as a loader asks for them."""

    def __init__(self, batches: Batches, *, ready: bool) -> None:
        self._batches = batches
        self._ready = ready

    def __len__(self) -> int:
        return _ENDLESS

    def __getitem__(self, number: int) -> Batch | tuple[int, Tensor]:
        sharp = self._batches.sharp(number)
        return self._batches.batch(number, sharp) if self._ready else (number, sharp)

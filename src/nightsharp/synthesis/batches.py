"""A stream of batches that is the same for any number of workers."""

from dataclasses import dataclass

from torch.utils.data import Dataset

from nightsharp.errors import UsageError
from nightsharp.synthesis.pairs import Pairs
from nightsharp.synthesis.pipeline import Pipeline
from nightsharp.synthesis.seeds import generator_for
from nightsharp.synthesis.sharp_folder import SharpFolder


@dataclass(frozen=True, eq=False)
class PairBatches(Dataset[Pairs]):
    """Batch ``i`` of a recipe over a folder depends on seed, size and ``i`` alone.

    It is a map-style dataset whose items are whole batches: ``torch.utils.data.DataLoader(batches, batch_size=None,
    num_workers=n)`` gives the same stream for every ``n``.

    Attributes:
        crops: the sharp crops; their side should be ``pipeline.source_side`` of that of the pairs.
        pipeline: makes the pairs.
        size: pairs in a batch.
        count: batches in the stream; any ``i >= 0`` can be asked for all the same.
        seed: of PSFs and noise; the crops have their own.

    Raises:
        UsageError: ``size`` or ``count`` is no positive number.

    Example:
        >>> import tempfile, torch
        >>> from nightsharp.photo import Photo
        >>> from nightsharp.synthesis import pipeline
        >>> place = tempfile.mkdtemp()
        >>> written = Photo(torch.rand(3, 60, 70)).save(place + "/street.png")
        >>> batches = PairBatches(SharpFolder(place, crop=48), pipeline("dwdn"), size=2, count=10)
        >>> batches[3].blurred.shape
        torch.Size([2, 3, 48, 48])
    """

    crops: SharpFolder
    pipeline: Pipeline
    size: int
    count: int
    seed: int = 0

    def __post_init__(self) -> None:
        """Check at the door."""
        if self.size < 1 or self.count < 1:
            raise UsageError(f"size {self.size} and count {self.count}: give at least 1 of each.")

    def __len__(self) -> int:
        """How many batches."""
        return self.count

    def __getitem__(self, number: int) -> Pairs:
        """Batch ``number``.

        Raises:
            PhotoError: no photograph in the folder can be decoded.
            RecipeError: the crops are too small for the recipe.
        """
        sharp = self.crops.batch(number, self.size)
        return self.pipeline.pairs(sharp, generator=generator_for(self.seed, self.pipeline.name, number))

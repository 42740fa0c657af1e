"""Weight files of the user's own, each for the method that its card names."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from nightsharp.errors import UsageError, WeightsError
from nightsharp.methods import list_methods
from nightsharp.restore.function import usable_methods
from nightsharp.weights import load, read_card_of, sha256


@dataclass(frozen=True)
class WeightFile:
    """Weights that a method is measured with in place of the shipped ones.

    Attributes:
        method: the one that the card names.
        file: where they lie.
        sha256: of the file when it was chosen; a result made by other bytes is none of it.

    Example:
        >>> str(WeightFile("dwdn", Path("run/mine.safetensors"), "0123456789abcdef" * 4))
        'dwdn from mine.safetensors (sha256 0123456789ab)'
    """

    method: str
    file: Path
    sha256: str

    def __str__(self) -> str:
        """One line for tables."""
        return f"{self.method} from {self.file.name} (sha256 {self.sha256[:12]})"


def read_weight_files(files: Sequence[Path]) -> tuple[WeightFile, ...]:
    """See that each file loads, and for which method.

    Args:
        files: ``.safetensors`` files with a card.

    Returns:
        One entry a file, in the same order.

    Raises:
        WeightsError: a file is missing, damaged, without a card, or of no network here.
        UsageError: two files are for one method.

    Example:
        >>> read_weight_files([Path("no-such.safetensors")])
        Traceback (most recent call last):
        nightsharp.errors.WeightsError: no-such.safetensors: there is no such weight file. Check the path.
    """
    found: dict[str, WeightFile] = {}
    for file in files:
        system = read_card_of(file).system
        load(file, system=system)
        if system in found:
            raise UsageError(
                f"{found[system].file} and {file} both hold weights of {system}. Give one of them, and measure the "
                "other by a run of its own."
            )
        found[system] = WeightFile(system, file, sha256(file))
    return tuple(found.values())


def check_weights(methods: Sequence[str], weights: Sequence[WeightFile]) -> None:
    """See that every file serves a method, and every network has weights.

    Args:
        methods: what is going to run; names of the registry, or ``"auto"``.
        weights: what was given for them.

    Raises:
        UsageError: a file's method is not among the methods.
        WeightsError: none are given for a network of which none are shipped.

    Example:
        >>> check_weights(["wiener", "auto"], [])
    """
    for given in weights:
        if given.method not in methods:
            raise UsageError(
                f"{given.file} holds weights of {given.method}, which is not what is measured ({', '.join(methods)}). "
                f"Choose the method {given.method}, or leave the file out."
            )
    wanting = {spec.name for spec in list_methods()} - {spec.name for spec in usable_methods()}
    for name in methods:
        if name in wanting and all(given.method != name for given in weights):
            raise WeightsError(
                f"no weights of {name} are shipped. Give a file of them (--weights), trained by 'nightsharp train' or "
                f"converted by 'nightsharp weights convert', or leave {name} out."
            )

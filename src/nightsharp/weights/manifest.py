"""The weights inside the package, and the checked-in list of their hashes."""

import difflib
import json
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from nightsharp import __version__
from nightsharp.errors import WeightsError
from nightsharp.weights.file import sha256

MANIFEST = "manifest.json"


@dataclass(frozen=True)
class Shipped:
    """A weight file inside the package.

    Attributes:
        name: as ``load`` takes it.
        file: where it lies.
        sha256: what the manifest says of it.
        size: bytes, by the manifest.
    """

    name: str
    file: Path
    sha256: str
    size: int


def shipped_folder() -> Path:
    """The folder of the package that holds the shipped weights."""
    return Path(str(files("nightsharp"))) / "weights" / "shipped"


def list_weights() -> tuple[Shipped, ...]:
    """The shipped weights, by name.

    Example:
        >>> names = [weights.name for weights in list_weights()]
        >>> names == sorted(names)
        True
    """
    folder = shipped_folder()
    listed = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    return tuple(
        Shipped(name, folder / f"{name}.safetensors", entry["sha256"], entry["bytes"])
        for name, entry in sorted(listed.items())
    )


def find_shipped(name: str) -> Shipped:
    """The shipped weights of that name.

    Raises:
        WeightsError: none of that name is shipped.
    """
    weights = {shipped.name: shipped for shipped in list_weights()}
    if name in weights:
        return weights[name]
    near = difflib.get_close_matches(name, weights, 1)
    have = f"there are {', '.join(weights)}" if weights else "none are"
    advice = f"Did you mean {near[0]!r}?" if near else "Train them ('nightsharp train') or convert official ones."
    raise WeightsError(f"no weights {name!r} are shipped with nightsharp {__version__} ({have}). {advice}")


def check_hash(shipped: Shipped) -> None:
    """Compare a shipped file with the manifest.

    Raises:
        WeightsError: the file is missing or not the one that was shipped.
    """
    if not shipped.file.is_file():
        raise WeightsError(f"{shipped.name}: the shipped file {shipped.file} is missing. Install nightsharp again.")
    found = sha256(shipped.file)
    if found != shipped.sha256:
        raise WeightsError(
            f"{shipped.name}: the shipped file is not the one of the manifest (sha256 {found[:12]}..., expected "
            f"{shipped.sha256[:12]}...). Install nightsharp again."
        )


def verify() -> tuple[Shipped, ...]:
    """Compare every shipped file with the manifest, and see that no other lies beside them.

    Returns:
        What was compared.

    Raises:
        WeightsError: a file is missing, changed, or not in the manifest.
    """
    shipped = list_weights()
    for weights in shipped:
        check_hash(weights)
    strays = sorted({file.stem for file in shipped_folder().glob("*.safetensors")} - {w.name for w in shipped})
    if strays:
        raise WeightsError(
            f"{', '.join(strays)}: not in the manifest of the shipped weights. Install nightsharp again."
        )
    return shipped


def write_manifest(folder: Path) -> None:
    """List the weight files of a folder with size and hash, for those who add a file to the package."""
    listed = {
        file.stem: {"bytes": file.stat().st_size, "sha256": sha256(file)}
        for file in sorted(folder.glob("*.safetensors"))
    }
    (folder / MANIFEST).write_text(json.dumps(listed, indent=2) + "\n", encoding="utf-8")

"""The verbs of ``nightsharp weights``."""

import json as json_format
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter

from nightsharp.cli.failures import printable

if TYPE_CHECKING:
    from nightsharp.weights import Card

_OFFICIAL = (".pt", ".pth")
Json = Annotated[bool, Parameter(negative=())]


def list_shipped(*, json: Json = False) -> None:
    """List the weights inside the package.

    Args:
        json: print one JSON document.
    """
    from nightsharp.weights import list_weights, read_card_of

    rows = [(shipped, read_card_of(shipped.file)) for shipped in list_weights()]
    if json:
        listed = [
            {"name": shipped.name, "system": card.system, "bytes": shipped.size, "sha256": shipped.sha256}
            for shipped, card in rows
        ]
        print(json_format.dumps({"weights": listed}, ensure_ascii=False))
        return
    if not rows:
        print("no weights are shipped with this version")
    for shipped, card in rows:
        figure = f"  {card.measured[0]}" if card.measured else ""
        print(f"{shipped.name:<20}{card.system:<14}{shipped.size / 1e6:6.1f} MB  {shipped.sha256[:12]}{figure}")


def show(name: str, /, *, json: Json = False) -> None:
    """Print the card of weights.

    Args:
        name: shipped weights, or a file.
        json: print one JSON document.
    """
    from nightsharp.weights import locate, read_card_of

    card = read_card_of(locate(name))
    if json:
        print(card.model_dump_json())
    else:
        _tell(card)


def _tell(card: "Card") -> None:
    rows: dict[str, Any] = {
        "system": card.system,
        "network": ", ".join(f"{key}={value}" for key, value in card.config.items()),
        "data": card.data,
        "recipe": card.recipe,
        "training": f"{card.steps} steps, {card.hours:g} hours, {card.machine}" if card.steps else "",
        "licence": card.licence,
    }
    for key, value in rows.items():
        if value:
            print(f"{key:<10}{printable(value)}")
    for key, lines in (("measured", map(str, card.measured)), ("history", card.history)):
        for number, line in enumerate(lines):
            print(f"{'' if number else key:<10}{printable(line)}")


def verify(*names: str, json: Json = False) -> None:
    """Compare the shipped weights with their hashes, or see that weights load.

    Args:
        names: shipped weights, or files; without them, all the shipped ones are compared.
        json: print one JSON document.
    """
    from nightsharp.weights import load, locate, sha256
    from nightsharp.weights import verify as verify_shipped

    if names:
        # a file in this folder may have any ending
        chosen = [Path(name) if Path(name).is_file() else name for name in names]
        for weights in chosen:
            load(weights)
        checked = [(str(weights), sha256(locate(weights))) for weights in chosen]
    else:
        checked = [(shipped.name, shipped.sha256) for shipped in verify_shipped()]
    if json:
        print(json_format.dumps({"verified": [{"name": name, "sha256": digest} for name, digest in checked]}))
        return
    for name, digest in checked:
        print(f"{name}: {'loads' if names else 'as shipped'}, sha256 {digest}")
    if not checked:
        print("no weights are shipped with this version")


def convert(
    source: Path,
    destination: Path,
    /,
    *,
    system: str | None = None,
    dtype: Literal["float32", "float16"] = "float32",
    overwrite: bool = False,
    json: Json = False,
) -> None:
    """Turn official weights into a file of ours, or ours into the official layout.

    Args:
        source: an official .pt or .pth file; or a .safetensors file of ours, with a .pt or .pth destination.
        destination: the new file.
        system: the network of an official file: dwdn, infwide, darkdeblur.
        dtype: of the new .safetensors file.
        overwrite: replace an existing destination.
        json: print one JSON document.
    """
    from nightsharp.cli.outputs import check_writable
    from nightsharp.errors import UsageError

    outward = source.suffix == ".safetensors"
    if outward and system is not None:
        raise UsageError(f"{source}: its card says of which network it is. Leave --system out.")
    if outward == (destination.suffix == ".safetensors"):
        raise UsageError(
            f"{source} -> {destination}: one of the two is a .safetensors file, the other an official .pt or .pth."
        )
    if outward and destination.suffix.lower() not in _OFFICIAL:
        raise UsageError(f"{destination}: the official layout is written as .pt or .pth. Give it that ending.")
    if not outward and system is None:
        raise UsageError(f"{source}: say of which network it is, with --system dwdn, infwide or darkdeblur.")
    check_writable(destination, overwrite=overwrite)
    import torch

    from nightsharp.weights import convert_official, convert_to_official

    if system is None:
        convert_to_official(source, destination, overwrite=overwrite)
    else:
        convert_official(system, source, destination, dtype=getattr(torch, dtype), overwrite=overwrite)
    if json:
        print(
            json_format.dumps({"source": str(source), "output": str(destination), "bytes": destination.stat().st_size})
        )
    else:
        print(f"{source} -> {destination}   {destination.stat().st_size / 1e6:.1f} MB")


def export(name: str, destination: Path, /, *, overwrite: bool = False, json: Json = False) -> None:
    """Write the network as an ONNX file for images of any size, and compare it with the original in onnxruntime.

    Args:
        name: shipped weights, or a .safetensors file.
        destination: the new .onnx file.
        overwrite: replace an existing destination.
        json: print one JSON document.
    """
    from nightsharp.cli.outputs import check_distinct, check_writable
    from nightsharp.errors import UsageError

    if destination.suffix.lower() != ".onnx":
        raise UsageError(f"{destination}: an ONNX file ends in .onnx. Give it that ending.")
    check_distinct([Path(name)], [destination])
    check_writable(destination, overwrite=overwrite)
    from nightsharp.cli.progress import Bars

    with Bars(not json) as bars:
        bars.about(name)
        bars.advance("exporting", 0, 1)
        from nightsharp.weights import export as export_onnx

        exported = export_onnx(name, destination, overwrite=overwrite)
    size = destination.stat().st_size
    if json:
        report = {
            "output": str(destination),
            "bytes": size,
            "inputs": exported.inputs,
            "difference": exported.difference,
        }
        print(json_format.dumps(report))
        return
    print(f"{name} -> {destination}   {size / 1e6:.1f} MB")
    print(f"inputs: {', '.join(f'{key} {value}' for key, value in exported.inputs.items())}")
    print(f"onnxruntime differs by at most {exported.difference:.1e} of the result's range")

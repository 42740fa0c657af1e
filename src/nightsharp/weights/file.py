"""A weight file: tensors and a card in safetensors, trusted no further than they check out."""

import hashlib
from pathlib import Path

import safetensors.torch
import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from nightsharp._atomic import write_atomically
from nightsharp.errors import WeightsError
from nightsharp.weights.card import Card, read_card

CARD = "nightsharp.card"
"""The key of the card in the metadata of the file."""

_DTYPES = {
    *(torch.float16, torch.bfloat16, torch.float32, torch.float64),
    *(torch.int8, torch.int16, torch.int32, torch.int64, torch.uint8, torch.bool),
}
"""What a network here may hold; torch cannot compute with all that safetensors stores."""

LARGEST = 1 << 30
"""Bytes; the largest network here is 63 MB in float32. A file beyond this is not read."""


def read_file(file: Path) -> tuple[Card, dict[str, Tensor]]:
    """Read card and tensors.

    Args:
        file: a safetensors file that :func:`write_file` wrote.

    Returns:
        The card, and the tensors as they are stored.

    Raises:
        WeightsError: there is no such file, or it is truncated, hostile, without a card, or not safetensors.
    """
    return _read(file, tensors=True)


def read_card_of(file: Path) -> Card:
    """Read the card alone; the tensors stay on the disk.

    Raises:
        WeightsError: as :func:`read_file`.
    """
    return _read(file, tensors=False)[0]


def _read(file: Path, *, tensors: bool) -> tuple[Card, dict[str, Tensor]]:
    if not file.is_file():
        raise WeightsError(f"{file}: there is no such weight file. Check the path.")
    size = file.stat().st_size
    if size > LARGEST:
        raise WeightsError(
            f"{file}: {size / 1e9:.1f} GB, more than any network here has (limit {LARGEST / 1e9:.1f} GB). "
            "This is another file."
        )
    try:
        with safe_open(file, framework="pt") as opened:
            metadata = opened.metadata() or {}
            state = {key: opened.get_tensor(key) for key in opened.keys()} if tensors else {}  # noqa: SIM118 - no dict
    except (SafetensorError, ValueError) as problem:
        raise WeightsError(
            f"{file}: not a whole safetensors file ({problem}). Fetch it again; official .pt and .pth "
            "files are read by 'nightsharp weights convert'."
        ) from problem
    if CARD not in metadata:
        raise WeightsError(
            f"{file}: no card in it, so that its network is unknown. Write it with nightsharp.weights.save, or convert "
            "official weights with 'nightsharp weights convert'."
        )
    for name, tensor in state.items():
        if tensor.dtype not in _DTYPES:
            kind = str(tensor.dtype).removeprefix("torch.")
            raise WeightsError(
                f"{file}: {name} is {kind}, which no network here holds. Store it as float16 or float32."
            )
        if not torch.isfinite(tensor).all():
            raise WeightsError(f"{file}: {name} holds values that are not finite. The file is broken; fetch it again.")
    return read_card(metadata[CARD], str(file)), state


def write_file(
    file: Path, state: dict[str, Tensor], card: Card, *, dtype: torch.dtype = torch.float16, overwrite: bool = False
) -> Path:
    """Write card and tensors, whole or not at all; the same input gives the same bytes.

    Args:
        file: the final name; its folder must exist.
        state: the tensors; floating ones are stored as ``dtype``, others as they are.
        card: what the file says of itself.
        dtype: float16 or float32.
        overwrite: whether an existing file may be replaced.

    Returns:
        The path written.

    Raises:
        WeightsError: a tensor is not finite, or too large for ``dtype``.
        FileExistsError: the name is taken.
    """
    stored = {}
    for name, tensor in state.items():
        # a copy: weights that are tied share memory, which safetensors refuses
        kept = tensor.detach().cpu().clone().contiguous()
        stored[name] = kept.to(dtype) if kept.is_floating_point() else kept
        if not torch.isfinite(stored[name]).all():
            largest = float(kept.abs().max())
            raise WeightsError(
                f"{name} cannot be stored as {str(dtype).removeprefix('torch.')}: its largest value is {largest:g}. "
                + (
                    "Store it as float32."
                    if torch.isfinite(kept).all()
                    else "The training diverged; go back to an earlier state."
                )
            )
    content = safetensors.torch.save(stored, {CARD: card.model_dump_json()})
    return write_atomically(file, content, overwrite=overwrite)


def sha256(file: Path) -> str:
    """The SHA-256 of a file, as 64 hexadecimal digits."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()

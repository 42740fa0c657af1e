"""How the official releases of DWDN and INFWIDE name the layers that both have, beside our names; and the exchange.

A name here is that of a layer; its ``.weight`` and ``.bias`` follow.
"""

from collections.abc import Iterator, Mapping

from torch import Tensor

from nightsharp.errors import WeightsError

Pairs = Iterator[tuple[str, str]]
"""(our name, the official name) of one layer after another."""


def residual_names(ours: str, theirs: str, count: int, first: int = 0) -> Pairs:
    """Residual blocks of a sequence; the official one holds them from place ``first`` on."""
    for index in range(count):
        yield f"{ours}.{index}.first", f"{theirs}.{index + first}.body.0.body.0"
        yield f"{ours}.{index}.second", f"{theirs}.{index + first}.body.2.body.0"


def encoder_names(ours: str, theirs: str, blocks: int) -> Pairs:
    """A convolution and residual blocks."""
    yield f"{ours}.enter", f"{theirs}.0.body.0"
    yield from residual_names(f"{ours}.blocks", theirs, blocks, first=1)


def decoder_names(ours: str, theirs: str, blocks: int) -> Pairs:
    """Residual blocks and a transposed convolution."""
    yield from residual_names(f"{ours}.blocks", theirs, blocks)
    yield f"{ours}.rise.conv", f"{theirs}.{blocks}.body.0"


def unet_names(ours: str, theirs: str, blocks: int) -> Pairs:
    """The U-net of two levels; ``theirs`` is a prefix with its dot, or empty."""
    yield from encoder_names(f"{ours}.down1", f"{theirs}encoder_first", blocks)
    yield from encoder_names(f"{ours}.down2", f"{theirs}encoder_second", blocks)
    yield from decoder_names(f"{ours}.up2", f"{theirs}decoder_second", blocks)
    yield from decoder_names(f"{ours}.up1", f"{theirs}decoder_first", blocks)


def plain(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The state without the prefix that training on several GPUs leaves."""
    return {name.removeprefix("module."): value for name, value in state.items()}


def layer_shape(state: Mapping[str, Tensor], layer: str, system: str) -> tuple[int, ...]:
    """The shape of a layer's weight.

    Raises:
        WeightsError: the layer is missing.
    """
    name = f"{layer}.weight"
    if name not in state:
        known = ", ".join(list(state)[:3]) or "nothing"
        raise WeightsError(
            f"the state dict has no {name!r} (it begins with {known}). It is not one of the official {system} release."
        )
    return tuple(state[name].shape)


def count_blocks(state: Mapping[str, Tensor], pattern: str) -> int:
    """How many of the layers ``pattern.format(0)``, ``pattern.format(1)``, ... there are in a row."""
    count = 0
    while f"{pattern.format(count)}.weight" in state:
        count += 1
    return count


def renamed(state: Mapping[str, Tensor], names: Mapping[str, str], system: str) -> dict[str, Tensor]:
    """A state dict under other names, none missing and none left over.

    Args:
        state: tensors by name.
        names: from the layers' names in ``state`` to the new ones.
        system: how an error names it.

    Raises:
        WeightsError: a tensor is missing or is not of this network; the first few are named.

    Example:
        >>> import torch
        >>> list(renamed({"a.weight": torch.ones(1)}, {"a": "b"}, "DWDN"))
        ['b.weight']
    """
    found, unknown = {}, []
    for name, value in state.items():
        layer, _, kind = name.rpartition(".")
        if layer in names:
            found[f"{names[layer]}.{kind}"] = value
        else:
            unknown.append(name)
    if unknown:
        raise WeightsError(
            f"{len(unknown)} tensors do not belong to {system}: {', '.join(unknown[:3])}. "
            "Check that the file is of this network."
        )
    present = {name.rpartition(".")[0] for name in state}
    missing = [layer for layer in names if layer not in present]
    if missing:
        raise WeightsError(
            f"{len(missing)} layers of {system} are missing: {', '.join(missing[:3])}. The file may be cut short."
        )
    return found

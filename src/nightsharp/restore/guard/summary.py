"""One verdict from all tiles."""

from collections.abc import Sequence

from nightsharp.restore.guard.check import Checked
from nightsharp.restore.guard.verdict import Verdict

# with less than this part of the cells left, a patchwork is worse than the photo
_TOO_LITTLE = 0.3
_ALL = 0.999


def summarise(tiles: Sequence[Checked]) -> Verdict:
    """Join what was found in the tiles.

    Args:
        tiles: at least one, in any order.

    Returns:
        ``kept`` is ``"input"`` where less than 30 % of the result is left (the caller then keeps the whole photo),
        ``"result"`` where nothing was blended back, else ``"partly"``.

    Example:
        >>> import torch
        >>> image = torch.rand(1, 1, 8, 8)
        >>> good, bad = Checked(image, torch.ones(1, 1)), Checked(image, torch.zeros(1, 1), ("ringing",))
        >>> summarise([good, good, bad]).words
        '1 of 3 tiles kept from the input (ringing)'
        >>> summarise([bad]).words
        'ringing; the photo is kept as it is'
    """
    parts = [float(tile.cells.mean()) for tile in tiles]
    scores = _means(tiles)
    misfit, allowed = scores.get("misfit"), scores.get("allowed")
    left = sum(parts) / len(parts)
    if min(parts) > _ALL:
        return Verdict("result", "nothing to report", misfit, allowed, scores, left)
    counts: dict[str, int] = {}
    for tile in tiles:
        for reason in tile.reasons:
            counts[reason] = counts.get(reason, 0) + 1
    reasons = "; ".join(sorted(counts, key=lambda reason: (-counts[reason], reason)))
    if left < _TOO_LITTLE:
        return Verdict("input", f"{reasons}; the photo is kept as it is", misfit, allowed, scores, left)
    dropped = sum(part < 1 - _ALL for part in parts)
    blended = sum(part <= _ALL for part in parts) - dropped
    said = []
    if dropped:
        said.append(f"{dropped} of {len(parts)} tiles kept from the input")
    if blended:
        said.append(
            f"{blended} of {len(parts)} tiles blended with the input"
            if len(parts) > 1
            else f"{1 - parts[0]:.0%} of the input blended in"
        )
    return Verdict("partly", f"{', '.join(said)} ({reasons})", misfit, allowed, scores, left)


def _means(tiles: Sequence[Checked]) -> dict[str, float]:
    measured = [tile.scores for tile in tiles if tile.scores]
    return {
        name: round(sum(scores[name] for scores in measured) / len(measured), 5)
        for name in (measured[0] if measured else {})
    }

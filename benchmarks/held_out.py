"""Weights of a network on training pairs of photographs that were held out: ``python -m benchmarks.held_out``.

Protocol: crops of the held-out photographs through the recipe's own synthesis, always the same ones; PSNR of values
clipped to [0, 1], mean of the crops. For nightwiener also what the classical estimate has before it.
"""

import argparse
from pathlib import Path
from statistics import fmean

import torch

from nightsharp.training import Job, load_recipe
from nightsharp.training.batches import Batch, Batches
from nightsharp.training.recorder import held_out_batches
from nightsharp.training.split import split_photographs
from nightsharp.weights import load


def main() -> None:
    """Print one line for each weight file."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.held_out", description=__doc__)
    parser.add_argument("weights", nargs="+", help="shipped weights by name, or files")
    parser.add_argument("--data", type=Path, required=True, help="folder of sharp photographs with an index.csv")
    parser.add_argument("--recipe", default="nightwiener", help="whose pairs")
    parser.add_argument("--crops", type=int, default=96, help="how many")
    parser.add_argument("--side", type=int, default=160, help="of the crops, pixels")
    choice = parser.parse_args()
    settings = (f"crop={choice.side}", f"validation_crops={choice.crops}")
    recipe = load_recipe(choice.recipe, settings)
    job = Job(recipe, choice.data, Path("bench-out/held-out"))
    files = Batches(choice.data, recipe, "held out").crops.files
    split = split_photographs(files, choice.data, recipe.seed, job.out / "split.json", recipe.held_out)
    batches = held_out_batches(job, split)
    print(f"{choice.crops} crops of {choice.side} px from {len(split.held_out)} held-out photographs, {choice.recipe}")
    print(f"  recorded: {_mean(batches, lambda batch: batch.pairs.blurred):.3f} dB")
    if recipe.network == "nightwiener":
        print(f"  the estimate that it corrects: {_mean(batches, lambda batch: batch.inputs[0][:, :1]):.3f} dB")
    for name in choice.weights:
        network = load(name, system=recipe.network)
        print(f"  {name}: {_mean(batches, lambda batch, network=network: network(*batch.inputs)):.3f} dB", flush=True)


@torch.inference_mode()
def _mean(batches: list[Batch], restore) -> float:
    """PSNR in the mean of the crops."""
    decibels: list[float] = []
    for batch in batches:
        sharp = batch.pairs.sharp
        error = (restore(batch).reshape(sharp.shape).clamp(0, 1) - sharp).square().mean(dim=(1, 2, 3))
        decibels += (-10 * error.clamp_min(1e-10).log10()).tolist()
    return fmean(decibels)


if __name__ == "__main__":
    main()

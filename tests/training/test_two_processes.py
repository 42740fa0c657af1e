"""Two devices take the steps that one would take with both their shares."""

import torch
from lightning.fabric import Fabric
from safetensors.torch import load_file

from nightsharp.synthesis import Pairs
from nightsharp.training import Job, train
from nightsharp.training.batches import Batch, Batches, Share
from nightsharp.training.network import build_network
from nightsharp.training.objectives import OBJECTIVES
from nightsharp.training.schedule import learning_rate
from nightsharp.training.update import Update, build_optimizer


def joined(job: Job, number: int) -> Batch:
    """What both processes see of a batch, as one batch."""
    learned_from = [file for file in sorted(job.data.glob("*.png")) if file.name not in held_out(job)]
    parts = []
    for part in range(2):
        batches = Batches(job.data, job.recipe, "training", Share(part, 2)).only(learned_from)
        parts.append(batches.batch(number, batches.sharp(number)))
    names = ("sharp", "clean", "blurred", "psf", "assumed_psf", "sigma")
    pairs = Pairs(*(torch.cat([getattr(part.pairs, name) for part in parts]) for name in names))
    return Batch(number, pairs, OBJECTIVES[job.recipe.network].inputs(pairs))


def held_out(job: Job) -> str:
    return (job.out / "split.json").read_text()


def test_two_processes_take_the_steps_of_one(small_job):
    job = small_job("steps=2", "validate_every=2", "validation_crops=1")
    trained = train(job, devices=2, accelerator="cpu")
    assert trained.rows[-1].step == 2

    network = build_network(job.recipe)
    fabric = Fabric(accelerator="cpu")
    update = Update(fabric, network, build_optimizer(network, job.recipe), OBJECTIVES["dwdn"], job.recipe)
    for number in range(2):
        update(joined(job, number), learning_rate(job.recipe, number / 2))
    found = load_file(trained.state)
    for name, value in network.state_dict().items():
        torch.testing.assert_close(found[f"network/{name}"], value, rtol=1e-3, atol=1e-5)


def test_two_processes_never_see_the_same_crop(small_job):
    job = small_job()
    one, other = (Batches(job.data, job.recipe, "training", Share(part, 2)) for part in range(2))
    crops = torch.cat([batches.sharp(number) for batches in (one, other) for number in range(3)])
    assert len(crops) == 3 * job.recipe.batch
    assert len(torch.unique(crops.flatten(1), dim=0)) == len(crops)

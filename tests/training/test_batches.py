"""Batch n is the same for whoever makes it."""

import itertools

import torch

from nightsharp.methods.dwdn import DWDN
from nightsharp.methods.infwide import INFWIDE
from nightsharp.optics import Blur
from nightsharp.training import load_recipe
from nightsharp.training.batches import Batch, Batches
from nightsharp.training.network import build_network
from nightsharp.training.objectives import OBJECTIVES
from nightsharp.training.update import ForTraining

CPU = torch.device("cpu")


def same(one: Batch, other: Batch) -> bool:
    return one.number == other.number and all(map(torch.equal, one.inputs, other.inputs))


def test_workers_make_the_batches_that_the_process_itself_makes(small_job):
    job = small_job()
    batches = Batches(job.data, job.recipe, "training")
    here = list(itertools.islice(batches.stream_from(5, CPU, 0), 3))
    there = list(itertools.islice(batches.stream_from(5, CPU, 2), 3))
    assert [batch.number for batch in here] == [5, 6, 7]
    assert all(map(same, here, there))


def test_a_batch_is_fresh_and_its_name_decides(small_job):
    job = small_job()
    first, second = (Batches(job.data, job.recipe, stream) for stream in ("training", "held out"))
    one, next_one, other = (first.batch(n, first.sharp(n)) for n in (0, 1, 0))
    assert same(one, other)
    assert not torch.equal(one.pairs.psf, next_one.pairs.psf)
    assert not torch.equal(one.pairs.psf, second.batch(0, second.sharp(0)).pairs.psf)


def test_a_batch_is_taken_again_in_other_orientations_some_steps_later(small_job):
    job = small_job("reuse=3")
    batches = Batches(job.data, job.recipe, "training")
    made = list(itertools.islice(batches.made_from(0, CPU, 0), 4))[3]
    taken = list(itertools.islice(batches.stream_from(0, CPU, 0), 36))
    assert [batch.number for batch in taken] == list(range(36))
    # the fourth batch: at once, then four and eight batches later
    for turn, batches_later in enumerate((0, 4, 8)):
        again = taken[3 * (3 + batches_later) + turn]
        assert torch.equal(again.pairs.sharp, made.oriented(turn).pairs.sharp)
        assert torch.equal(again.inputs[0], made.oriented(turn).inputs[0])


def test_what_turned_with_its_psf_is_still_blurred_by_it(small_job):
    job = small_job()
    batches = Batches(job.data, job.recipe, "training")
    batch = batches.batch(0, batches.sharp(0))
    for orientation in range(8):
        pairs = batch.oriented(orientation).pairs
        again = Blur(pairs.psf, "circular")(pairs.sharp)
        assert torch.allclose(again.clamp(0, 1), pairs.clean, atol=1e-5)


def test_a_stopped_run_meets_the_batches_that_it_would_have_met(small_job):
    job = small_job("reuse=3")
    batches = Batches(job.data, job.recipe, "training")
    whole = list(itertools.islice(batches.stream_from(0, CPU, 0), 34))
    for step in (1, 13, 31):
        assert same(next(batches.stream_from(step, CPU, 0)), whole[step])


def test_every_recipe_trains_its_network(photographs):
    """One step of each lite recipe: the loss of a network is finite and every weight has a gradient."""
    narrow = {
        "dwdn-lite": ("config.features=2", "config.width=2"),
        "infwide-lite": (
            "start=none",
            "config.features=2",
            "config.width=2",
            "config.denoiser_width=2",
            "config.fusion_width=2",
        ),
        "nightwiener": ("config.widths=[4, 4, 4]", "config.depth=1", "synthesis.largest_psf=15"),
        "nightprior": ("config.widths=[4, 4]",),
    }
    for name, settings in narrow.items():
        recipe = load_recipe(name, ("crop=40", "batch=2", *settings))
        network = build_network(recipe)
        batches = Batches(photographs, recipe, "training")
        batch = batches.batch(0, batches.sharp(0))
        terms = OBJECTIVES[recipe.network].terms(ForTraining(network)(*batch.inputs), batch.pairs)
        torch.stack(list(terms.values())).sum().backward()
        assert all(term.isfinite() and term > 0 for term in terms.values()), name
        assert all(weight.grad is not None and weight.grad.isfinite().all() for weight in network.parameters()), name


def test_shipped_networks_that_a_cpu_trains_stay_below_a_million_weights():
    for name in ("dwdn-lite", "infwide-lite", "nightwiener", "nightprior"):
        assert sum(weight.numel() for weight in build_network(load_recipe(name)).parameters()) <= 1_000_000


def test_the_lite_recipes_build_the_lite_networks():
    for name, network in (("dwdn-lite", DWDN.lite()), ("infwide-lite", INFWIDE.lite())):
        assert build_network(load_recipe(name)).config == network.config


def test_the_published_recipes_build_the_published_sizes():
    sizes = {"dwdn": 7_049_507, "infwide": 15_742_342}
    for name, size in sizes.items():
        assert sum(weight.numel() for weight in build_network(load_recipe(name)).parameters()) == size

"""The dry run measures and leaves nothing behind."""

import pytest

from nightsharp.training import rehearse, train
from nightsharp.training.network import build_network, count_parameters


@pytest.mark.parametrize("setting", ["compact=false", "compact=true", "amsgrad=true"])
def test_the_sizes_it_names_are_those_of_the_files(small_job, setting):
    job = small_job("steps=1", "config.width=8", setting)
    measured = rehearse(job, accelerator="cpu")
    assert not job.out.exists()
    assert measured.parameters == count_parameters(build_network(job.recipe))
    trained = train(job, accelerator="cpu")
    # beside the numbers a file holds names and its card
    assert measured.weights_bytes < trained.weights.stat().st_size < measured.weights_bytes + 20_000
    assert measured.state_bytes < trained.state.stat().st_size < measured.state_bytes + 40_000


def test_time_and_memory_are_measured(small_job):
    measured = rehearse(small_job("steps=7200"), accelerator="cpu")
    each = measured.pairs_seconds + measured.step_seconds
    assert measured.hours == pytest.approx(2 * each)
    assert 1e-4 < measured.pairs_seconds < 10
    assert 1e-4 < measured.step_seconds < 10
    assert measured.memory_bytes is None or measured.memory_bytes > 10**8

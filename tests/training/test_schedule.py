"""The learning rate along a run, by steps and by minutes."""

import math

import pytest

from nightsharp.training.clock import Clock
from nightsharp.training.recipe import load_recipe
from nightsharp.training.schedule import learning_rate


def rates(recipe):
    clock = Clock(recipe.steps)
    return [learning_rate(recipe, clock.progress(step)) for step in range(recipe.steps)]


def test_a_step_schedule_is_that_of_the_paper():
    found = rates(load_recipe("infwide", ("steps=400", "decay_every=50")))
    assert found == pytest.approx([2e-4 * 0.5 ** (step // 50) for step in range(400)])


def test_a_cosine_rises_in_the_warm_up_and_ends_at_zero():
    recipe = load_recipe("dwdn", ("steps=100", "warmup=10", "decay=cosine", "lr=1.0"))
    found = rates(recipe)
    assert found[:10] == sorted(found[:10])
    assert found[10:] == sorted(found[10:], reverse=True)
    assert found[0] == pytest.approx(0.1, rel=0.01)
    assert found[50] == pytest.approx(0.5)
    assert found[-1] < 1e-3 < found[-4]
    assert learning_rate(recipe, 1.0) == pytest.approx(0, abs=1e-12)
    assert math.isclose(max(found), 0.98, rel_tol=0.02)


def test_minutes_bring_a_schedule_to_its_end():
    seconds = 0.0
    clock = Clock(10**6, minutes=1, now=lambda: seconds)
    assert clock.progress(10) == pytest.approx(1e-5)
    seconds = 30.0
    assert clock.progress(20) == pytest.approx(0.5)
    seconds = 61.0
    assert clock.progress(30) == 1.0


def test_a_run_that_goes_on_has_its_earlier_minutes_behind_it():
    clock = Clock(100, minutes=2, spent=60, now=lambda: 5.0)
    assert clock.progress(0) == pytest.approx(0.5)
    assert clock.seconds == 60


def test_steps_end_a_schedule_before_its_minutes():
    assert Clock(100, minutes=1e6).progress(100) == 1.0

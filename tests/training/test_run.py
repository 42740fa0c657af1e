"""A training run: it learns, survives whatever stops it, and leaves what people need."""

import itertools
import json
import os
import signal

import pytest
import torch
from PIL import Image
from safetensors.torch import load_file

from nightsharp import weights
from nightsharp.errors import RecipeError, UsageError, WeightsError
from nightsharp.training import DivergedError, Event, train


class StopAt:
    """Ends a run at a step, in one way or another."""

    def __init__(self, step: int, end) -> None:
        self.step, self.end = step, end

    def __call__(self, event: Event) -> None:
        if event.row is None and event.words is None and event.step == self.step:
            self.end()


class PowerCutError(Exception):
    """Nothing is written any more."""


def power_cut() -> None:
    raise PowerCutError


def ask(number: int):
    return lambda: os.kill(os.getpid(), number)


def same_tensors(one, other) -> bool:
    first, second = load_file(one), load_file(other)
    return first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)


def test_fifty_steps_learn_and_leave_everything_behind(small_job):
    job = small_job("steps=50", "validate_every=10", "lr=1e-2", "config.features=4", "config.width=4")
    trained = train(job, accelerator="cpu")
    first, *_, last = trained.rows
    assert (first.step, last.step) == (10, 50)
    assert first.loss is not None
    assert last.loss is not None
    assert last.loss < 0.9 * first.loss
    assert last.psnr > first.psnr + 0.5

    network = weights.load(str(trained.weights))
    mean = load_file(trained.state)
    for name, value in network.state_dict().items():
        torch.testing.assert_close(value, mean[f"average/{name}"], rtol=1e-3, atol=1e-6)
    card = weights.read_card_of(trained.weights)
    assert (card.system, card.steps) == ("dwdn", 50)
    assert card.measured[0].value == pytest.approx(last.psnr, abs=1e-3)
    assert "7 photographs, 1 more held out" in card.data

    curve = json.loads(trained.curve.read_text())
    assert [row["step"] for row in curve["rows"]] == [10, 20, 30, 40, 50]
    assert curve["recipe"]["lr"] == 1e-2
    with Image.open(job.out / "preview" / "step-0000050.png") as preview:
        assert preview.size == (3 * 44, 3 * 44)
    assert list((job.out / "tensorboard").iterdir())


@pytest.mark.parametrize("end", [power_cut, ask(signal.SIGINT), ask(signal.SIGTERM)], ids=["power", "INT", "TERM"])
def test_a_run_that_was_stopped_ends_as_if_it_had_not_been(small_job, whole, end):
    with pytest.raises((PowerCutError, KeyboardInterrupt)):
        train(small_job(), accelerator="cpu", notify=StopAt(4, end))
    resumed = train(small_job(resume=True), accelerator="cpu")
    assert same_tensors(resumed.state, whole.state)
    assert same_tensors(resumed.weights, whole.weights)
    assert [row.psnr for row in resumed.rows] == [row.psnr for row in whole.rows]


def test_a_polite_stop_keeps_the_step_that_was_under_way(small_job):
    with pytest.raises(KeyboardInterrupt):
        train(small_job(), accelerator="cpu", notify=StopAt(2, ask(signal.SIGINT)))
    steps = []
    train(small_job(resume=True), accelerator="cpu", notify=lambda event: steps.append(event.step))
    assert min(steps) == 3


def test_the_same_seed_gives_the_same_weights_and_another_gives_others(small_job):
    one, same, other = (
        train(small_job(*settings, "steps=2", out=out), accelerator="cpu").weights
        for out, settings in (("a", ()), ("b", ()), ("c", ("seed=5",)))
    )
    assert same_tensors(one, same)
    assert not same_tensors(one, other)


def test_the_global_source_of_randomness_is_left_alone(small_job):
    before = torch.random.get_rng_state()
    train(small_job("steps=2"), accelerator="cpu")
    assert torch.equal(torch.random.get_rng_state(), before)


def test_minutes_end_a_run_with_its_schedule(small_job):
    trained = train(small_job("steps=100000", "validate_every=50000", minutes=1 / 60), accelerator="cpu")
    (row,) = trained.rows
    assert 1 <= row.seconds < 3
    assert row.lr == pytest.approx(0, abs=1e-9)
    assert 0 < row.step < 1000


def test_a_schedule_that_is_through_begins_anew_with_other_batches(small_job):
    train(small_job("steps=2"), accelerator="cpu")
    said = []
    again = train(small_job("steps=3", resume=True), accelerator="cpu", notify=lambda event: said.append(event.words))
    assert [row.step for row in again.rows] == [2, 3, 5]
    assert "step 2: goes on with steps 3 (was 2)" in said
    assert "step 2: the schedule was through; another one begins" in said


def test_a_folder_that_holds_a_run_is_not_written_over(small_job):
    train(small_job("steps=1"), accelerator="cpu")
    with pytest.raises(UsageError, match=r"already holds a run\. Go on with --resume"):
        train(small_job("steps=1"), accelerator="cpu")
    with pytest.raises(RecipeError, match="holds a run of dwdn"):
        train(small_job("steps=1", "config.width=3", resume=True), accelerator="cpu")
    with pytest.raises(RecipeError, match="holds a run with amsgrad = false"):
        train(small_job("steps=1", "amsgrad=true", resume=True), accelerator="cpu")
    (small_job().out / "state.safetensors").write_bytes(b"no state")
    with pytest.raises(WeightsError, match="is not the state of a training run"):
        train(small_job("steps=1", resume=True), accelerator="cpu")


def test_weights_that_run_away_end_in_words(small_job):
    said: list[str] = []
    with pytest.raises(DivergedError, match=r"after 3 returns to earlier weights\. Begin again with a lower lr"):
        # deep enough for the numbers to leave the range of float32 within a few steps of such a rate
        train(
            small_job("lr=1", "clip_value=none", "decay=none", "config.blocks=3", "steps=300", "validate_every=100"),
            accelerator="cpu",
            notify=lambda event: said.append(event.words) if event.words else None,
        )
    assert len(said) == 3
    assert "back to the weights of step 0" in said[0]


def test_a_compact_state_is_smaller_and_goes_on_nearly_where_it_was(small_job, whole):
    with pytest.raises(PowerCutError):
        train(small_job("compact=true"), accelerator="cpu", notify=StopAt(4, power_cut))
    state = small_job().state
    payload = [sum(t.nbytes for t in load_file(file).values() if t.ndim) for file in (state, whole.state)]
    assert payload[0] / payload[1] == pytest.approx(10 / 16)
    resumed = train(small_job("compact=true", resume=True), accelerator="cpu")
    assert resumed.rows[-1].psnr == pytest.approx(whole.rows[-1].psnr, abs=0.05)


def test_half_the_precision_learns_as_well(small_job, whole):
    half = train(small_job("precision=bf16-mixed"), accelerator="cpu")
    assert not same_tensors(half.state, whole.state)
    assert half.rows[-1].psnr == pytest.approx(whole.rows[-1].psnr, abs=0.3)


def test_what_cannot_be_trained_is_refused_before_it_begins(small_job, tmp_path):
    with pytest.raises(RecipeError, match=r"no argument 'wdth'\. Did you mean 'config.width'"):
        train(small_job("config.wdth=3"))
    with pytest.raises(RecipeError, match="cannot be built with"):
        train(small_job("config.width=-1"))
    with pytest.raises(RecipeError, match="no network 'dwnd' can be trained"):
        train(small_job("network=dwnd"))
    with pytest.raises(RecipeError, match="a batch of 2 cannot be shared by 3 devices"):
        train(small_job(), devices=3)
    with pytest.raises(UsageError, match="--minutes 0 is no time"):
        train(small_job(minutes=0.0))
    assert not list(itertools.chain(*(folder.iterdir() for folder in tmp_path.iterdir())))

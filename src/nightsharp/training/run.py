"""The training run: batch, step, now and then a validation and a state on disk."""

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from lightning.fabric import Fabric

from nightsharp.training.batches import Batch, Batches, Share
from nightsharp.training.clock import Clock
from nightsharp.training.job import DivergedError, Event, Job
from nightsharp.training.network import build_network
from nightsharp.training.opponent import objective_of
from nightsharp.training.recipe import Recipe
from nightsharp.training.recorder import Moment, Recorder
from nightsharp.training.schedule import learning_rate
from nightsharp.training.split import split_photographs
from nightsharp.training.state import Place, load_state, save_state
from nightsharp.training.sums import Sums
from nightsharp.training.update import Update, build_optimizer

Notify = Callable[[Event], None]

_SAVE_SECONDS = 300.0
_BAD_IN_A_ROW = 5
_RETURNS = 3


class Run:
    """One process of a training run, from its first batch or from where it stopped.

    Args:
        fabric: the devices, launched.
        job: what is asked for.
        notify: told what happens, in the first process only.
    """

    def __init__(self, fabric: Fabric, job: Job, notify: Notify) -> None:
        self._fabric, self._job, self._recipe, self._notify = fabric, job, job.recipe, notify
        network = fabric.to_device(build_network(job.recipe))
        optimizer = build_optimizer(network, job.recipe)
        objective, self._opponent = objective_of(fabric, job.recipe, optimizer)
        self._update = Update(fabric, network, optimizer, objective, job.recipe)
        share = Share(fabric.global_rank, fabric.world_size)
        self._batches = Batches(job.data, job.recipe, "training", share)
        left_out = self._batches.left_out
        split = split_photographs(
            self._batches.crops.files, job.data, job.recipe.seed, job.out / "split.json", job.recipe.held_out
        )
        self._batches.only(split.train)
        self._place = self._begin()
        if left_out is not None:
            self._say(self._place, left_out)
        self._clock = Clock(job.recipe.steps, job.minutes, self._place.first, self._place.spent)
        self._seconds_before = self._place.seconds - self._place.spent
        self._recorder = None
        if fabric.is_global_zero:
            self._recorder = Recorder(job, split, fabric.device, self._place.step)
        self._sums = Sums()
        self._returns = 0
        self._stop = False
        self._saved_at = time.monotonic()
        self._recorded_at = -1
        fabric.barrier()

    def go(self) -> None:
        """Train until the schedule is through.

        Raises:
            DivergedError: the loss is no longer a number.
            KeyboardInterrupt: somebody asked to stop; the state was written.
        """
        # the first batches may already need something to go back to
        self._save()
        with self._stoppable():
            for batch in self._batches.stream_from(self._place.step, self._fabric.device, self._job.workers):
                progress = self._progress()
                if progress >= 1 or self._stop:
                    break
                self._step(batch, progress)
        if self._stop:
            self._save()
            raise KeyboardInterrupt
        if self._recorded_at != self._place.step and not self._record(self._rate()):
            self._returns = _RETURNS
            self._go_back(self._rate())
        self._place.done = True
        self._save()
        if self._recorder is not None:
            self._recorder.close()
        self._fabric.barrier()

    def _begin(self) -> Place:
        """Where to begin: at the place of the state, or at the start."""
        if not (self._job.resume and self._job.state.is_file()):
            return Place(recipe=self._recipe)
        place = self._load()
        if changed := _changes(place.recipe, self._recipe):
            self._say(place, f"goes on with {changed}")
        if place.done:
            self._say(place, "the schedule was through; another one begins")
            place = place.model_copy(update={"first": place.step, "spent": 0.0, "done": False})
        return place.model_copy(update={"recipe": self._recipe})

    def _step(self, batch: Batch, progress: float) -> None:
        rate = learning_rate(self._recipe, progress)
        terms = self._update(batch, rate)
        self._place.step = batch.number + 1
        if self._update.refused:
            self._refuse(rate)
        else:
            self._sums.add(terms)
        if self._place.step % self._recipe.validate_every == 0:
            if self._record(rate):
                self._save()
            else:
                self._go_back(rate)
        elif time.monotonic() - self._saved_at > _SAVE_SECONDS:
            self._save()
        if self._fabric.is_global_zero:
            self._notify(Event(progress, self._place.step))

    def _refuse(self, rate: float) -> None:
        """A step was not taken."""
        self._place.skipped += 1
        if self._update.refused >= _BAD_IN_A_ROW:
            self._go_back(rate)

    def _go_back(self, rate: float) -> None:
        """Take the weights of the last state again and go on with the batches that come next."""
        if self._returns == _RETURNS:
            raise DivergedError(
                f"the loss is not a number any more at step {self._place.step} (lr {rate:.2g}), after {_RETURNS} "
                f"returns to earlier weights. Begin again with a lower lr or with clip_norm; the last good state is "
                f"{self._job.state}."
            )
        self._returns += 1
        self._fabric.barrier()
        earlier = self._load()
        self._update.refused = 0
        self._say(self._place, f"the loss was not a number any more; back to the weights of step {earlier.step}")

    def _rate(self) -> float:
        return learning_rate(self._recipe, self._clock.progress(self._place.step))

    def _progress(self) -> float:
        progress = self._clock.progress(self._place.step)
        if self._job.minutes is None or self._fabric.world_size == 1:
            return progress
        # every process has a clock of its own, and all must end at the same step
        latest = torch.tensor(progress, dtype=torch.float64, device=self._fabric.device)
        return torch.as_tensor(self._fabric.all_reduce(latest, reduce_op="max")).item()

    def _record(self, rate: float) -> bool:
        """Validate and write everything down, unless what the network makes is no picture any more."""
        self._recorded_at = self._place.step
        good = True
        if self._recorder is not None:
            seconds = self._seconds_before + self._clock.seconds
            moment = Moment(self._place.step, seconds, rate, self._sums.take(), self._place.skipped)
            row = self._recorder.record(self._update.average.network, moment)
            good = row is not None
            self._notify(Event(self._clock.progress(self._place.step), self._place.step, row))
        return self._fabric.broadcast(good)

    def _save(self) -> None:
        self._saved_at = time.monotonic()
        if not self._fabric.is_global_zero or self._update.refused:
            return
        self._place.spent = self._clock.seconds
        self._place.seconds = self._seconds_before + self._clock.seconds
        self._place.averaged = self._update.average.updates
        update = self._update
        save_state(self._job.state, self._place, update.network, update.average, update.optimizer, self._opponent)

    def _load(self) -> Place:
        update = self._update
        return load_state(self._job.state, update.network, update.average, update.optimizer, self._opponent)

    def _say(self, place: Place, words: str) -> None:
        if self._fabric.is_global_zero:
            self._notify(Event(0.0, place.step, words=f"step {place.step}: {words}"))

    @contextmanager
    def _stoppable(self) -> Iterator[None]:
        """Let Ctrl-C and a polite kill end the step that is under way, so that the state can be written."""
        if self._fabric.world_size > 1 or threading.current_thread() is not threading.main_thread():
            yield
            return

        def ask_to_stop(number: int, frame: object) -> None:
            self._stop = True

        before = {number: signal.signal(number, ask_to_stop) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def _changes(earlier: Recipe, now: Recipe) -> str:
    """What a run goes on with that was otherwise, in words."""
    old, new = earlier.model_dump(), now.model_dump()
    return ", ".join(f"{key} {new[key]} (was {old[key]})" for key in new if new[key] != old[key])

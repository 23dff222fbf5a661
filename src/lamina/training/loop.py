"""The loop: takes steps, keeps the rate, judges, keeps the best, saves, stops. Names no task.

Everything that it does is a function of the seed and of the step's number, except decisions that depend on the clock
(how many steps fit the time). Those are handed to `decided` before the first step that they affect.
"""

import contextlib
import math
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from lamina.data import Stream
from lamina.ground import Interrupted, RunError, seed_layers
from lamina.metrics import Metric
from lamina.network import TrainingPlan, split_batch
from lamina.objectives import Objective
from lamina.training.averaging import Average
from lamina.training.budget import Budget
from lamina.training.checkpoint import copied
from lamina.training.crew import Alone, Crew, Learners
from lamina.training.guard import COUPLED, Guard, in_words, is_out_of_memory
from lamina.training.history import History
from lamina.training.news import News, Watcher
from lamina.training.saving import Saver
from lamina.training.schedules import SCHEDULES, round_of
from lamina.training.stopping import Best
from lamina.training.update import Update, take_step

_NEWS_SECONDS = 0.2
"""How often watchers hear of a step: reading the loss makes the processor wait, so not at each one."""


@dataclass
class Loop:
    """One training, from its first step or from a checkpoint to its end."""

    objective: Objective
    stream: Stream
    updates: Mapping[str, Update]
    plan: TrainingPlan
    budget: Budget
    average: Average
    best: Best
    judge: Callable[[], Mapping[str, float]]
    """Figures of the averaged network on validation rows; the best's metric is among them."""
    history: History
    goal: Metric | None = None
    """The figure that `stop_at` speaks of; the best's metric when None."""
    checkpoint: Path | None = None
    watchers: tuple[Watcher, ...] = ()
    decided: Callable[[Mapping[str, Any]], None] = lambda decision: None
    interrupted: Callable[[], int | None] = lambda: None
    """The number of a signal that asks to stop, or None."""
    autocast: Callable[[], Any] | None = None
    """A context for forward and backward, such as torch.autocast."""
    guard: Guard = field(default_factory=Guard)
    """What is done when numbers leave their range or the memory ends."""
    couples_rows: bool = False
    """Whether a part of a network makes the rows of a batch depend on each other, such as batch norm."""
    trouble: Callable[[str], None] = lambda text: None
    """Told in words what went wrong and what was done about it; training goes on."""
    crew: Crew = field(default_factory=Alone)
    """Other processes that take part in each step."""

    step: int = 0
    progress: float = 0.0
    seconds: float = 0.0
    """Time spent in the loop so far, over all its parts."""
    ended: str = ""
    """Why training came to its end, in words, once it has."""
    troubles: list[str] = field(default_factory=list)
    """What `trouble` was told, over all parts."""
    _losses: list[Tensor] = field(default_factory=list)
    """Of each step since the last judgement, still on the device."""
    _taken: int = 0
    """Steps that this process took."""

    def run(self) -> str:
        """Train to the end; the reason it ended, in words. The best weights are in `best`.

        Raises:
            Interrupted: when asked to stop; the state is saved.
            PlanError: when the loss is not finite at lower rates either.
            MachineError: when not even a row fits into the memory.
        """
        if self.ended:
            return self.ended  # restored from a training that had come to its end
        self._device = next(iter(self.updates.values())).parameters[0].device
        self._saver = Saver(
            self.checkpoint, self.plan.checkpoint_seconds, self._report, aside=self._device.type != "cpu"
        )
        self._started = self._told = time.monotonic()
        self._before = self.seconds
        self.guard.parts = max(self.guard.parts, self.plan.accumulate)
        said = f"A step's rows are worked through in {self.guard.parts} parts, and {COUPLED}."
        if self.guard.parts > 1 and self.couples_rows and not self.step:
            self._report(said)
        self._learn()
        if not self.guard.anchor:
            self.crew.begin(self._learners)
            self.guard.keep(self._course())
        elif self.guard.must_go_back(self.step):
            self._return()
        self.budget.go_on_from(self.step)
        try:
            return self._to_the_end()
        finally:
            self._saver.wait()

    def _to_the_end(self) -> str:
        """Steps until there is a reason to stop; the reason."""
        reason: str | None = None
        while reason is None and self.step < self.budget.steps:
            self.guard.replay(self.step)
            reason = self._advance()
        self.ended = reason or f"all {self.budget.steps:,} steps made"
        self._save()
        with self._disk_may_fail("The history"):
            self.history.write()
        return self.ended

    def _advance(self) -> str | None:
        """Take a step and whatever is due after it; a reason to stop, or None."""
        seed_layers(self._device, self.plan.seed, "step", step=self.step)
        share = SCHEDULES[self.plan.schedule](self.progress, self.plan.warmup)
        if not self._take(share * self.guard.rate_share):
            self._go_back(self.guard.split(self.step, self._rows, self.couples_rows))
            return None
        before = self.progress
        self.progress += (1 - self.progress) / (self.budget.steps - self.step)
        self.step += 1
        self._taken += 1
        self.budget.replay(self.step)
        if not self._tell():
            return None
        if self._is_to_be_judged(before):
            if reason := self._judge(share):
                return reason
        elif self._taken in (20, 100):
            self._correct()  # early, while a wrong guess of the speed can still be made good
        self._look_up()
        return None

    def _is_to_be_judged(self, before: float) -> bool:
        """After so many steps, at the end, and where a round has brought the rate down: the next one takes it up again.

        Args:
            before: the progress when the last step began.
        """
        over = self.plan.schedule == "restarts" and round_of(self.progress) > round_of(before)
        return over or self.step % self.budget.judge_every == 0 or self.step == self.budget.steps

    def _learn(self) -> None:
        """Players in training mode: whoever judged them may have left them in the other."""
        for player in self.objective.players.values():
            player.train()

    def _take(self, rate: float) -> bool:
        """Take a step; False when the memory did not suffice, and the network may be half changed."""
        for update in self.updates.values():
            update.set_rate(rate)
        with self.crew.step(self.step, rate, self.guard.parts):
            batch = self.stream.next()
            self._rows = batch.whole
            parts = [batch] if self.guard.parts == 1 else split_batch(batch, self.guard.parts)
            try:
                with contextlib.nullcontext() if self.autocast is None else self.autocast():
                    means = take_step(self.objective, parts, self.updates, self.crew.others)
            except (RuntimeError, MemoryError) as error:
                if not is_out_of_memory(error):
                    raise
                return False
        self.average.update()
        self._losses.append(next(iter(means.values())))
        return True

    def _lower_rate(self, seen: str) -> None:
        """Numbers left their range: go back and take the steps again at a lower rate."""
        rate = None if self.plan.learning_rate == "find" else self.plan.learning_rate
        self._go_back(self.guard.lower_rate(seen, self.step, rate))

    def _go_back(self, decision: Mapping[str, Any]) -> None:
        """Write a decision down and return to the step from which it counts."""
        with self._disk_may_fail():
            self.decided(decision)
        self.budget.forget()
        self._return()
        self._report(in_words(decision))

    def _return(self) -> None:
        """Take up the state of the last judgement."""
        self._take_up(copied(self.guard.anchor))
        if torch.cuda.is_available():
            torch.cuda.empty_cache()

    def _report(self, text: str) -> None:
        self.troubles.append(text)
        self.trouble(text)

    @contextlib.contextmanager
    def _disk_may_fail(self, what: str = "A decision") -> Iterator[None]:
        """What is written here stands in the checkpoint too: a full disk need not end the training."""
        try:
            yield
        except (OSError, RunError) as error:
            said = error.strerror if isinstance(error, OSError) and error.strerror else error
            self._report(f"{what} could not be written down: {said}. Training goes on.")

    def _elapsed(self) -> float:
        return time.monotonic() - self._started

    def _left(self) -> float:
        return self._elapsed() / max(self._taken, 1) * (self.budget.steps - self.step)

    def _tell(self) -> bool:
        """Tell watchers of the step when it is time; False when the loss turned out not to be a number."""
        now = time.monotonic()
        if not self.watchers or now - self._told < _NEWS_SECONDS:
            return True
        self._told = now
        loss = float(self._losses[-1])
        if not math.isfinite(loss):  # sooner than at the judgement, and with the same outcome
            self._lower_rate(f"The loss is {loss}")
            return False
        for watcher in self.watchers:
            watcher(self._news(loss))
        return True

    def _news(self, loss: float, judged: Mapping[str, float] | None = None, best: bool = False) -> News:
        rate = self._rows * self._taken / max(self._elapsed(), 1e-9)
        epoch = self.step / self.budget.steps_per_epoch
        return News(self.step, self.budget.steps, epoch, loss, rate, self._left(), judged or {}, best)

    def _judge(self, share: float) -> str | None:
        """Judge the averaged network, note it, keep it when it is the best; a reason to stop, or None."""
        loss = float(torch.stack(self._losses).mean())
        if not math.isfinite(loss) or self.crew.unsound(self.updates):
            self._lower_rate(f"The loss is {loss}" if not math.isfinite(loss) else "A gradient is not a number")
            return None
        self._losses.clear()
        figures = self.crew.judge(self.judge)
        self._learn()
        weights = self.crew.weights(self.average.module)
        best = self.best.judge(figures[self.best.metric.key], self.step, weights)
        self.seconds = self._before + self._elapsed()
        line = {"step": self.step, "epoch": round(self.step / self.budget.steps_per_epoch, 3), "loss": loss,
                "rate": share, "seconds": round(self.seconds, 2), "best": best, **figures,
                **self.objective.summary()}  # fmt: skip
        self.history.add(line)
        for watcher in self.watchers:
            watcher(self._news(loss, figures, best))
        self._correct()
        self.guard.keep(self._course())
        if self.plan.stop_at_loss is not None and loss <= self.plan.stop_at_loss:
            return f"the training loss fell to {loss:.4g}"
        return self._reached(figures) or self.best.reason_to_stop()

    def _reached(self, figures: Mapping[str, float]) -> str | None:
        """That the figure wished for is reached, in words, or None."""
        goal, wished = self.goal or self.best.metric, self.plan.stop_at
        if wished is None:
            return None
        good = figures[goal.key] >= wished if goal.larger_is_better else figures[goal.key] <= wished
        return f"{goal.key} reached {wished:g}" if good else None

    def _correct(self) -> None:
        """Plan as many steps as the time left allows, where that makes a difference."""
        spent = self._before + self._elapsed()
        steps = self.budget.corrected(self.step, spent, self._elapsed() / max(self._taken, 1))
        if steps is not None:
            with self._disk_may_fail():
                self.decided({"step": self.step, "steps": steps})
            self.budget.steps = steps

    def _look_up(self) -> None:
        """Save when it is time; stop when asked to."""
        signal_number = self.interrupted()
        due = self._saver.due(self.step % self.budget.steps_per_epoch == 0)
        saved = self._save(wait=bool(signal_number)) if self.checkpoint and (due or signal_number) else False
        if signal_number:
            text = f"Stopped after {self.step:,} of {self.budget.steps:,} steps."
            if self._saver.failed:
                text += f" The last state could not be saved: {self._saver.failed}."
            raise Interrupted(text, signal_number, saved)

    def _save(self, wait: bool = True) -> bool:
        """Write all that going on needs; whether the disk takes it. What is not sound is never saved."""
        if self.checkpoint is None:
            return False
        if self._losses and (not math.isfinite(loss := float(self._losses[-1])) or self.crew.unsound(self.updates)):
            self._lower_rate(f"The loss is {loss}" if not math.isfinite(loss) else "A gradient is not a number")
        self.seconds = self._before + self._elapsed()
        return self._saver.save(self.state(), wait)

    def state(self) -> dict[str, Any]:
        """Everything that the next step depends on."""
        behind = self.guard.anchor.get("step") not in (None, self.step)
        return {
            **self._course(),
            "seconds": self.seconds,
            "ended": self.ended,
            "troubles": self.troubles,
            "lines": self.history.lines,
            "best": {"figure": self.best.figure, "step": self.best.step, "since": self.best.since,
                     "weights": self.best.weights},
            "guard": self.guard.state(),
            "anchor": self.guard.anchor if behind and not self.ended else None,
        }  # fmt: skip

    @property
    def _learners(self) -> Learners:
        return Learners(self.objective, self.stream, self.updates, self.average)

    def _course(self) -> dict[str, Any]:
        """What every step changes: what going back to the last judgement must undo."""
        return {
            "step": self.step,
            "steps": self.budget.steps,
            "progress": self.progress,
            "losses": torch.stack(self._losses) if self._losses else torch.zeros(0),
            **self.crew.course(self._learners),
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on where `state` was taken."""
        self.seconds, self.ended, self.troubles = state["seconds"], state["ended"], list(state["troubles"])
        self.history.replace(state["lines"])
        best = state["best"]
        self.best.figure, self.best.step, self.best.since = best["figure"], best["step"], best["since"]
        self.best.weights = dict(best["weights"])
        recorded = self.guard.recorded
        self.guard.restore(state["guard"])
        self.guard.expect(recorded)
        self._take_up(state)
        self.guard.keep(state["anchor"] or self._course())

    def _take_up(self, course: Mapping[str, Any]) -> None:
        self.step, self.budget.steps, self.progress = course["step"], course["steps"], course["progress"]
        self.crew.take_up(self._learners, course)
        device = next(iter(self.updates.values())).parameters[0].device
        self._losses = list(course["losses"].to(device))

"""The loop: takes steps, keeps the rate, judges, keeps the best, saves, stops. Names no task.

Everything that it does is a function of the seed and of the step's number, except decisions that depend on the clock
(how many steps fit the time). Those are handed to `decided` before the first step that they affect.
"""

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor

from lamina.data import Stream
from lamina.ground import Interrupted, PlanError, key
from lamina.metrics import Metric
from lamina.network import TrainingPlan, split_batch
from lamina.objectives import Objective
from lamina.training.averaging import Average
from lamina.training.checkpoint import save_checkpoint
from lamina.training.history import History
from lamina.training.schedules import SCHEDULES
from lamina.training.stopping import Best
from lamina.training.update import Update, take_step

_NEWS_SECONDS = 0.2
"""How often watchers hear of a step: reading the loss makes the processor wait, so not at each one."""


@dataclass(frozen=True)
class News:
    """What a watcher is told while training goes on."""

    step: int
    steps: int
    epoch: float
    loss: float
    rate: float
    """Rows a second, lately."""
    seconds_left: float
    judged: Mapping[str, float] = field(default_factory=dict)
    """Figures on validation rows, when this news is a judgement."""
    best: bool = False


class Watcher(Protocol):
    """Whoever looks on: a terminal, a dashboard. Cannot change what is learned."""

    def __call__(self, news: News) -> None:
        """Take in the news."""


@dataclass
class Budget:
    """How long to train: a number of steps, which a time may correct."""

    steps: int
    seconds: float | None = None
    """Seconds for the whole loop, judgements included; None when the steps alone decide."""
    most: int | None = None
    """Steps that are enough, however much time is left; None lets the time alone decide."""
    judge_every: int = 1
    steps_per_epoch: int = 1


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

    step: int = 0
    progress: float = 0.0
    seconds: float = 0.0
    """Time spent in the loop so far, over all its parts."""
    ended: str = ""
    """Why training came to its end, in words, once it has."""
    _losses: list[Tensor] = field(default_factory=list)
    """Of each step since the last judgement, still on the device."""

    def run(self) -> str:
        """Train to the end; the reason it ended, in words. The best weights are in `best`.

        Raises:
            Interrupted: when asked to stop; the state is saved.
            PlanError: when the loss is not finite: the rate is too high for this network.
        """
        schedule = SCHEDULES[self.plan.schedule]
        self._started = self._told = self._saved = time.monotonic()
        self._before, self._first = self.seconds, self.step
        self._learn()
        if self.ended:
            return self.ended  # restored from a training that had come to its end
        while self.step < self.budget.steps:
            torch.default_generator.manual_seed(key(self.plan.seed, "step", self.step))
            share = schedule(self.progress, self.plan.warmup)
            for update in self.updates.values():
                update.set_rate(share)
            self._take()
            self.progress += (1 - self.progress) / (self.budget.steps - self.step)
            self.step += 1
            self._tell()
            if self.step % self.budget.judge_every == 0 or self.step == self.budget.steps:
                if reason := self._judge(share):
                    break
            elif self.step - self._first in (20, 100):
                self._correct()  # early, while a wrong guess of the speed can still be made good
            self._look_up()
        else:
            reason = f"all {self.budget.steps:,} steps made"
        self.ended = reason
        if self.checkpoint:
            self.save()
        return reason

    def _learn(self) -> None:
        """Players in training mode: whoever judged them may have left them in the other."""
        for player in self.objective.players.values():
            player.train()

    def _take(self) -> None:
        batch = self.stream.next()
        self._rows = len(batch)
        parts = [batch] if self.plan.accumulate == 1 else split_batch(batch, self.plan.accumulate)
        if self.autocast is None:
            means = take_step(self.objective, parts, self.updates)
        else:
            with self.autocast():
                means = take_step(self.objective, parts, self.updates)
        self.average.update()
        self._losses.append(next(iter(means.values())))

    def _elapsed(self) -> float:
        return time.monotonic() - self._started

    def _left(self) -> float:
        done = self.step - self._first
        return self._elapsed() / max(done, 1) * (self.budget.steps - self.step)

    def _tell(self) -> None:
        now = time.monotonic()
        if not self.watchers or now - self._told < _NEWS_SECONDS:
            return
        self._told = now
        loss = float(self._losses[-1])
        for watcher in self.watchers:
            watcher(self._news(loss))

    def _news(self, loss: float, judged: Mapping[str, float] | None = None, best: bool = False) -> News:
        rate = self._rows * (self.step - self._first) / max(self._elapsed(), 1e-9)
        epoch = self.step / self.budget.steps_per_epoch
        return News(self.step, self.budget.steps, epoch, loss, rate, self._left(), judged or {}, best)

    def _judge(self, share: float) -> str | None:
        """Judge the averaged network, note it, keep it when it is the best; a reason to stop, or None."""
        loss = float(torch.stack(self._losses).mean())
        self._losses.clear()
        if not math.isfinite(loss):
            lower = 0.0003 if self.plan.learning_rate == "find" else self.plan.learning_rate / 10
            raise PlanError(
                f"The loss is {loss} after {self.step:,} steps: the weights left the range of numbers. "
                f"Try a lower rate: --set training.learning_rate={lower:g}"
            )
        figures = self.judge()
        self._learn()
        best = self.best.judge(figures[self.best.metric.key], self.step, self.average.module.state_dict())
        self.seconds = self._before + self._elapsed()
        line = {"step": self.step, "epoch": round(self.step / self.budget.steps_per_epoch, 3), "loss": loss,
                "rate": share, "seconds": round(self.seconds, 2), "best": best, **figures}  # fmt: skip
        self.history.add(line)
        for watcher in self.watchers:
            watcher(self._news(loss, figures, best))
        self._correct()
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
        """Plan as many steps as the time left allows, when that differs by more than a twentieth."""
        if self.budget.seconds is None or self.step >= self.budget.steps:
            return
        per_step = self._elapsed() / (self.step - self._first)
        steps = self.step + max(int((self.budget.seconds - self._before - self._elapsed()) / per_step), 1)
        steps = min(steps, self.budget.most or steps)
        if abs(steps - self.budget.steps) > 0.05 * (self.budget.steps - self.step):
            self.budget.steps = steps
            self.decided({"step": self.step, "steps": steps})

    def _look_up(self) -> None:
        """Save when it is time; stop when asked to."""
        signal_number = self.interrupted()
        due = self.checkpoint and time.monotonic() - self._saved > self.plan.checkpoint_seconds
        if self.checkpoint and (due or signal_number):
            self.save()
        if signal_number:
            raise Interrupted(f"Stopped after {self.step:,} of {self.budget.steps:,} steps.", signal_number)

    def save(self) -> None:
        """Write all that going on needs."""
        assert self.checkpoint is not None
        self.seconds = self._before + self._elapsed()
        save_checkpoint(self.checkpoint, self.state())
        self._saved = time.monotonic()

    def state(self) -> dict[str, Any]:
        """Everything that the next step depends on."""
        return {
            "step": self.step,
            "steps": self.budget.steps,
            "progress": self.progress,
            "seconds": self.seconds,
            "ended": self.ended,
            "lines": len(self.history.lines),
            "losses": torch.stack(self._losses) if self._losses else torch.zeros(0),
            "stream": self.stream.state(),
            "objective": self.objective.state(),
            "players": {name: player.state_dict() for name, player in self.objective.players.items()},
            "average": {"updates": self.average.updates, "weights": self.average.module.state_dict()},
            "best": {"figure": self.best.figure, "step": self.best.step, "since": self.best.since,
                     "weights": self.best.weights},
            "optimizers": {
                name: [optimizer.state_dict() for optimizer in update.optimizers]
                for name, update in self.updates.items()
            },
        }  # fmt: skip

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on where `state` was taken."""
        self.step, self.budget.steps = state["step"], state["steps"]
        self.progress, self.seconds, self.ended = state["progress"], state["seconds"], state["ended"]
        self.history.cut(state["lines"])
        self.stream.restore(state["stream"])
        self.objective.restore(state["objective"])
        for name, weights in state["players"].items():
            self.objective.players[name].load_state_dict(weights)
        self.average.updates = state["average"]["updates"]
        self.average.module.load_state_dict(state["average"]["weights"])
        best = state["best"]
        self.best.figure, self.best.step, self.best.since = best["figure"], best["step"], best["since"]
        self.best.weights = dict(best["weights"])
        for name, update in self.updates.items():
            for optimizer, values in zip(update.optimizers, state["optimizers"][name], strict=True):
                optimizer.load_state_dict(values)
        self._losses = list(state["losses"])

"""Who takes the steps of a training: one process alone, or one that leads and others that follow its orders."""

import contextlib
import copy
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from lamina.data import Stream
from lamina.ground import seed_layers
from lamina.network import split_batch
from lamina.objectives import Objective
from lamina.training.averaging import Average
from lamina.training.course import course_of, take_up
from lamina.training.guard import unsound
from lamina.training.ranks import Copies, Ranks, Shares
from lamina.training.update import Others, Update, take_step

ModuleType = TypeVar("ModuleType", bound=nn.Module)


@dataclass
class Learners:
    """All that a step changes."""

    objective: Objective
    stream: Stream
    updates: Mapping[str, Update]
    average: Average | None
    """None in processes that follow with a copy of the network: the average is judged by the one that leads."""

    def course(self) -> dict[str, Any]:
        """What every step changes, as `course_of` gives it."""
        assert self.average is not None
        return course_of(self.objective, self.stream, self.updates, self.average)

    def take_up(self, course: Mapping[str, Any]) -> None:
        """Go on where `course` was taken."""
        take_up(course, self.objective, self.stream, self.updates, self.average)


class Crew(ABC):
    """What the loop asks of whoever works beside it."""

    others: Others | None = None
    """Those who work on the other rows of each batch."""

    @abstractmethod
    def begin(self, learners: Learners) -> None:
        """Before the first step: all start from the same weights."""

    @abstractmethod
    def step(self, step: int, rate: float, parts: int) -> contextlib.AbstractContextManager[None]:
        """The block takes a step: its number, the share of the highest rate, and the parts that rows come in."""

    @abstractmethod
    def course(self, learners: Learners) -> dict[str, Any]:
        """What every step changes, with whole tensors."""

    @abstractmethod
    def take_up(self, learners: Learners, course: Mapping[str, Any]) -> None:
        """Go on where `course` was taken, in all processes."""

    @abstractmethod
    def weights(self, module: nn.Module) -> dict[str, Tensor]:
        """The weights of the averaged network, whole."""

    @abstractmethod
    def judge(self, judge: Callable[[], Mapping[str, float]]) -> Mapping[str, float]:
        """The figures that `judge` finds."""

    @abstractmethod
    def unsound(self, updates: Mapping[str, Update]) -> bool:
        """Whether a weight, or what an optimizer remembers, is not a number any more."""


class Alone(Crew):
    """One process does everything."""

    def begin(self, learners: Learners) -> None:
        pass

    def step(self, step: int, rate: float, parts: int) -> contextlib.AbstractContextManager[None]:
        return contextlib.nullcontext()

    def course(self, learners: Learners) -> dict[str, Any]:
        return learners.course()

    def take_up(self, learners: Learners, course: Mapping[str, Any]) -> None:
        learners.take_up(course)

    def weights(self, module: nn.Module) -> dict[str, Tensor]:
        return module.state_dict()

    def judge(self, judge: Callable[[], Mapping[str, float]]) -> Mapping[str, float]:
        return judge()

    def unsound(self, updates: Mapping[str, Update]) -> bool:
        return unsound(updates.values())


class Leader(Crew):
    """The first of several processes: says what comes next, and does its part of it."""

    def __init__(self, ranks: Ranks, shares: bool):
        """Lead the others, who hold copies of the network, or `shares` of it."""
        self._ranks, self._shares = ranks, shares
        self.others = Shares() if shares else Copies(ranks)

    def begin(self, learners: Learners) -> None:
        self.take_up(learners, self.course(learners))

    def step(self, step: int, rate: float, parts: int) -> contextlib.AbstractContextManager[None]:
        return self._ranks.order("step", step, rate, parts)

    def course(self, learners: Learners) -> dict[str, Any]:
        return learners.course() if not self._shares else self._gathered("course", learners.course)

    def take_up(self, learners: Learners, course: Mapping[str, Any]) -> None:
        with self._ranks.order("take up"):
            learners.take_up(_spread(self._ranks, self._shares, learners, course))

    def weights(self, module: nn.Module) -> dict[str, Tensor]:
        return module.state_dict() if not self._shares else self._gathered("weights", module.state_dict)

    def judge(self, judge: Callable[[], Mapping[str, float]]) -> Mapping[str, float]:
        with self._if_shared("judge"):
            return judge()

    def unsound(self, updates: Mapping[str, Update]) -> bool:
        with self._if_shared("unsound"):
            found = unsound(updates.values())
            return self._ranks.any([found])[0] if self._shares else found

    def _if_shared(self, order: str) -> contextlib.AbstractContextManager[None]:
        """What the others must take part in where each holds a share only."""
        return self._ranks.order(order) if self._shares else contextlib.nullcontext()

    def _gathered(self, order: str, values: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        with self._ranks.order(order):
            return _whole(values())

    def end(self) -> None:
        """Tell the others that the training is over."""
        self._ranks.tell(("end",))


def divided(network: ModuleType, memory: float, device: torch.device, size: int) -> tuple[ModuleType, Average]:
    """A copy of the network and its average, both divided among the processes; the network itself stays whole."""
    from lamina.training.sharding import divide

    learner = copy.deepcopy(network)
    average = Average(learner, memory)
    divide(learner, device, size)
    if average.module is not learner:
        divide(average.module, device, size)
    average.follow(learner)
    return learner, average


def _whole(values: dict[str, Any]) -> dict[str, Any]:
    from lamina.training.sharding import whole  # seconds of imports that a process alone does without

    return whole(values)


def _spread(ranks: Ranks, shares: bool, learners: Learners, course: Mapping[str, Any] | None) -> Any:
    """A course of the first process in all of them: whole, or of each tensor the share that belongs here."""
    if not shares:
        return ranks.spread(course)
    from lamina.training.sharding import keeping_shares

    modules = {f"/players/{name}": player for name, player in learners.objective.players.items()}
    if learners.average is not None:
        modules["/average/weights"] = learners.average.module
    return ranks.spread(course, keeping_shares(modules, learners.updates))


@dataclass
class Follower:
    """Any process but the first: does what it is told until the training is over."""

    ranks: Ranks
    learners: Learners
    seed: int
    shares: bool = False
    autocast: Callable[[], Any] | None = None
    judge: Callable[[], object] | None = None
    """Answers the rows to judge by with the averaged network, where each process holds a share of it."""
    _others: Others = field(init=False)

    def follow(self) -> None:
        """Take part in a training from its first step, or from where it is resumed, to its end.

        Raises:
            Dismissed: if the first process ended early.
        """
        self._others = Shares() if self.shares else Copies(self.ranks)
        self._learn()
        while True:
            match self.ranks.hear():
                case ("step", int(step), float(rate), int(parts)):
                    self._step(step, rate, parts)
                case ("take up",):
                    self.learners.take_up(_spread(self.ranks, self.shares, self.learners, None))
                case ("course",):
                    _whole(self.learners.course())
                case ("weights",):
                    assert self.learners.average is not None
                    _whole(self.learners.average.module.state_dict())
                case ("judge",):
                    assert self.judge is not None
                    self.judge()
                    self._learn()
                case ("unsound",):
                    self.ranks.any([unsound(self.learners.updates.values())])
                case ("end",):
                    return
                case unknown:
                    raise AssertionError(f"no process was taught the order {unknown!r}")

    def _learn(self) -> None:
        for player in self.learners.objective.players.values():
            player.train()

    def _step(self, step: int, rate: float, parts: int) -> None:
        place = next(iter(self.learners.updates.values())).parameters[0].device
        seed_layers(place, self.seed, "step", self.ranks.rank, step=step)
        for update in self.learners.updates.values():
            update.set_rate(rate)
        batch = self.learners.stream.next()
        try:
            with contextlib.nullcontext() if self.autocast is None else self.autocast():
                take_step(self.learners.objective, split_batch(batch, parts), self.learners.updates, self._others)
        except torch.OutOfMemoryError:
            return  # all know of it, and the first process will order the way back
        if self.learners.average is not None:
            self.learners.average.update()

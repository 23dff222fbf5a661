"""What a training does when numbers leave their range or the memory ends: it goes back and takes the steps otherwise.

The way back leads to the last judgement, where the weights were found sound. Where it leads depends on steps alone,
never on the clock or on who looks on, and what is changed there is a decision that is written down: a training that is
interrupted goes on as if it had not been.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

import torch
from torch import Tensor

from lamina.ground import MachineError, PlanError
from lamina.training.checkpoint import copied
from lamina.training.optimizers import local
from lamina.training.update import Update

T = TypeVar("T")

LOWER = 1 / 3
"""What is left of the learning rate each time that numbers left their range."""
COUPLED = "normalising by the batch couples rows: its statistics are those of a part"
"""Why a batch in parts is then not quite the whole batch."""
TRIES = 3
"""How often a lower rate is tried before the training is given up."""
TOGETHER, FEWEST = 1 << 18, 64
"""Numbers of inputs that are answered together, as far as these are more rows than that: layers of filters make some
twenty times as many of them, and answering should not take more memory than learning did."""


@dataclass
class Guard:
    """How the steps are taken after what went wrong so far, and the state to go back to."""

    parts: int = 1
    """Parts that a step's rows are worked through in."""
    rate_share: float = 1.0
    """The share of the schedule's rate that steps follow."""
    lowered: int = 0
    """Times that the rate was lowered."""
    decisions: int = 0
    """Decisions made so far, replayed ones among them."""
    recorded: list[dict[str, Any]] = field(default_factory=list)
    """Decisions of an earlier part of the same training that are still to be replayed, the earliest first."""
    anchor: dict[str, Any] = field(default_factory=dict)
    """The state of the last judgement; empty before the first step."""

    def keep(self, course: Mapping[str, Any]) -> None:
        """Take this state as the one to go back to; it is copied."""
        self.anchor = copied(course)

    def state(self) -> dict[str, Any]:
        """Plain values; the anchor is saved beside them."""
        names = ("parts", "rate_share", "lowered", "decisions")
        return {name: getattr(self, name) for name in names}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on where `state` was taken."""
        self.parts, self.rate_share = state["parts"], state["rate_share"]
        self.lowered, self.decisions = state["lowered"], state["decisions"]

    def expect(self, decisions: Iterable[Mapping[str, Any]]) -> None:
        """Note decisions of an earlier part of the same training, except those that the state holds already."""
        guarded = [dict(each) for each in decisions if "guard" in each]
        self.recorded = [each for each in guarded if each["guard"] > self.decisions]

    def replay(self, step: int) -> None:
        """Make the recorded decisions of this step again."""
        while self.recorded and self.recorded[0]["step"] == step:
            self._take(self.recorded.pop(0))

    def must_go_back(self, step: int) -> bool:
        """Whether a recorded decision belongs to the anchor, which lies behind."""
        return bool(self.recorded) and self.recorded[0]["step"] == self.anchor["step"] < step

    def lower_rate(self, seen: str, step: int, rate: float | None) -> dict[str, Any]:
        """Decide to go on from the anchor at a lower rate.

        Args:
            seen: what left its range, in words.
            step: the step after which it was seen.
            rate: the highest rate of the schedule, None when it was looked for.

        Raises:
            PlanError: if that was tried often enough.
        """
        if self.lowered == TRIES:
            lower = 0.0003 if rate is None else rate / 100
            raise PlanError(
                f"{seen} after {step:,} steps, and {TRIES} lower rates did not help: the weights leave the range of "
                f"numbers. Try a much lower rate: --set training.learning_rate={lower:g}. If it stays so, a loss or "
                "layer of one's own gives numbers without bounds, or the data holds some."
            )
        self.lowered += 1
        return self._decide(seen, step, self.rate_share * LOWER, self.parts)

    def split(self, step: int, rows: int, couples_rows: bool) -> dict[str, Any]:
        """Decide to work through a step's rows in twice as many parts.

        Args:
            step: the step whose rows did not fit into the memory.
            rows: how many there are.
            couples_rows: whether a part of the network makes rows depend on each other.

        Raises:
            MachineError: if a single row does not fit.
        """
        if self.parts >= rows:
            raise MachineError(
                f"Step {step + 1:,} does not fit into the memory, not even a row at a time. Take a smaller network "
                "(--set size=small), or a machine with more memory."
            )
        seen = f"The memory did not suffice for step {step + 1:,}"
        if couples_rows:
            seen += f" ({COUPLED})"
        return self._decide(seen, step, self.rate_share, min(self.parts * 2, rows))

    def _decide(self, seen: str, step: int, rate_share: float, parts: int) -> dict[str, Any]:
        made = {"step": self.anchor["step"], "guard": self.decisions + 1, "seen": seen, "at": step,
                "rate_share": rate_share, "parts": parts, "lowered": self.lowered}  # fmt: skip
        self._take(made)
        self.recorded.clear()
        return made

    def _take(self, made: Mapping[str, Any]) -> None:
        self.rate_share, self.parts, self.lowered = made["rate_share"], made["parts"], made["lowered"]
        self.decisions = made["guard"]


def in_words(decision: Mapping[str, Any]) -> str:
    """What was seen, and what is done about it."""
    back = f"{decision['seen']}: back to step {decision['step']:,}"
    rate = "" if decision["rate_share"] == 1 else f", at {decision['rate_share']:.3g} of the rate"
    parts = "" if decision["parts"] == 1 else f", a step's rows in {decision['parts']} parts"
    return f"{back}{rate}{parts}."


def unsound(updates: Iterable[Update]) -> bool:
    """Whether a weight, or what an optimizer remembers of gradients, is not a number any more. Waits for the device."""
    values: list[Tensor] = []
    for update in updates:
        values += [local(parameter.detach()) for parameter in update.parameters]
        for optimizer in update.optimizers:
            values += [local(each) for state in optimizer.state.values() for each in state.values() if _measured(each)]
    values = [value for value in values if value.numel()]
    if not values:
        return False
    largest = torch._foreach_norm(values, float("inf"))
    return not bool(torch.isfinite(torch.stack([each.float() for each in largest])).all())


def _measured(value: object) -> bool:
    """Whether an optimizer's value is a tensor beside the weights; counters of steps may lie on another device."""
    return isinstance(value, Tensor) and value.dim() > 0


_OUT_OF_MEMORY = ("out of memory", "can't allocate memory", "not enough memory")


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error says that the memory ended, of a GPU or of the machine."""
    if isinstance(error, (MemoryError, torch.OutOfMemoryError)):
        return True
    return isinstance(error, RuntimeError) and any(words in str(error) for words in _OUT_OF_MEMORY)


def in_pieces(work: Callable[[int, int], T], rows: int, most: int, values: int = 1) -> list[T]:
    """What `work(start, end)` gives for each piece of `rows`, for rows that do not depend on each other.

    Args:
        work: answers rows from start to end, without end.
        rows: how many there are in all.
        most: rows of a piece; a piece that does not fit into the memory is worked through in halves.
        values: numbers that a row holds; pieces of large rows, such as pictures, are smaller.

    Raises:
        MachineError: if a single row does not fit.
    """
    most = min(most, max(TOGETHER // max(values, 1), FEWEST))
    done: list[T] = []
    for start in range(0, rows, most):
        done += _halved(work, start, min(start + most, rows))
    return done


def _halved(work: Callable[[int, int], T], start: int, end: int) -> list[T]:
    try:
        return [work(start, end)]
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
        if end - start == 1:
            raise MachineError(
                "A single row does not fit into the memory to be answered. Take a smaller network (--set size=small), "
                "or a machine with more memory."
            ) from error
    middle = (start + end) // 2  # outside of the handler, which holds on to what the failed try had taken
    return _halved(work, start, middle) + _halved(work, middle, end)

"""Numbers that leave their range and memory that ends: undone, tried otherwise, written down, replayed."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from players import Fitting, rows, stream

from lamina.data import Batch
from lamina.ground import Interrupted, MachineError
from lamina.losses import Loss
from lamina.metrics import Metric
from lamina.network import TrainingPlan
from lamina.training import Average, Best, Budget, Guard, History, Loop, load_checkpoint, make_update

ERROR = Metric("mse", lambda scores, truth: 0.0, larger_is_better=False)
SPOILED_STEP = 9


class Fragile(Fitting):
    """Gives a loss or a gradient that is no number at one step, while the rate is above a bound."""

    def __init__(self, spoil: str, bound: float):
        super().__init__(dropout=0.3)
        self.spoil, self.bound, self.batches = spoil, bound, 0
        self.rate: Callable[[], float] = lambda: 0.0

    def turns(self, batch: Batch) -> Iterator[tuple[str, Loss]]:
        ((player, loss),) = super().turns(batch)
        if self.batches == SPOILED_STEP and self.rate() > self.bound:
            if self.spoil == "loss":
                loss = Loss(loss.total * torch.nan, loss.count)
            else:
                loss.total.register_hook(lambda gradient: gradient * torch.inf)
        self.batches += 1
        yield player, loss

    def state(self) -> dict[str, object]:
        return {"batches": self.batches}

    def restore(self, state: Mapping[str, object]) -> None:
        self.batches = int(state["batches"])  # type: ignore[call-overload]


class Hungry(Fitting):
    """Runs out of memory when more than so many rows come at once."""

    def __init__(self, most: int, error: type[Exception] = torch.OutOfMemoryError):
        super().__init__()
        self.most, self.error = most, error

    def turns(self, batch: Batch) -> Iterator[tuple[str, Loss]]:
        if len(batch) > self.most:
            raise self.error("CUDA out of memory. Tried to allocate 2.00 GiB")
        yield from super().turns(batch)


def loop(objective: Fitting, folder: Path | None = None, decisions: list[Mapping[str, Any]] | None = None,
         **more: Any) -> Loop:  # fmt: skip
    plan = TrainingPlan(checkpoint_seconds=0 if folder else 1e6, average=0.9)
    update = make_update(objective.network, plan, 0.02)
    average, (inputs, answers) = Average(objective.network, plan.average), rows()
    if isinstance(objective, Fragile):
        objective.rate = lambda: update.optimizers[0].param_groups[0]["lr"]

    def judge() -> Mapping[str, float]:
        with torch.no_grad():
            return {"mse": float(((average.module.eval()(inputs)[:, 0] - answers) ** 2).mean())}

    guard = Guard()
    guard.expect(decisions or [])
    return Loop(
        objective, stream(), {"network": update}, plan, Budget(24, judge_every=4, steps_per_epoch=4), average,
        Best(ERROR), judge, History(None), checkpoint=folder, guard=guard,
        decided=decisions.append if decisions is not None else lambda decision: None, **more,
    )  # fmt: skip


def weights(trained: Loop) -> torch.Tensor:
    return torch.cat([value.flatten() for value in trained.best.weights.values()])


@pytest.mark.parametrize("spoil", ["loss", "gradient"])
@pytest.mark.parametrize("watched", [True, False])
def test_numbers_that_leave_their_range_are_undone_and_tried_at_a_lower_rate(
    spoil: str, watched: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lamina.training.loop._NEWS_SECONDS", 0.0)
    decisions: list[Mapping[str, Any]] = []
    trained = loop(Fragile(spoil, 0.003), None, decisions, watchers=(lambda news: None,) if watched else ())
    assert trained.run() == "all 24 steps made"
    assert [each["step"] for each in decisions] == [8, 8], "back to the judgement before the step"
    assert [each["rate_share"] for each in decisions] == pytest.approx([1 / 3, 1 / 9])
    assert len(trained.troubles) == 2 and "back to step 8, at 0.111 of the rate" in trained.troubles[1]
    assert torch.isfinite(weights(trained)).all()
    assert [line["step"] for line in trained.history.lines] == [4, 8, 12, 16, 20, 24]


def test_who_looks_on_changes_nothing_about_it(monkeypatch: pytest.MonkeyPatch) -> None:
    alone = loop(Fragile("loss", 0.003))
    alone.run()
    monkeypatch.setattr("lamina.training.loop._NEWS_SECONDS", 0.0)
    watched = loop(Fragile("loss", 0.003), watchers=(lambda news: None,))
    watched.run()
    assert torch.equal(weights(alone), weights(watched))


@pytest.mark.parametrize("make", [lambda: Fragile("gradient", 0.003), lambda: Hungry(5)])
@pytest.mark.parametrize("kept", [True, False])
def test_an_interrupted_training_makes_the_same_decisions_bit_for_bit(
    tmp_path: Path, make: Callable[[], Fitting], kept: bool
) -> None:
    """With the decisions at hand they are replayed; without them the same ones are made again."""
    straight = loop(make())
    straight.run()
    decisions: list[Mapping[str, Any]] = []
    stops = 0
    while True:
        calls = iter(range(1, 100))
        resumed = loop(make(), tmp_path, decisions if kept else None,
                       interrupted=lambda calls=calls: 2 if next(calls) == 3 else None)  # fmt: skip
        if any(tmp_path.iterdir()):
            resumed.restore(load_checkpoint(tmp_path))
        try:
            resumed.run()
            break
        except Interrupted:
            stops += 1
    assert stops >= 6
    assert torch.equal(weights(resumed), weights(straight))
    assert resumed.history.lines[-1]["mse"] == straight.history.lines[-1]["mse"]
    if kept:
        assert [each["guard"] for each in decisions] == list(range(1, len(decisions) + 1)), "none is made twice"


def test_a_decision_that_the_checkpoint_does_not_know_is_replayed_from_where_it_counts(tmp_path: Path) -> None:
    """Killed after the decision was written and before the next save: the checkpoint lies between the two."""
    straight, decisions = loop(Fragile("loss", 0.009), decisions=(made := [])), made
    straight.run()
    stopped = loop(Fragile("loss", 0.009), tmp_path,
                   interrupted=lambda: 2 if stopped.step == SPOILED_STEP else None)  # fmt: skip
    with pytest.raises(Interrupted):
        stopped.run()
    resumed = loop(Fragile("loss", 0.009), tmp_path, list(decisions))
    resumed.restore(load_checkpoint(tmp_path))
    assert resumed.step == SPOILED_STEP
    resumed.run()
    assert resumed.troubles == [], "nothing goes wrong again: the lower rate is known"
    assert torch.equal(weights(resumed), weights(straight))


@pytest.mark.parametrize("error", [torch.OutOfMemoryError, MemoryError, RuntimeError])
def test_rows_that_do_not_fit_into_the_memory_come_in_parts(error: type[Exception]) -> None:
    trained, whole = loop(Hungry(5, error), couples_rows=True), loop(Fitting())
    trained.run(), whole.run()
    assert trained.guard.parts == 4
    assert "a step's rows in 4 parts" in trained.troubles[-1] and "couples rows" in trained.troubles[-1]
    torch.testing.assert_close(weights(trained), weights(whole), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("parts, couples, said", [(2, True, True), (2, False, False), (1, True, False)])
def test_parts_of_a_batch_that_couples_its_rows_are_told_once(parts: int, couples: bool, said: bool) -> None:
    trained = loop(Fitting(), couples_rows=couples)
    trained.guard.parts = parts
    trained.run()
    assert len(trained.troubles) == said
    assert not said or "in 2 parts, and normalising by the batch couples rows" in trained.troubles[0]


def test_a_memory_too_small_for_a_row_is_explained_and_other_errors_are_not_swallowed() -> None:
    with pytest.raises(MachineError, match=r"not even a row at a time.*size=small"):
        loop(Hungry(0)).run()
    with pytest.raises(ValueError, match="out of memory"):
        loop(Hungry(0, ValueError)).run()

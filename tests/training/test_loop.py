import itertools
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from players import Fitting, rows, stream

from lamina.data import Batch
from lamina.ground import Interrupted, PlanError, RunError
from lamina.losses import Loss
from lamina.metrics import Metric
from lamina.network import TrainingPlan
from lamina.training import (
    SCHEDULES,
    Average,
    Best,
    Budget,
    History,
    Loop,
    News,
    load_checkpoint,
    make_update,
    read_history,
)

ERROR = Metric("mse", lambda scores, truth: 0.0, larger_is_better=False)


def loop(plan: TrainingPlan, folder: Path | None = None, steps: int = 40, rate: float = 0.02, **more: Any) -> Loop:
    objective = Fitting(dropout=0.3)
    average = Average(objective.network, plan.average)
    inputs, answers = rows()

    def judge() -> Mapping[str, float]:
        with torch.no_grad():
            return {"mse": float(((average.module.eval()(inputs)[:, 0] - answers) ** 2).mean())}

    return Loop(
        objective, stream(seed=plan.seed), {"network": make_update(objective.network, plan, rate)}, plan,
        Budget(steps, judge_every=4, steps_per_epoch=4), average, Best(ERROR, plan.patience), judge,
        History(None if folder is None else folder / "history.jsonl"),
        checkpoint=None if folder is None else folder / "checkpoint", **more,
    )  # fmt: skip


def weights(trained: Loop) -> torch.Tensor:
    return torch.cat([value.flatten() for value in trained.objective.players["network"].state_dict().values()])


def test_the_loop_learns_and_says_why_it_ended() -> None:
    trained = loop(TrainingPlan(), steps=200)
    assert trained.run() == "all 200 steps made"
    figures = [line["mse"] for line in trained.history.lines]
    assert figures[-1] < 0.5 * figures[0]
    assert trained.best.figure == min(figures)


@pytest.mark.parametrize("optimizer", ["adamw", "muon", "nesterov"])
def test_any_number_of_interruptions_ends_at_the_same_weights_bit_for_bit(tmp_path: Path, optimizer: str) -> None:
    plan = TrainingPlan(optimizer=optimizer, accumulate=2)
    straight = loop(plan)
    straight.run()
    calls = 0

    def interrupted() -> int | None:
        nonlocal calls
        calls += 1
        return 2 if calls % 7 == 0 else None

    stops = 0
    while True:
        resumed = loop(plan, tmp_path, interrupted=interrupted)
        if (tmp_path / "checkpoint").exists():
            resumed.restore(load_checkpoint(tmp_path / "checkpoint"))
        try:
            resumed.run()
            break
        except Interrupted as stop:
            assert stop.signal_number == 2
            stops += 1
    assert stops >= 4
    assert torch.equal(weights(resumed), weights(straight))
    assert all(torch.equal(resumed.best.weights[name], value) for name, value in straight.best.weights.items())
    untimed = [{k: v for k, v in line.items() if k != "seconds"} for line in read_history(tmp_path / "history.jsonl")]
    assert untimed == [{k: v for k, v in line.items() if k != "seconds"} for line in straight.history.lines]


@pytest.mark.parametrize("judge_every", [1, 7, 40])
@pytest.mark.parametrize("watched", [True, False])
def test_whoever_looks_on_changes_nothing(
    judge_every: int, watched: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Judged, told of and saved at every step or hardly ever, by such as draw random numbers: the same weights."""
    monkeypatch.setattr("lamina.training.loop._NEWS_SECONDS", 0.0)
    alone = loop(TrainingPlan(checkpoint_seconds=1e6))
    alone.run()
    told: list[int] = []

    def look(news: News) -> None:
        told.append(news.step)
        torch.rand(3), np.random.default_rng().random()

    seen = loop(TrainingPlan(checkpoint_seconds=0), tmp_path / "run", watchers=(look,)) if watched else (
        loop(TrainingPlan(checkpoint_seconds=1e6))
    )  # fmt: skip
    judge, seen.budget.judge_every = seen.judge, judge_every

    def judged() -> Mapping[str, float]:
        torch.rand(1 + seen.step)
        seen.objective.players["network"].eval()
        return judge()

    seen.judge = judged
    seen.run()
    assert len(seen.history.lines) == -(-40 // judge_every)
    assert not watched or set(told) == set(range(1, 41))
    assert torch.equal(weights(alone), weights(seen))


def test_stopping_early_keeps_the_best() -> None:
    trained = loop(TrainingPlan(patience=3, average=0), steps=4000, rate=0.3)
    assert trained.run() == "no better mse in 3 judgements"
    assert trained.step < 4000
    assert trained.best.step == trained.step - 12


@pytest.mark.parametrize(
    "setting, reason", [({"stop_at": 20.0}, "mse reached 20"), ({"stop_at_loss": 25.0}, "the training loss fell")]
)
def test_stopping_when_it_is_good_enough(setting: dict[str, float], reason: str) -> None:
    trained = loop(TrainingPlan(**setting), steps=2000)
    assert trained.run().startswith(reason)
    assert trained.step < 2000


def test_the_end_of_a_round_is_judged() -> None:
    trained = loop(TrainingPlan(schedule="restarts", average=0), steps=310)
    trained.budget.judge_every = 1_000
    trained.run()
    assert [line["step"] for line in trained.history.lines] == [10, 30, 70, 150, 310]
    assert all(line["rate"] < 0.05 for line in trained.history.lines)


def test_every_schedule_ends_at_other_weights() -> None:
    found = {}
    for name in SCHEDULES:
        trained = loop(TrainingPlan(schedule=name, warmup=0.1, average=0))  # type: ignore[arg-type]
        trained.run()
        found[name] = weights(trained)
    for (one, first), (other, second) in itertools.combinations(found.items(), 2):
        assert not torch.equal(first, second), f"{one} and {other} are the same"


@pytest.mark.parametrize("parts, pieces", [(1, [15] * 4), (3, [5] * 12)])
def test_accumulation_works_through_a_step_in_parts(parts: int, pieces: list[int]) -> None:
    trained, seen = loop(TrainingPlan(accumulate=parts), steps=4), []
    turns = trained.objective.turns

    def counted(batch: Batch) -> Iterator[tuple[str, Loss]]:
        seen.append(len(batch))
        yield from turns(batch)

    trained.objective.turns = counted  # type: ignore[method-assign]
    trained.run()
    assert (trained.step, seen) == (4, pieces)


def test_an_average_is_judged_and_kept_and_leaves_the_training_as_it_is() -> None:
    alone, averaged = loop(TrainingPlan(average=0)), loop(TrainingPlan(average=0.9))
    alone.run()
    averaged.run()
    assert torch.equal(weights(alone), weights(averaged))
    assert alone.best.figure != averaged.best.figure
    assert not torch.equal(alone.best.weights["0.weight"], averaged.best.weights["0.weight"])


def test_a_loss_that_leaves_the_numbers_is_explained() -> None:
    with pytest.raises(PlanError, match=r"3 lower rates did not help.*learning_rate=9\.99"):
        loop(TrainingPlan(optimizer="sgd", clip=0, learning_rate=999.0), rate=1e38).run()


def test_time_corrects_the_number_of_steps_and_says_so_first() -> None:
    decisions: list[Mapping[str, Any]] = []
    trained = loop(TrainingPlan(), steps=10**7, decided=decisions.append)
    trained.budget.seconds = 1.0
    trained.run()
    assert decisions and decisions[0]["step"] < 200
    assert trained.step == trained.budget.steps == decisions[-1]["steps"]
    assert 0.3 < trained.seconds < 3
    assert math.isclose(trained.progress, 1.0, abs_tol=1e-6)


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), RunError("state.json cannot be read")])
def test_a_disk_that_takes_neither_decisions_nor_history_does_not_end_the_training(
    error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*given: object) -> None:
        raise error

    trained = loop(TrainingPlan(), steps=10**7, decided=fails)
    trained.budget.seconds = 0.3
    monkeypatch.setattr(trained.history, "write", fails)
    trained.run()
    assert trained.step == trained.budget.steps
    assert all("could not be written down" in trouble for trouble in trained.troubles)
    assert trained.troubles[0].startswith("A decision") and trained.troubles[-1].startswith("The history")


def test_what_the_clock_decided_is_read_back_and_not_decided_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A training under a time, killed again and again, is one that follows its decisions without looking at a clock."""
    clock = [0.0]
    monkeypatch.setattr("lamina.training.loop.time.monotonic", lambda: clock[0])
    decisions: list[Mapping[str, Any]] = []
    plan, kills = TrainingPlan(checkpoint_seconds=0.3), 0  # of the clock above: every few steps

    def timed(dies_at: int | None) -> Loop:
        made = loop(plan, tmp_path, steps=160, decided=decisions.append)
        made.budget.seconds = 13.0
        made.budget.expect(list(decisions))
        turns, taken = made.objective.turns, 0

        def slowly(batch: Batch) -> Iterator[tuple[str, Loss]]:
            nonlocal taken
            taken += 1
            clock[0] += 0.1 if made.step < 30 else 0.2 + 0.03 * kills
            if taken == dies_at:
                raise KeyboardInterrupt
            yield from turns(batch)

        made.objective.turns = slowly  # type: ignore[method-assign]
        if (tmp_path / "checkpoint").exists():
            state = load_checkpoint(tmp_path / "checkpoint")
            if kills == 2:  # as if its last saves had not come to the disk: decisions lie ahead of it
                state = early
            made.restore(state)
        return made

    early: dict[str, Any] = {}
    for dies_at in (30, 12, 20, 8, None):
        resumed = timed(dies_at)
        if dies_at is None:
            resumed.run()
            break
        with pytest.raises(KeyboardInterrupt):
            resumed.run()
        kills += 1
        if kills == 1:
            early = load_checkpoint(tmp_path / "checkpoint")
    assert kills == 4 and resumed.step < 160
    assert len(decisions) >= 3 and len({each["step"] for each in decisions}) == len(decisions), decisions
    straight = loop(plan, steps=160)
    straight.budget.expect(decisions)
    straight.run()
    assert straight.step == resumed.step
    assert torch.equal(weights(resumed), weights(straight))

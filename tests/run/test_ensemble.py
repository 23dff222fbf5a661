import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from mixed_rows import DECIDED, Scenery, mixed, scenery, wishes

from lamina.network import Ensemble
from lamina.run import Fitted, Wishes, fit_ensemble
from lamina.training import same_tensors

STEP = 1.0
"""Seconds a step is said to take, a hundred times what it does: the limits below never end a training."""


def shared(networks: int = 5, chosen: bool = True) -> Scenery:
    """Rows for several networks of twelve steps each; `chosen`: by Lamina, not by a person."""
    data = {name: cells for name, cells in mixed(120, pictures=False).items() if name != "part"}
    scene = scenery(data, ("sort",), training={"steps": 12, "judge_every": 4, "ensemble": networks})
    reasons = {"training.ensemble": "rows are few"} if chosen else {}
    scene.prepared.plan = replace(scene.prepared.plan, reasons=reasons)
    return scene


def fitted(
    scene: Scenery, seconds: float | None, beat: float | None = None, **more: Any
) -> tuple[Fitted, dict[str, Any]]:
    """What became of it, and the decisions that were written."""
    written: dict[str, Any] = {}
    kept: dict[str, Any] = {"decisions": DECIDED | {"step_seconds": STEP}, "decided": written.update} | more
    return fit_ensemble(scene.prepared, replace(wishes(), seconds=seconds, **kept), beat), written


@pytest.mark.parametrize("seconds, networks", [(None, 5), (100.0, 5), (12 * STEP * 1.2, 2), (12 * STEP * 0.1, 1)])
def test_as_many_networks_share_the_rows_as_the_time_lets_learn(seconds: float | None, networks: int) -> None:
    made, written = fitted(shared(), seconds)
    plan = made.trained.plan
    assert plan.training.ensemble == networks
    assert (len(made.trained.network.networks) if isinstance(made.trained.network, Ensemble) else 1) == networks
    if networks < 5:
        assert written["networks"] == networks
        assert f"{networks} of the 5" in plan.reasons["training.ensemble"]


def test_the_number_that_a_person_asks_for_is_kept_however_short_the_time() -> None:
    made, _ = fitted(shared(networks=3, chosen=False), 12 * STEP * 0.1)
    assert made.trained.plan.training.ensemble == 3


def test_going_on_takes_as_many_networks_as_were_decided_for_before_the_interruption() -> None:
    scene = shared()
    first, written = fitted(scene, 12 * STEP * 1.2)
    again, _ = fitted(scene, 12 * STEP * 1.2, decisions=written)
    slower, _ = fitted(scene, 12 * STEP * 1.2, decisions=written | {"step_seconds": STEP * 100})
    assert [len(each.trained.network.networks) for each in (first, again, slower)] == [2, 2, 2]  # type: ignore[union-attr, arg-type]
    assert same_tensors(first.trained.network.state_dict(), again.trained.network.state_dict())


def test_every_network_holds_out_a_fifth_of_the_rows_even_where_they_are_two(monkeypatch: pytest.MonkeyPatch) -> None:
    held: list[tuple[int, int]] = []

    def fit(prepared: Any, own: Wishes) -> Fitted:
        held.append((len(prepared.split.train), len(prepared.split.valid)))
        return original(prepared, own)

    import lamina.run.ensemble as module

    original = module.fit_plan
    monkeypatch.setattr(module, "fit_plan", fit)
    scene = shared(networks=2, chosen=False)
    fit_ensemble(scene.prepared, wishes())
    rows = len(scene.prepared.split.train)
    assert len(held) == 2
    assert all(valid == pytest.approx(rows / 5, abs=2) and train + valid == rows for train, valid in held)


@pytest.mark.parametrize("seconds, around, least, most", [(1000.0, 0.0, 500.0, 500.0), (4.0, 2.5, 0.0, 1.5)])
def test_what_a_network_takes_beyond_its_part_is_missing_to_the_next(
    seconds: float, around: float, least: float, most: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts: list[float | None] = []

    def fit(prepared: Any, own: Wishes) -> Fitted:
        parts.append(own.seconds)
        time.sleep(around)  # building, judging, making confidences honest
        return original(prepared, replace(own, seconds=None))

    import lamina.run.ensemble as module

    original = module.fit_plan
    monkeypatch.setattr(module, "fit_plan", fit)
    fitted(shared(networks=2, chosen=False), seconds)
    first, second = parts
    assert first == pytest.approx(seconds / 2, abs=0.1)
    assert second is not None and least <= second <= most


def test_a_finished_network_is_not_trained_again(tmp_path: Path) -> None:
    scene = shared(networks=2, chosen=False)
    whole, _ = fitted(scene, None, checkpoint=tmp_path / "checkpoint")
    steps: list[Mapping[str, object]] = []
    again, _ = fitted(scene, None, checkpoint=tmp_path / "checkpoint", watchers=(lambda news: steps.append({}),))
    assert same_tensors(whole.trained.network.state_dict(), again.trained.network.state_dict())
    assert not steps


def test_the_first_network_stays_alone_unless_it_beats_a_figure(tmp_path: Path) -> None:
    scene = shared(networks=2, chosen=False)
    whole, _ = fitted(scene, None)
    figure = whole.figures[0]
    worse = figure - 0.01 if whole.chose.larger_is_better else figure + 0.01
    alone, _ = fitted(scene, None, beat=figure)
    kept, _ = fitted(scene, None, beat=worse)
    assert isinstance(whole.trained.network, Ensemble) and isinstance(kept.trained.network, Ensemble)
    assert not isinstance(alone.trained.network, Ensemble)
    assert alone.figures == whole.figures[:1] == kept.figures[:1]
    assert same_tensors(whole.trained.network.state_dict(), kept.trained.network.state_dict())

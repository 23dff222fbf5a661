import numpy as np
import pytest
import torch
from output_laws import WIDTH, check_laws, chunk, layer_and_rows
from torch.nn import functional

from lamina.ground import DataError, PlanError, Shape, from_plain, to_plain, vector
from lamina.outputs import NumberOutput, Scale

GENERATOR = np.random.default_rng(0)
EVEN = GENERATOR.normal(50, 7, 300)
WIDE = np.exp(GENERATOR.normal(3, 1.5, 300))
COUNTS = GENERATOR.poisson(1.0, 300).astype(float) ** 3
LOSSES = ("mse", "sse", "mae", "huber", "quantile")


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("targets", [EVEN, WIDE, COUNTS], ids=["even", "wide", "counts"])
def test_number_keeps_the_laws(loss: str, targets: np.ndarray) -> None:
    check_laws(NumberOutput(column="y", loss=loss, quantile=0.8), targets[:57].tolist())


@pytest.mark.parametrize(
    "targets, settings, transform, decides",
    [
        (EVEN, {}, "none", "rmse"),
        (EVEN, {"transform": "log"}, "log", "rmsle"),
        (WIDE, {}, "log", "rmsle"),
        (WIDE, {"transform": "none"}, "none", "rmse"),
        (WIDE, {"decides": "rmse"}, "none", "rmse"),
        (WIDE, {"loss": "mae"}, "log", "mae"),
        (WIDE, {"loss": "quantile"}, "log", "pinball"),
        (COUNTS, {}, "log", "rmsle"),
        (WIDE - 100, {}, "none", "rmse"),
        (-WIDE, {}, "none", "rmse"),
        (1900 + WIDE / WIDE.max(), {}, "none", "rmse"),  # skewed, but all of one magnitude
        (np.append(EVEN, 1e7), {}, "none", "rmse"),  # one outlier is no skew
    ],
)
def test_what_is_learned_and_what_decides(targets, settings, transform, decides) -> None:
    plan = NumberOutput(column="y", **settings)
    facts = plan.fit([chunk("y", targets[:100]), chunk("y", targets[100:])])
    assert facts["transform"] == transform
    layer = plan.build(facts, Shape("vector", WIDTH))
    assert layer.decides == decides
    assert ("rmsle" in layer.metrics()) == (targets.min() >= 0)


@pytest.mark.parametrize("targets", [EVEN, WIDE, COUNTS, EVEN * 1e-6, EVEN + 1e9])
@pytest.mark.parametrize("transform", ["none", "log"])
def test_the_scale_goes_there_and_back(targets: np.ndarray, transform: str) -> None:
    scale = Scale.of(NumberOutput(column="y", transform=transform).fit([chunk("y", targets)]))
    learned = scale.learned(torch.from_numpy(targets))
    assert abs(learned.mean()) < 0.1
    assert 0.9 < learned.std() < 1.1
    spread = targets.max() - targets.min()
    np.testing.assert_allclose(scale.units(learned).numpy(), targets, atol=1e-4 * spread)


def test_outliers_do_not_set_the_scale() -> None:
    facts = NumberOutput(column="y").fit([chunk("y", np.append(EVEN, 1e9))])
    learned = Scale.of(facts).learned(torch.from_numpy(EVEN))
    assert 0.5 < learned.std() < 1.5


def test_answers_stay_near_the_training_range() -> None:
    for targets, lowest in ((EVEN, 0.0), (WIDE, 0.0), (EVEN - 50, None)):
        scale = Scale.of(NumberOutput(column="y").fit([chunk("y", targets)]))
        low, high = scale.units(torch.tensor([-1e4, 1e4])).tolist()
        spread = targets.max() - targets.min()
        assert high == pytest.approx(targets.max() + spread / 2)
        floor = targets.min() - spread / 2
        assert low == pytest.approx(floor if lowest is None else max(floor, lowest))


def test_held_out_targets_below_zero_have_a_finite_loss() -> None:
    plan = NumberOutput(column="y", transform="log")
    layer = plan.build(plan.fit([chunk("y", WIDE)]), Shape("vector", WIDTH))
    assert layer.loss(torch.zeros(2, 1, 1), torch.tensor([-5.0, 0.0])).total.isfinite()


@pytest.mark.parametrize(
    "cells, settings, problem",
    [
        ([None, None], {}, "holds no number"),
        ([float("inf"), None], {}, "holds no number"),
        ([3.0, 3.0], {}, "'y' is 3 in all 2 training rows"),
        ([-1.0, 3.0], {"transform": "log"}, "goes down to -1"),
    ],
)
def test_columns_without_an_answer_are_refused(cells, settings, problem) -> None:
    with pytest.raises(DataError, match=problem):
        NumberOutput(column="y", **settings).fit([chunk("y", cells)])


def test_gaps_and_infinities_are_named() -> None:
    plan = NumberOutput(column="y")
    block = plan.prepare(chunk("y", [1.5, None, float("inf"), float("nan")]), plan.fit([chunk("y", [1.0, 2.0])]))
    assert block.values.tolist() == [1.5, 0, 0, 0]
    assert set(block.problems) == {1, 2, 3}
    assert "gap" in block.problems[1]
    assert "inf, not a finite number" in block.problems[2]


def test_losses_are_those_of_torch() -> None:
    raw = torch.randn(len(EVEN), 1, 1)
    found = {}
    for loss in LOSSES:
        layer, _, targets = layer_and_rows(NumberOutput(column="y", loss=loss), EVEN.tolist())
        found[loss] = layer.loss(raw, targets).mean()
        wanted = layer.scale.learned(targets)
    answers = raw[:, 0, 0]
    torch.testing.assert_close(found["mse"], functional.mse_loss(answers, wanted))
    torch.testing.assert_close(found["sse"], functional.mse_loss(answers, wanted, reduction="sum"))
    torch.testing.assert_close(found["mae"], functional.l1_loss(answers, wanted))
    torch.testing.assert_close(found["huber"], functional.huber_loss(answers, wanted))
    torch.testing.assert_close(found["quantile"], functional.l1_loss(answers, wanted) / 2)


@pytest.mark.parametrize(
    "settings, middle",
    [
        ({}, np.mean),
        ({"loss": "mae"}, np.median),
        ({"loss": "quantile", "quantile": 0.8}, lambda y: np.quantile(y, 0.8)),
    ],
)
def test_a_fresh_layer_answers_what_is_best_without_inputs(settings, middle) -> None:
    layer, features, _ = layer_and_rows(NumberOutput(column="y", **settings), EVEN.tolist())
    answer = layer.decode(layer(vector(torch.zeros_like(features))).detach(), {}).scores[0]
    assert answer == pytest.approx(middle(EVEN), rel=1e-5)


@pytest.mark.parametrize("coverage", [0.5, 0.9])
@pytest.mark.parametrize("skewed", [False, True])
def test_intervals_hold_new_rows_as_often_as_stated(coverage: float, skewed: bool) -> None:
    generator = np.random.default_rng(3)
    signal = generator.normal(size=20_000)
    targets = 5 + signal + 0.1 * (4 + signal) * generator.normal(size=len(signal))  # noise grows with the level
    targets = np.exp(targets) if skewed else targets
    plan = NumberOutput(column="y", coverage=coverage)
    layer = plan.build(plan.fit([chunk("y", targets)]), Shape("vector", WIDTH))
    raw = (layer.scale.learned(torch.from_numpy(targets)) * 0)[:, None, None] + torch.from_numpy(signal)[:, None, None]
    layer.calibrate(raw[:10_000], torch.from_numpy(targets[:10_000]))
    columns = layer.decode(raw[10_000:], {}).columns
    held = (columns["y_low"] <= targets[10_000:]) & (targets[10_000:] <= columns["y_high"])
    assert held.mean() == pytest.approx(coverage, abs=0.02)
    upper, lower = signal[10_000:] > 1, signal[10_000:] < -1
    assert held[upper].mean() == pytest.approx(coverage, abs=0.06)
    assert held[lower].mean() == pytest.approx(coverage, abs=0.06)
    assert (columns["y_low"] <= columns["y"]).all()
    assert (columns["y"] <= columns["y_high"]).all()


@pytest.mark.parametrize("rows, bounds", [(18, False), (19, True)])
def test_too_few_rows_promise_no_interval(rows: int, bounds: bool) -> None:
    layer, features, targets = layer_and_rows(NumberOutput(column="y"), EVEN.tolist())
    raw = layer(vector(features)).detach()
    layer.calibrate(raw[:rows], targets[:rows])
    assert ("y_low" in layer.decode(raw, {}).columns) == bounds


@pytest.mark.parametrize(
    "settings, problem",
    [
        ({"quantile": 0.9, "loss": "quantile"}, None),
        ({"quantile": 1}, "y.quantile: 1 does not do"),
        ({"coverage": 0}, "y.coverage: 0 does not do"),
        ({"decides": "rmsee"}, "no metric 'rmsee'.*Did you mean 'rmse'"),
        ({"transform": "sqrt"}, "outputs.y.transform: 'sqrt' does not do"),
    ],
)
def test_settings_are_checked(settings: dict[str, object], problem: str | None) -> None:
    facts = NumberOutput(column="y").fit([chunk("y", EVEN)])
    if problem is None:
        plan = from_plain(NumberOutput, {"column": "y", **settings}, "outputs.y")
        assert from_plain(NumberOutput, to_plain(plan), "outputs.y") == plan
    else:
        with pytest.raises(PlanError, match=problem):
            from_plain(NumberOutput, {"column": "y", **settings}, "outputs.y").build(facts, Shape("vector", WIDTH))


def test_a_number_stays_when_the_input_was_moved_but_not_when_nobody_knows_how() -> None:
    layer, _, targets = layer_and_rows(NumberOutput(column="y"), EVEN.tolist())
    assert layer.follow(targets, {"mirror": torch.ones(len(targets), dtype=torch.bool)}) is targets
    with pytest.raises(PlanError, match="cannot follow 'slowed'"):
        layer.follow(targets, {"slowed": torch.ones(len(targets))})

import numpy as np
import pytest
import torch
from output_laws import WIDTH, check_laws, chunk, layer_and_rows
from torch.nn import functional

from lamina.data import Facts
from lamina.ground import DataError, PlanError, Shape, ShapeError, from_plain, to_plain, vector
from lamina.outputs import CategoryOutput
from lamina.outputs.category import CategoryLayer

COLOURS = ["red", "green", "blue", "green", "red", "red", "blue", "green", "red", "green"] * 6


@pytest.mark.parametrize(
    "plan",
    [
        CategoryOutput(column="y"),
        CategoryOutput(column="y", smoothing=0.1),
        CategoryOutput(column="y", loss="focal"),
        CategoryOutput(column="y", class_weights="balanced"),
        CategoryOutput(column="y", class_weights={"red": 3.0}),
        CategoryOutput(column="y", none=0.2),
        CategoryOutput(column="y", outside="red", loss="focal"),
    ],
)
def test_category_keeps_the_laws(plan: CategoryOutput) -> None:
    check_laws(plan, COLOURS)


@pytest.mark.parametrize(
    "cells, classes",
    [
        (["b", "a", None, "b"], ["a", "b"]),
        (["10", "9", "2"], ["2", "9", "10"]),
        (["10", "9", "x"], ["10", "9", "x"]),
        (["1", "nan"], ["1", "nan"]),
    ],
)
def test_classes_are_in_an_order_that_people_expect(cells: list[str | None], classes: list[str]) -> None:
    facts = CategoryOutput(column="y").fit([chunk("y", cells[:2]), chunk("y", cells[2:])])
    assert facts["classes"] == classes
    assert list(facts["counts"]) == [cells.count(name) for name in classes]


@pytest.mark.parametrize(
    "cells, problem",
    [
        (["a"] * 5 + [None], "'y' holds a single class, 'a', in all 5 training rows"),
        ([None, None], "nothing but gaps"),
        ([f"id{i}" for i in range(30)], "30 different values in 30 rows.*identifier"),
        ([f"id{i // 3}" for i in range(33_000)], "too many for classes"),
    ],
)
def test_columns_that_are_no_classes_are_refused(cells: list[str | None], problem: str) -> None:
    with pytest.raises(DataError, match=problem):
        CategoryOutput(column="y").fit([chunk("y", cells)])


def test_gaps_and_unknown_classes_are_named() -> None:
    plan = CategoryOutput(column="y")
    facts = plan.fit([chunk("y", ["a", "b"])])
    block = plan.prepare(chunk("y", ["b", None, "c", "a"]), facts)
    assert block.values.tolist() == [1, 0, 0, 0]
    assert block.values.dtype == np.int64
    assert set(block.problems) == {1, 2}
    assert "gap" in block.problems[1]
    assert "'c', a class that no training row has (a, b)" in block.problems[2]


def test_loss_is_torch_cross_entropy_averaged_over_members() -> None:
    layer, _, targets = layer_and_rows(CategoryOutput(column="y", smoothing=0.1), COLOURS, members=2)
    raw = torch.randn(len(COLOURS), 2, 3)
    by_member = [
        functional.cross_entropy(raw[:, member], targets, label_smoothing=0.1, reduction="sum") for member in (0, 1)
    ]
    torch.testing.assert_close(layer.loss(raw, targets).total, sum(by_member) / 2)


def test_focal_loss_without_gamma_is_cross_entropy() -> None:
    plain, _, targets = layer_and_rows(CategoryOutput(column="y"), COLOURS)
    focal, _, _ = layer_and_rows(CategoryOutput(column="y", loss="focal", gamma=0), COLOURS)
    strong, _, _ = layer_and_rows(CategoryOutput(column="y", loss="focal", gamma=2), COLOURS)
    raw = torch.randn(len(COLOURS), 1, 3)
    torch.testing.assert_close(plain.loss(raw, targets).total, focal.loss(raw, targets).total)
    assert strong.loss(raw, targets).total < focal.loss(raw, targets).total


def test_balanced_weights_make_every_class_count_the_same() -> None:
    layer, _, targets = layer_and_rows(CategoryOutput(column="y", class_weights="balanced"), COLOURS)
    raw = torch.zeros(len(COLOURS), 1, 3)
    totals = [layer.loss(raw[targets == number], targets[targets == number]).total for number in range(3)]
    torch.testing.assert_close(totals[0], totals[1])
    torch.testing.assert_close(totals[0], totals[2])


def test_a_fresh_layer_says_how_often_classes_occur() -> None:
    layer, features, _ = layer_and_rows(CategoryOutput(column="y"), COLOURS)
    raw = layer(vector(torch.zeros_like(features)))
    shares = [COLOURS.count(name) / len(COLOURS) for name in ("blue", "green", "red")]
    np.testing.assert_allclose(layer.decode(raw.detach(), {}).scores[0], shares, rtol=1e-5)


@pytest.mark.parametrize("sharpness", [0.3, 1.0, 5.0])
def test_calibration_undoes_wrong_sharpness_and_never_harms(sharpness: float) -> None:
    layer, _, _ = layer_and_rows(CategoryOutput(column="y"), COLOURS)
    generator = torch.Generator().manual_seed(1)
    honest = 2 * torch.randn(4000, 1, 3, generator=generator)
    targets = torch.multinomial(honest[:, 0].softmax(-1), 1, generator=generator)[:, 0]
    raw = honest * sharpness
    log_loss = layer.metrics()["log_loss"].measure
    before = log_loss(layer.decode(raw, {}).scores, targets.numpy())
    layer.calibrate(raw, targets)
    after = log_loss(layer.decode(raw, {}).scores, targets.numpy())
    assert after <= before + 1e-6
    assert float(layer.temperature) == pytest.approx(sharpness, rel=0.1)


def test_calibration_on_few_right_answers_does_not_ask_for_certainty() -> None:
    layer, _, _ = layer_and_rows(CategoryOutput(column="y"), COLOURS)
    targets = torch.tensor([0, 1, 2])
    layer.calibrate(functional.one_hot(targets, 3).float()[:, None] * 3, targets)
    assert layer.decode(torch.tensor([[[3.0, 0, 0]]]), {}).scores.max() < 0.95
    layer.calibrate(torch.empty(0, 1, 3), torch.empty(0, dtype=torch.int64))  # no rows, no change


def test_members_are_averaged_as_probabilities() -> None:
    layer, _, _ = layer_and_rows(CategoryOutput(column="y"), COLOURS, members=2)
    raw = torch.randn(5, 2, 3)
    answers = layer.decode(raw, {})
    np.testing.assert_allclose(answers.scores, raw.softmax(-1).mean(1), rtol=1e-5)
    np.testing.assert_allclose(answers.columns["y_confidence"], answers.scores.max(1))
    assert set(answers.columns["y"]) <= set(COLOURS)


@pytest.mark.parametrize(
    "cells, positive, decides",
    [
        (["no"] * 5 + ["yes"] * 5, "yes", "accuracy"),
        (["no"] * 80 + ["yes"] * 20, "yes", "auc"),
        (["no"] * 95 + ["yes"] * 5, "yes", "average_precision"),
        (["no"] * 5 + ["yes"] * 95, "yes", "auc"),
        (["good"] * 95 + ["bad"] * 5, "bad", "average_precision"),
        (["1"] * 70 + ["2"] * 30, "2", "accuracy"),
        (["0"] * 30 + ["1"] * 70, "1", "accuracy"),
        (["a"] * 30 + ["b"] * 30 + ["c"] * 30, None, "accuracy"),
        (["a"] * 30 + ["b"] * 30 + ["c"] * 3, None, "macro_f1"),
    ],
)
def test_the_balance_of_classes_says_what_decides(cells: list[str], positive: str | None, decides: str) -> None:
    plan = CategoryOutput(column="y")
    facts = plan.fit([chunk("y", cells)])
    layer = plan.build(facts, Shape("vector", WIDTH))
    assert facts["positive"] == positive
    assert layer.decides == decides
    assert ("average_precision" in layer.metrics()) == (positive is not None)


def fitted() -> tuple[CategoryOutput, Facts]:
    plan = CategoryOutput(column="y")
    return plan, plan.fit([chunk("y", COLOURS)])


@pytest.mark.parametrize(
    "settings, problem",
    [
        ({"decides": "log_loss"}, None),
        ({"decides": "acuracy"}, "no metric 'acuracy' for 3 classes. Did you mean 'accuracy'"),
        ({"decides": "average_precision"}, "no metric 'average_precision' for 3 classes"),
        ({"class_weights": {"red": 2}}, None),
        ({"class_weights": {"rad": 2}}, "no class 'rad'. Did you mean 'red'.*blue, green, red"),
        ({"class_weights": {"red": 0}}, "above 0"),
        ({"smoothing": 1}, "y.smoothing: 1 does not do"),
        ({"gamma": -1}, "y.gamma: -1 does not do"),
        ({"loss": "mse"}, "outputs.y.loss: 'mse' does not do"),
    ],
)
def test_settings_are_checked(settings: dict[str, object], problem: str | None) -> None:
    _, facts = fitted()
    if problem is None:
        plan = from_plain(CategoryOutput, {"column": "y", **settings}, "outputs.y")
        assert from_plain(CategoryOutput, to_plain(plan), "outputs.y") == plan
        plan.build(facts, Shape("vector", WIDTH))
    else:
        with pytest.raises(PlanError, match=problem):
            from_plain(CategoryOutput, {"column": "y", **settings}, "outputs.y").build(facts, Shape("vector", WIDTH))


def test_grids_are_refused_and_strange_geometry_too() -> None:
    plan, facts = fitted()
    with pytest.raises(ShapeError, match="reads a vector, not grid"):
        plan.build(facts, Shape("grid", 8, (4, 4)))
    layer = plan.build(facts, Shape("vector", WIDTH))
    targets = torch.tensor([0, 1])
    assert layer.follow(targets, {"mirror": torch.tensor([True, False])}) is targets
    with pytest.raises(PlanError, match="cannot follow 'recolour'"):
        layer.follow(targets, {"recolour": torch.tensor([True, False])})


def test_a_published_last_layer_is_taken_over_when_classes_and_width_agree() -> None:
    facts = CategoryOutput(column="y").fit([chunk("y", ["a", "b", "c"] * 5)])
    layer = CategoryOutput(column="y").build(facts, Shape("vector", WIDTH))
    weights = {"fc.weight": torch.randn(3, WIDTH), "fc.bias": torch.randn(3)}
    assert not layer.take_head({"fc.weight": torch.randn(5, WIDTH), "fc.bias": torch.randn(5)})
    assert not layer.take_head({"fc.weight": weights["fc.weight"]})
    assert layer.take_head(weights)
    inputs = torch.randn(4, WIDTH)
    expected = torch.nn.functional.linear(inputs, weights["fc.weight"], weights["fc.bias"])
    torch.testing.assert_close(layer(vector(inputs))[:, 0], expected)


TURNING = CategoryOutput(column="y", none=0.1, outside="red")


def calibrated(plan: CategoryOutput, rows: int = 999) -> tuple[CategoryLayer, torch.Tensor, torch.Tensor]:
    """A layer calibrated on rows of two classes, raw scores that know them, and the classes."""
    layer, _, _ = layer_and_rows(plan, COLOURS)
    assert isinstance(layer, CategoryLayer)
    generator = torch.Generator().manual_seed(0)
    targets = torch.randint(2, (rows,), generator=generator)
    raw = torch.randn(rows, 1, 2, generator=generator) + 2 * functional.one_hot(targets, 2)[:, None]
    layer.calibrate(raw, targets)
    return layer, raw, targets


def test_what_is_outside_is_no_class_but_the_last_answer() -> None:
    rows = [chunk("y", COLOURS)]
    facts = TURNING.fit(rows)
    assert facts["classes"] == ["blue", "green", "red"]
    assert facts["counts"].tolist() == [COLOURS.count(name) for name in ("blue", "green", "red")]
    layer = TURNING.build(facts, Shape("vector", WIDTH))
    assert layer(vector(torch.zeros(4, WIDTH))).shape == (4, 1, 2)
    assert TURNING.prepare(rows[0], facts).values[:3].tolist() == [2, 1, 0]
    assert layer.decides == "accuracy"


def test_no_more_rows_in_scope_are_turned_away_than_may_be() -> None:
    layer, raw, _ = calibrated(TURNING)
    answers = layer.decode(raw, {})
    away = answers.columns["y"] == "red"
    assert away.mean() == pytest.approx(0.1, abs=0.002)
    assert ((answers.scores.argmax(1) == 2) == away).all()
    np.testing.assert_allclose(answers.scores.sum(1), 1, rtol=1e-5)
    surest = answers.scores[:, :2].max(1)
    assert surest[away].max() < surest[~away].min(), "the least sure ones are turned away"


def test_confidences_of_classes_are_those_of_a_network_that_turns_nobody_away() -> None:
    cells = [colour for colour in COLOURS if colour != "red"]
    layer, raw, targets = calibrated(TURNING)
    plain, _, _ = layer_and_rows(CategoryOutput(column="y"), cells)
    plain.calibrate(raw, targets)
    answers, others = (each.decode(raw, {}).columns["y_confidence"] for each in (layer, plain))
    away = layer.decode(raw, {}).columns["y"] == "red"
    np.testing.assert_allclose(answers[~away], others[~away])
    np.testing.assert_allclose(answers[away], 1 - others[away])


def test_rows_outside_move_neither_line_nor_temperature() -> None:
    layer, raw, targets = calibrated(TURNING)
    before = {name: buffer.clone() for name, buffer in layer.named_buffers()}
    layer.calibrate(torch.cat([raw, torch.zeros(50, 1, 2)]), torch.cat([targets, torch.full((50,), 2)]))
    assert all(torch.equal(buffer, before[name]) for name, buffer in layer.named_buffers())


@pytest.mark.parametrize("rows, away", [(8, 0), (19, 1), (29, 2)])
def test_few_rows_turn_away_few_or_none(rows: int, away: int) -> None:
    """The k-th lowest of n rows has k / (n + 1) of new rows below it: of eight, a tenth at most would be none."""
    layer, raw, _ = calibrated(TURNING, rows)
    assert (layer.decode(raw, {}).columns["y"] == "red").sum() == away
    unsure = layer.decode(torch.zeros(1, 1, 2), {}).columns["y"][0]
    assert (unsure == "red") == bool(away)


def test_rows_outside_ask_for_every_class_alike() -> None:
    layer, _, _ = layer_and_rows(TURNING, COLOURS)
    raw = torch.tensor([[[1.0, 1.0]], [[3.0, 1.0]]], requires_grad=True)
    layer.loss(raw, torch.tensor([2, 2])).total.backward()
    assert raw.grad is not None
    assert raw.grad[0].abs().max() < 1e-6
    assert raw.grad[1, 0, 0] > 0 > raw.grad[1, 0, 1]


@pytest.mark.parametrize(
    "settings, cells, problem",
    [
        ({"none": 0.6}, COLOURS, "y.none: 0.6 does not do"),
        ({"none": 0.0}, COLOURS, "above 0"),
        ({"none": 0.05}, [*COLOURS, "none"], "1 training rows are of class 'none'.*outputs.y.outside=none"),
        ({"outside": "green"}, ["green", "red"] * 9, "single class, 'red', in all 9"),
    ],
)
def test_settings_for_what_is_outside_that_do_not_do(settings: dict, cells: list[str], problem: str) -> None:
    with pytest.raises((DataError, PlanError), match=problem):
        CategoryOutput(column="y", **settings).fit([chunk("y", cells)])

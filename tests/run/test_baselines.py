import numpy as np
import polars as pl
import pytest

from lamina.data import Column, Table
from lamina.ground import Shape
from lamina.outputs import CategoryOutput, LabelsOutput, NumberOutput, OutputPlan, ReplyOutput
from lamina.run.baselines import Baselines, fit_baselines, naive_baseline
from lamina.run.handmade import picture_features

ROWS = 600
TRAIN, VALID, TEST = np.arange(0, 300), np.arange(300, 400), np.arange(400, ROWS)
GENERATOR = np.random.default_rng(0)


def tables() -> tuple[Table, list[Column]]:
    """Columns of every kind, with gaps, from which several answers follow."""
    size = GENERATOR.normal(size=ROWS)
    place = GENERATOR.choice(["north", "south", "east"], ROWS)
    words = np.where(GENERATOR.random(ROWS) < 0.5, "a fine old house", "some broken ruin")
    fine = np.char.startswith(words, "a fine")
    value = size + 2 * (place == "north") + 2 * fine
    frame = pl.DataFrame({
        "size": np.where(GENERATOR.random(ROWS) < 0.1, np.nan, size),
        "rows": pl.Series(np.where(GENERATOR.random(ROWS) < 0.1, "", place)).replace("", None),
        "words": words,
        "when": pl.Series(np.arange(ROWS) * 86_400_000_000).cast(pl.Datetime("us")),
        "price": 100 + 10 * value,
        "skewed": np.exp(2 * value),
        "class": np.select([value < 1, value < 3], ["low", "middle"], "high"),
        "labels": np.where(fine, np.where(place == "north", "fine;north", "fine"), place),
    }).with_columns(pl.col("size").fill_nan(None))  # fmt: skip
    # a category may be called what its counts are called
    kinds = {"size": "number", "rows": "category", "words": "text", "when": "moment"}
    columns = [Column(name=name, kind=kind) for name, kind in kinds.items()]
    columns += [Column(name=name, kind="number", role="target") for name in ("price", "skewed", "class", "labels")]
    return Table(frame), columns


TABLE, COLUMNS = tables()


def fit(output: OutputPlan, **settings) -> tuple[Baselines, dict[str, float]]:
    """Baselines of a column, and the deciding figure of each on rows never seen."""
    facts = output.fit(TABLE.chunks(TRAIN))
    found = fit_baselines(TABLE, COLUMNS, output, facts, TRAIN, VALID, settings.pop("seconds", 60), seed=0, **settings)
    layer = output.build(facts, Shape("vector", 4))
    truth = np.concatenate([output.prepare(chunk, facts).values for chunk in TABLE.chunks(TEST)])
    metric = layer.metrics()[layer.decides]
    return found, {each.name: metric.measure(each.scores(TABLE, TEST), truth) for each in found.found}


@pytest.mark.parametrize(
    "output, naive",
    [
        (CategoryOutput(column="class", decides="accuracy"), "always the most frequent class"),
        (LabelsOutput(column="labels", decides="macro_f1"), "always the usual labels"),
        (NumberOutput(column="price"), "always the mean"),
        (NumberOutput(column="price", loss="mae"), "always the median"),
        (NumberOutput(column="price", loss="quantile", quantile=0.9), "always the 0.9 quantile"),
        (NumberOutput(column="skewed"), "always the geometric mean"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_classical_models_learn_from_every_kind_of_column(output: OutputPlan, naive: str) -> None:
    found, figures = fit(output)
    assert [each.name for each in found.found] == [naive, "linear model", "boosted trees"]
    assert [each.naive for each in found.found] == [True, False, False]
    assert all(each.rows == len(TRAIN) for each in found.found)
    assert found.notes == []
    better = (lambda figure: figure > figures[naive] * 1.2) if isinstance(output, (CategoryOutput, LabelsOutput)) else (
        lambda figure: figure < figures[naive] * 0.7
    )  # fmt: skip
    assert better(figures["linear model"])
    assert better(figures["boosted trees"])


def test_scores_have_the_form_of_answers() -> None:
    for output, shape in (
        (CategoryOutput(column="class"), (7, 3)),
        (LabelsOutput(column="labels"), (7, 4)),
        (NumberOutput(column="price"), (7,)),
    ):
        found, _ = fit(output)
        for each in found.found:
            assert each.scores(TABLE, TEST[:7]).shape == shape
            assert each.scores(TABLE, TEST[:0]).shape == (0, *shape[1:])
            if isinstance(output, CategoryOutput):
                np.testing.assert_allclose(each.scores(TABLE, TEST).sum(1), 1)


def test_another_table_of_the_same_columns_can_be_scored() -> None:
    found, _ = fit(NumberOutput(column="price"))
    other = TABLE.take(TEST)
    for each in found.found:
        np.testing.assert_allclose(each.scores(other, np.arange(len(TEST))), each.scores(TABLE, TEST))


def test_what_is_outside_is_turned_away_as_often_as_by_a_network() -> None:
    output = CategoryOutput(column="class", none=0.2, outside="low")
    facts = output.fit(TABLE.chunks(TRAIN))
    found = fit_baselines(TABLE, COLUMNS, output, facts, TRAIN, VALID, 60, seed=0).found
    truth = np.concatenate([output.prepare(chunk, facts).values for chunk in TABLE.chunks(VALID)])
    for rival in found[1:]:
        said = rival.scores(TABLE, VALID).argmax(1)
        assert (said[truth < 2] == 2).mean() <= 0.2, rival.name
        assert (said[truth == 2] == 2).mean() > 0.5, rival.name


def test_what_is_outside_is_turned_away_where_no_rows_are_held_out_for_all() -> None:
    """As under an ensemble, whose networks take turns in holding rows out."""
    output = CategoryOutput(column="class", none=0.2, outside="low")
    facts = output.fit(TABLE.chunks(TRAIN))
    found = fit_baselines(TABLE, COLUMNS, output, facts, TRAIN, VALID[:0], 60, seed=0).found
    held = fit_baselines(TABLE, COLUMNS, output, facts, TRAIN, VALID, 60, seed=0).found
    truth = np.concatenate([output.prepare(chunk, facts).by_row() for chunk in TABLE.chunks(TEST)])
    for rival, other in zip(found[1:], held[1:], strict=True):
        scores = rival.scores(TABLE, TEST)
        assert 0 < (scores.argmax(1) == 2)[truth < 2].mean() < 0.35, rival.name
        assert (scores.argmax(1) == 2)[truth == 2].mean() > 0.5, rival.name
        np.testing.assert_array_equal(scores[:, :-1], other.scores(TABLE, TEST)[:, :-1], "all rows are learned from")


@pytest.mark.parametrize("valid", [np.arange(300, 400), np.arange(0)], ids=["held out", "none held out for all"])
def test_lines_of_labels_lie_at_one_half(valid: np.ndarray) -> None:
    """Rare labels are worth naming long before they are likelier than not."""
    often = np.random.default_rng(0).random(600) < 0.5
    rare = np.random.default_rng(1).random(600) < np.where(often, 0.35, 0.02)
    frame = pl.DataFrame({"x": often.astype(float), "labels": np.where(rare, "seen;rare", "seen")})
    table, output = Table(frame), LabelsOutput(column="labels", decides="macro_f1")
    train, test = np.arange(300) if len(valid) else np.arange(400), np.arange(400, 600)
    facts = output.fit(table.chunks(train))
    linear = fit_baselines(table, [Column(name="x", kind="number")], output, facts, train, valid, 60, seed=0).found[1]
    np.testing.assert_array_equal(linear.scores(table, test)[:, 0] > 0.5, often[test])


@pytest.mark.parametrize("valid", [np.arange(200, 300), np.arange(0)], ids=["held out", "none held out for all"])
def test_the_likest_question_is_not_believed_when_it_is_unlike(valid: np.ndarray) -> None:
    ways = ["who is number {}", "please tell me who number {} is", "number {} who is that"]
    pairs = [(ways[n % 3].format(n % 30), f"It is {n % 30}.") for n in range(300)]
    table = Table(pl.DataFrame([*pairs, ("a poem on spring", "It is 1.")], schema=["asked", "said"], orient="row"))
    output, train = ReplyOutput(column="said", question="asked"), np.arange(200) if len(valid) else np.arange(300)
    facts = output.fit(table.chunks(train))
    nearest = fit_baselines(table, [Column(name="asked", kind="text")], output, facts, train, valid, 60, 0).found[1]
    answers = nearest.scores(table, np.array([0, 7, 300])).argmax(1)
    assert [facts["answers"][number] for number in answers[:2]] == ["It is 0.", "It is 7."]  # type: ignore[index]
    assert answers[2] == len(facts["answers"]), "none of them"  # type: ignore[arg-type]


def test_little_memory_allows_a_sample_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lamina.run.lesson.FIRST_ROWS", 50)
    monkeypatch.setattr("lamina.run.lesson.MOST_BYTES", 1)
    found, _ = fit(NumberOutput(column="price"))
    assert [each.rows for each in found.found] == [len(TRAIN), 50, 50]


def test_a_small_budget_learns_from_a_sample_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lamina.run.lesson.FIRST_ROWS", 50)
    found, _ = fit(NumberOutput(column="skewed"), seconds=0)
    for each in found.found[1:]:
        assert each.rows == 50
        assert (
            each.note
            == "learned from a sample of 50 of 300 rows, to keep within time and memory; learned on logarithms, as the network"
        )
    sizes = {each.name: each.rows for each in found.found if not each.naive}
    again, _ = fit(NumberOutput(column="skewed"), seconds=60, sizes=sizes)
    for each, other in zip(found.found, again.found, strict=True):
        np.testing.assert_allclose(each.scores(TABLE, TEST), other.scores(TABLE, TEST))


def test_nothing_is_learned_from_held_out_rows() -> None:
    output = NumberOutput(column="price")
    facts = output.fit(TABLE.chunks(TRAIN))
    held_out = pl.int_range(pl.len()) >= len(TRAIN)
    spoiled = TABLE.with_frame(TABLE.frame.with_columns(
        pl.when(held_out).then(1e6).otherwise(pl.col("size")).alias("size"),
        pl.when(held_out).then(pl.lit("elsewhere")).otherwise(pl.col("rows")).alias("rows"),
        pl.when(held_out).then(pl.lit("nothing known")).otherwise(pl.col("words")).alias("words"),
        pl.when(held_out).then(0.0).otherwise(pl.col("price")).alias("price"),
    ))  # fmt: skip
    honest = fit_baselines(TABLE, COLUMNS, output, facts, TRAIN, VALID, 60, seed=0)
    other = fit_baselines(spoiled, COLUMNS, output, facts, TRAIN, VALID, 60, seed=0)
    for one, two in zip(honest.found, other.found, strict=True):
        np.testing.assert_allclose(one.scores(TABLE, TEST), two.scores(TABLE, TEST))


def test_rows_without_an_answer_are_left_out() -> None:
    gaps = TABLE.with_frame(TABLE.frame.with_columns(
        pl.when(pl.int_range(pl.len()) < 10).then(None).otherwise(pl.col("class")).alias("class")
    ))  # fmt: skip
    output = CategoryOutput(column="class")
    found = fit_baselines(gaps, COLUMNS, output, output.fit(gaps.chunks(TRAIN)), TRAIN, VALID, 60, seed=0)
    assert {each.rows for each in found.found} == {len(TRAIN) - 10}


def test_models_that_are_left_out_are_noted() -> None:
    output = CategoryOutput(column="class")
    facts = output.fit(TABLE.chunks(TRAIN))
    many = {"classes": [str(i) for i in range(200)], "counts": np.ones(200), "positive": None}
    classes = Table(pl.DataFrame({"size": np.arange(400.0), "class": [str(i % 200) for i in range(400)]}))
    number, target = Column(name="size", kind="number"), Column(name="class", kind="category", role="target")
    picture = Column(name="photo", kind="image")
    found = fit_baselines(classes, [number, target], output, many, np.arange(400), VALID[:0], 60, seed=0)
    assert [each.name for each in found.found] == ["always the most frequent class", "linear model"]
    assert found.notes == ["Boosted trees were not tried: 200 classes are too many."]
    found = fit_baselines(TABLE, [picture, target], output, facts, TRAIN, VALID, 60, seed=0)
    assert [each.naive for each in found.found] == [True]
    assert found.notes == [
        "Classical models were not shown the pictures of 'photo'.",
        "There was no input that a classical model could look at.",
    ]


def test_a_class_that_a_sample_lacks_has_no_chance() -> None:
    output = CategoryOutput(column="class")
    facts = {"classes": ["high", "low", "middle", "never"], "counts": np.array([1, 1, 1, 1]), "positive": None}
    found = fit_baselines(TABLE, COLUMNS, output, facts, TRAIN, VALID, 60, seed=0)
    for each in found.found[1:]:
        assert each.scores(TABLE, TEST)[:, 3].max() == 0


def test_the_naive_answer_is_that_of_a_fresh_network() -> None:
    for output in (
        CategoryOutput(column="class"),
        NumberOutput(column="skewed"),
        NumberOutput(column="price", loss="mae"),
    ):
        facts = output.fit(TABLE.chunks(TRAIN))
        layer = output.build(facts, Shape("vector", 4))
        fresh = layer.decode(layer.head.bias.detach()[None], {}).scores
        np.testing.assert_allclose(naive_baseline(output, facts).scores(TABLE, TEST[:1]), fresh, rtol=1e-5)


def stripes(rows: int) -> tuple[np.ndarray, np.ndarray]:
    """Noisy pictures, (rows, 3, 20, 24), with stripes that lie or stand, and which they do."""
    lies = np.arange(rows) % 2
    down, right = np.mgrid[:20, :24]
    phase = GENERATOR.integers(4, size=rows)[:, None, None]
    pattern = np.where(lies[:, None, None] == 1, down + phase, right + phase) // 2 % 2
    pictures = 60 + 120 * pattern[:, None] + GENERATOR.integers(0, 60, (rows, 3, 20, 24))
    return pictures.astype(np.uint8), lies


@pytest.mark.parametrize("with_numbers", [False, True])
@pytest.mark.parametrize("kind", ["category", "number"])
def test_pictures_are_told_apart_by_edges(kind: str, with_numbers: bool) -> None:
    pictures, lies = stripes(200)
    output = CategoryOutput(column="y") if kind == "category" else NumberOutput(column="y")
    cells = [str(one) for one in lies] if kind == "category" else lies.astype(float)
    table = Table(
        pl.DataFrame({"photo": [str(i) for i in range(200)], "noise": GENERATOR.normal(size=200), "y": cells})
    )
    columns = [Column(name="photo", kind="image"), Column(name="y", kind=kind, role="target")]
    columns += [Column(name="noise", kind="number")] * with_numbers

    def look(table: Table, column: str, rows: np.ndarray) -> np.ndarray:
        return pictures[[int(name) for name in table.frame[column][rows]]]

    train, test = np.arange(100), np.arange(100, 200)
    found = fit_baselines(table, columns, output, output.fit(table.chunks(train)), train, test[:0], 60, 0, look)
    names = [each.name for each in found.found[1:]]
    machine = "support vector machine" if kind == "category" else "ridge regression"
    assert names == (["linear model", "boosted trees"] if with_numbers else [f"{machine} on edges and corners"])
    for each in found.found[1:]:
        scores = each.scores(table, test)
        said = scores.argmax(1) if kind == "category" else scores > 0.5
        assert (said == lies[test]).mean() > 0.95


@pytest.mark.parametrize("shape", [(1, 28, 28), (3, 32, 20), (3, 200, 150), (1, 5, 7), (1, 1, 1)])
def test_picture_features_do_not_depend_on_company(shape: tuple[int, int, int]) -> None:
    pictures = GENERATOR.integers(0, 255, (5, *shape), dtype=np.uint8)
    features = picture_features(pictures)
    assert features.dtype == np.float32
    assert np.isfinite(features).all()
    np.testing.assert_allclose(picture_features(pictures[2:3]), features[2:3], rtol=1e-5, atol=1e-6)
    assert picture_features(pictures[:0]).shape == (0, features.shape[1])


def test_edges_and_corners_do_not_depend_on_brightness() -> None:
    pictures = GENERATOR.integers(0, 200, (4, 1, 24, 24), dtype=np.uint8)
    without_colours = -16
    np.testing.assert_allclose(
        picture_features(pictures)[:, :without_colours],
        picture_features(pictures + np.uint8(50))[:, :without_colours],
        atol=1e-4,
    )

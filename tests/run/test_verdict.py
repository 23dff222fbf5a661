import pytest

from lamina.metrics import class_metrics, number_metrics
from lamina.run.verdict import Rival, figure, in_words, verdict

RMSE, ACCURACY, AUC = number_metrics(True)["rmse"], class_metrics(3)["accuracy"], class_metrics(3)["auc"]
NAN = float("nan")
NAIVE = Rival("always the mean", 114_600, 68_730, 60_000, 77_000, naive=True)
TREES = Rival("boosted trees", 47_080, 1_210, 100, 2_300)
LINEAR = Rival("linear model", 68_400, 22_530, 19_000, 26_000)


def trees(ahead: float, low: float, high: float) -> Rival:
    return Rival("boosted trees", 47_080, ahead, low, high)


@pytest.mark.parametrize(
    "rivals, sentence",
    [
        (
            [NAIVE, LINEAR, TREES],
            "The network is better than the boosted trees by 1,210 RMSE (100 to 2,300): more than chance.",
        ),
        (
            [NAIVE, trees(300, -200, 800)],
            "The network is ahead of the boosted trees by 300 RMSE (-200 to 800), which may be chance: either will do, "
            "and more rows would tell.",
        ),
        (
            [NAIVE, trees(-300, -800, 200)],
            "The network is behind the boosted trees by 300 RMSE (-200 to 800), which may be chance: the boosted trees "
            "will do.",
        ),
        (
            [NAIVE, LINEAR, trees(-1210, -2300, -100)],
            "The network is worse than the boosted trees by 1,210 RMSE (100 to 2,300): more than chance. Use the "
            "boosted trees for this.",
        ),
        ([NAIVE, trees(0, 0, 0)], "The network and the boosted trees are equally good: use the simpler."),
        (
            [NAIVE, trees(0, -20, 30)],
            "The network and the boosted trees are equally good (-20.0 to 30.0): use the simpler.",
        ),
        (
            [NAIVE],
            "The network is better than always answering the mean by 68,730 RMSE (60,000 to 77,000): more than chance. "
            "No classical model was measured.",
        ),
        (
            [Rival("always the mean", 1, 0, -1, 1, naive=True)],
            "The network is no better than always answering the mean: it found nothing in the inputs to go by.",
        ),
        (
            [Rival("always the mean", 1, -5, -9, -1, naive=True), trees(2, 1, 3)],
            "The network is worse than always answering the mean, by 5.00 RMSE (1.00 to 9.00), more than chance: do "
            "not use it.",
        ),
        (
            [Rival("always the mean", 1, 0.5, -1, 2, naive=True), trees(0.25, 0.125, 0.5)],
            "The network is better than the boosted trees by 0.250 RMSE (0.125 to 0.500): more than chance. The "
            "network may be no better than always answering the mean: do not rely on it.",
        ),
        (
            [trees(10, NAN, NAN)],
            "The network is better than the boosted trees by 10.0 RMSE; whether that is chance cannot be told.",
        ),
        ([], "There is nothing to compare the network with, on 2,064 rows."),
        ([trees(NAN, NAN, NAN)], "There is nothing to compare the network with, on 2,064 rows."),
    ],
)
def test_the_sentence_says_how_much_and_how_sure(rivals: list[Rival], sentence: str) -> None:
    assert verdict(RMSE, rivals, rows=2_064) == sentence


def test_shares_are_told_in_percentage_points() -> None:
    sentence = verdict(ACCURACY, [Rival("linear model", 0.9, 0.0213, 0.0042, 0.0384)], rows=500)
    assert "by 2.13 percentage points of accuracy (0.42 to 3.84): more than chance" in sentence
    assert "0.0213 area under the ROC curve" in verdict(
        AUC, [Rival("linear model", 0.9, 0.0213, 0.004, 0.04)], rows=500
    )


@pytest.mark.parametrize("rows, said", [(49, "only 49 rows"), (1, "only 1 row,"), (50, None)])
def test_few_rows_are_mentioned(rows: int, said: str | None) -> None:
    sentence = verdict(RMSE, [TREES], rows)
    assert (said in sentence) if said else ("only" not in sentence)


@pytest.mark.parametrize(
    "metric, value, text",
    [
        (RMSE, 45_870.3, "45,870"),
        (RMSE, 4.5, "4.50"),
        (RMSE, 0.004871, "0.00487"),
        (RMSE, 0.0, "0"),
        (ACCURACY, 0.9343, "93.4 %"),
        (AUC, 0.8712, "0.871"),
        (AUC, NAN, "not measurable"),
    ],
)
def test_figures_are_written_for_people(metric, value: float, text: str) -> None:
    assert figure(metric, value) == text


def test_a_measured_figure_is_told_with_its_interval() -> None:
    assert in_words(RMSE, {"value": 45_870, "low": 44_300, "high": 47_500}) == "RMSE 45,870 (44,300 to 47,500)"

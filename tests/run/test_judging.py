import numpy as np
import pytest
import torch
from mixed_rows import Scenery, mixed, scenery

from lamina.metrics import Metric
from lamina.network import build_network
from lamina.run.judging import Judge, skill

UP, DOWN = (Metric("x", lambda scores, truth: 0.0, larger_is_better=better) for better in (True, False))


@pytest.mark.parametrize(
    "figure, naive, metric, expected",
    [(0.6, 0.6, UP, 0.0), (1.0, 0.6, UP, 1.0), (0.8, 0.6, UP, 0.5), (0.4, 0.6, UP, -0.5),
     (2.0, 2.0, DOWN, 0.0), (0.0, 2.0, DOWN, 1.0), (1.0, 2.0, DOWN, 0.5), (4.0, 2.0, DOWN, -1.0)],
)  # fmt: skip
def test_skill_is_the_way_from_the_naive_answer_to_perfection(
    figure: float, naive: float, metric: Metric, expected: float
) -> None:
    assert skill(figure, naive, metric) == pytest.approx(expected)


def judge(scene: Scenery) -> tuple[Judge, dict[str, float]]:
    made = scene.prepared
    network = build_network(scene.plan, made.facts).network
    judge = Judge(scene.plan, made.facts, made.blocks, made.table, made.collate(), made.split.valid, network)
    return judge, judge(network)


@pytest.mark.parametrize(
    "target, decides, chooses", [("price", "price.rmse", "price.rmse"), ("sort", "sort.accuracy", "sort.log_loss")]
)
def test_one_output_is_judged_by_its_own_figure_and_few_rows_choose_by_log_loss(
    target: str, decides: str, chooses: str
) -> None:
    made, figures = judge(scenery(mixed(100, pictures=False), (target,)))
    assert (made.decides.key, made.chooses.key) == (decides, chooses)
    assert figures.keys() == {decides, chooses}


def test_many_rows_choose_by_what_decides(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lamina.run.judging.FEW_ROWS", 5)
    made, _ = judge(scenery(mixed(100, pictures=False), ("sort",)))
    assert made.chooses.key == made.decides.key == "sort.accuracy"


def test_several_outputs_are_judged_by_their_mean_skill() -> None:
    scene = scenery(mixed(100, pictures=False), ("price", "sort"))
    made, figures = judge(scene)
    assert made.decides.key == made.chooses.key == "skill" and made.decides.larger_is_better
    rows = scene.prepared.split.valid
    price = np.asarray(scene.prepared.blocks["outputs.price"].values[rows])
    sort = np.asarray(scene.prepared.blocks["outputs.sort"].values[rows])
    train = scene.prepared.table.frame["price"][scene.prepared.split.train].to_numpy()
    naive_error = np.sqrt(np.mean((price - train.mean()) ** 2))
    counts = np.asarray(scene.prepared.facts["outputs.sort"]["counts"])
    naive_right = np.mean(sort == counts.argmax())
    expected = np.mean(
        [1 - figures["price.rmse"] / naive_error, (figures["sort.accuracy"] - naive_right) / (1 - naive_right)]
    )
    assert figures["skill"] == pytest.approx(expected)


def test_rows_that_do_not_fit_into_the_memory_are_judged_in_pieces() -> None:
    scene = scenery(mixed(100, pictures=False), ("price", "sort"))
    made = scene.prepared
    network = build_network(scene.plan, made.facts).network
    judge = Judge(scene.plan, made.facts, made.blocks, made.table, made.collate(), made.split.valid, network)
    whole, seen = judge(network), list[int]()

    def narrow(module: torch.nn.Module, given: tuple[dict[str, torch.Tensor], ...]) -> None:
        seen.append(len(next(iter(given[0].values()))))
        if seen[-1] > 4:
            raise torch.OutOfMemoryError("CUDA out of memory")

    network.register_forward_pre_hook(narrow)
    assert judge(network) == pytest.approx(whole)
    assert seen[0] > 4 and sum(rows for rows in seen if rows <= 4) == len(made.split.valid)

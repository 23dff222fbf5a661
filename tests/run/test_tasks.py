import pytest

from lamina.network import task_of
from lamina.run import TASKS


@pytest.mark.parametrize("objective, outputs, task", [
    ("supervised", ["number", "category"], "predict"), (None, [], "predict"),
    ("adversarial", ["image"], "generate"), ("adversarial", ["row"], "rows"), ("supervised", ["photo"], "enlarge"),
])  # fmt: skip
def test_a_plan_says_by_itself_what_it_is_for(objective: str | None, outputs: list[str], task: str) -> None:
    assert task_of(objective, outputs) == task and task in TASKS


def test_few_rows_are_judged_by_folds_only_where_simpler_ways_are_learned_anew_in_each() -> None:
    assert all(task.rivals for task in TASKS.values() if task.folds)

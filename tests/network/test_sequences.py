import pytest

from lamina.data import Column
from lamina.ground import PlanError
from lamina.network import Scene, choose_plan

TEXT = Column(name="text", kind="text")
SLOTS = Column(name="slots", kind="tags", role="target", of="text")
INTENT = Column(name="intent", kind="category", role="target")
AGE = Column(name="age", kind="number")


def scene(*columns: Column, rows: int = 5_000) -> Scene:
    named = {column.name: column for column in columns}
    return Scene(named, [column.name for column in columns if column.role == "target"], rows)


def test_words_are_read_from_both_ends_and_tagged() -> None:
    plan = choose_plan(scene(TEXT, SLOTS), {})
    assert [(part.kind, part.columns) for part in plan.inputs.values()] == [("words", ("text",))]
    assert plan.hidden.name == "lstm"
    assert (plan.outputs["slots"].kind, plan.outputs["slots"].words) == ("tags", "text")
    assert {"hidden", "training.batch_size", "training.epochs"} <= plan.reasons.keys()


@pytest.mark.parametrize("rows, epochs", [(300, 40), (1_600, 20), (3_200, 10), (50_000, 10)])
def test_many_sentences_are_read_less_often(rows: int, epochs: int) -> None:
    assert choose_plan(scene(TEXT, SLOTS, rows=rows), {}).training.epochs == epochs


def test_a_class_reads_the_same_words() -> None:
    plan = choose_plan(scene(TEXT, INTENT, SLOTS), {})
    assert list(plan.inputs) == ["text"] and not plan.trunks
    assert {part.from_ for part in plan.outputs.values()} == {"hidden"}


def test_beside_other_columns_words_pass_a_trunk_that_tags_read() -> None:
    plan = choose_plan(scene(TEXT, AGE, INTENT, SLOTS), {})
    assert plan.inputs["text"].trunk == plan.outputs["slots"].from_ == "text_read"
    assert plan.outputs["intent"].from_ == "hidden"
    assert list(choose_plan(scene(TEXT, AGE, SLOTS), {}).inputs) == ["text"]


def test_words_that_are_set_aside_are_asked_for() -> None:
    with pytest.raises(PlanError, match=r"columns\.text\.role=input"):
        choose_plan(scene(Column(name="text", kind="text", role="ignore"), SLOTS, AGE), {})

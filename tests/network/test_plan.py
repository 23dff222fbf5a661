from typing import Any

import pytest
from learned import plan

from lamina.ground import PlanError
from lamina.network import Plan, TrainingPlan, plan_from_plain, read_value, read_yaml

PLANS = [("age", "place", "words"), ("front",), ("front", "back", "age")]


@pytest.mark.parametrize("inputs", PLANS)
def test_a_plan_survives_the_way_through_yaml(inputs: tuple[str, ...]) -> None:
    chosen = plan(*inputs, targets=("price", "sort"))
    read = plan_from_plain(read_yaml(chosen.to_yaml(), "plan.yaml"))
    assert read.to_plain() == chosen.to_plain()
    assert read == Plan(**{**vars(chosen), "reasons": {}})


@pytest.mark.parametrize("inputs", PLANS)
def test_every_reason_stands_as_a_comment_at_what_it_explains(inputs: tuple[str, ...]) -> None:
    chosen = plan(*inputs, targets=("sort",))
    assert chosen.reasons
    lines = chosen.to_yaml().splitlines()
    for path, reason in ((path, reason) for path, reason in chosen.reasons.items() if reason):
        number = next(number for number, line in enumerate(lines) if line.partition("#")[2].strip() == reason)
        key = path.rpartition(".")[2]
        place = lines[number] if lines[number].partition("#")[0].strip() else lines[number + 1]
        assert place.lstrip().startswith(f"{key}:"), f"{path}: {place}"


def test_reasons_and_names_of_any_kind_leave_the_yaml_whole() -> None:
    chosen = plan("age", given={"columns": {"a: b # c": {"missing": ["?", "- 1", "no", "1e3", ""]}}})
    odd = Plan(**{**vars(chosen), "reasons": {"size": "two\nlines: # and marks", "hidden": "one\ntwo"}})
    assert plan_from_plain(read_yaml(odd.to_yaml(), "plan.yaml")).to_plain() == chosen.to_plain()


def changed(path: str, value: Any) -> dict[str, Any]:
    """The plain values of a plan, one of them changed."""
    values = plan("age", "place", targets=("sort",)).to_plain()
    inner, (*steps, last) = values, path.split(".")
    for step in steps:
        inner = inner[step]
    inner[last] = value
    return values


@pytest.mark.parametrize(
    "path, value, words",
    [
        ("training.epochs", 7, None),
        ("training.epochs", "7", None),
        ("training.learning_rate", "find", None),
        ("hidden", {"name": "mlp", "width": [8, 4]}, None),
        ("predict", "sort", None),
        ("columns", None, None),
        ("predict", 1e9, ["predict", "1000000000.0", "a list of names"]),
        ("predict", [["sort"]], ["predict", "[['sort']]"]),
        ("hidden.name", [["mlp"]], ["hidden.name", "[['mlp']]"]),
        ("inputs", {"../../evil": {}}, ["inputs", "'../../evil'", "letters, digits"]),
        ("outputs", {"": {}}, ["outputs", "cannot be called ''"]),
        ("trunks", {"keys": {}}, ["trunks", "'keys'", "PyTorch"]),
        ("trainig", {}, ["'trainig'", "Did you mean 'training'?"]),
        ("training.epoch", 7, ["training", "'epoch'", "Did you mean 'epochs'?"]),
        ("training.epochs", "many", ["training.epochs", "'many'", "integer"]),
        ("training.epochs", 0, ["training.epochs", "0", "at least 1"]),
        ("training.batch_size", -3, ["training.batch_size", "-3", "at least 1"]),
        ("training.learning_rate", 0, ["training.learning_rate", "above 0"]),
        ("training.learning_rate", "seek", ["training.learning_rate", "'seek'", "find"]),
        ("training.average", 1, ["training.average", "from 0 to below 1"]),
        ("training.optimizer", "adamm", ["training.optimizer", "'adamm'", "'adamw'"]),
        ("hidden.name", "convnett", ["hidden.name", "Did you mean 'convnet'?"]),
        ("hidden.name", None, ["hidden.name", "residual"]),
        ("inputs.numbers.kind", "numbers", ["inputs.numbers.kind", "Did you mean 'number'?"]),
        ("inputs.numbers.colums", [], ["inputs.numbers", "'colums'", "Did you mean 'columns'?"]),
        ("inputs.numbers", "age", ["inputs.numbers", "'age'", "settings by name"]),
        ("inputs", "age", ["inputs", "'age'", "settings by name"]),
        ("outputs.sort.kind", "clas", ["outputs.sort.kind", "category"]),
        ("outputs.sort.smoothing", 1.5, ["smoothing", "1.5"]),
        ("split.valid", 0.9, ["split.valid", "0.9", "at most 0.5"]),
        ("size", "tiny", ["size", "'tiny'", "small, medium or large"]),
        ("hidden", {}, ["'hidden'"]),
    ],
)
def test_wrong_keys_parts_and_values_are_named_with_their_path(path: str, value: Any, words: list[str] | None) -> None:
    values = changed(path, value)
    if words is None:
        assert plan_from_plain(values).predict == ("sort",)
        return
    with pytest.raises(PlanError) as caught:
        plan_from_plain(values)
    for word in words:
        assert word in str(caught.value)


@pytest.mark.parametrize(
    "text, words",
    [
        ("size: [small", ["plan.yaml", "line 1", "not YAML"]),
        ("a: 1\nb: 2: 3", ["plan.yaml", "line 2"]),
        ("- a\n- b", ["plan.yaml", "keys and values", "list"]),
        ("a: !!python/object/apply:os.system ['true']", ["plan.yaml"]),
        ("", None),
        ("size: small  # tiny", None),
    ],
)
def test_what_is_no_yaml_of_keys_and_values_is_refused_with_its_line(text: str, words: list[str] | None) -> None:
    if words is None:
        assert read_yaml(text, "plan.yaml") in ({}, {"size": "small"})
        return
    with pytest.raises(PlanError) as caught:
        read_yaml(text, "plan.yaml")
    for word in words:
        assert word in str(caught.value)


@pytest.mark.parametrize(
    "text, value",
    [
        ("12", 12), ("0.1", 0.1), ("1e-3", 1e-3), ("true", True), ("null", None), ("", None), ("no", "no"),
        ("mlp", "mlp"), ("[512, 256]", [512, 256]), ("{kind: category}", {"kind": "category"}), ("[?", "[?"),
        ("@home", "@home"), ("'12'", "12"), ("%", "%"), ("-", None),
    ],
)  # fmt: skip
def test_values_on_the_command_line_are_yaml_or_text(text: str, value: object) -> None:
    found = read_value(text)
    assert found == value or text == "-"
    assert type(found) is type(value) or text == "-"


def test_other_training_leaves_the_network_as_it_is() -> None:
    chosen = plan("age")
    other = chosen.with_training(seed=4, epochs=2)
    assert (other.training.seed, other.training.epochs) == (4, 2)
    assert other.hidden == chosen.hidden and chosen.training.seed == 0
    assert TrainingPlan() == TrainingPlan()


def test_keys_are_text_whatever_they_look_like() -> None:
    assert read_yaml("{2019: {true: [{1: a}]}, ~: b}", "plan.yaml") == {"2019": {"True": [{"1": "a"}]}, "None": "b"}
    assert read_value("{1: 2}") == {"1": 2}


@pytest.mark.parametrize("text", ["a: 2024-13-45", "{[[a]]: b}"])
def test_what_yaml_cannot_hold_is_no_traceback(text: str) -> None:
    with pytest.raises(PlanError, match=r"plan.yaml"):
        read_yaml(text, "plan.yaml")
    assert read_value("2024-13-45") == "2024-13-45"

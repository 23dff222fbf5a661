import copy
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from lamina.api.request import DEFAULT_SECONDS, Request, read_request, read_seconds
from lamina.ground import LaminaError, PlanError, UsageError


def request(**given: Any) -> Request:
    asked: dict[str, Any] = {
        "data": ["houses.csv"], "test": [], "predict": None, "plan": None, "settings": None,
        "time": None, "split": None, "seed": None,
    }  # fmt: skip
    return read_request(**(asked | given))


@pytest.mark.parametrize(
    "time, seconds", [("90", 90), ("90s", 90), ("5m", 300), ("1h30m", 5400), ("1.5 min", 90), (7, 7), (" 2M ", 120)]
)
def test_a_duration_is_read_as_people_write_it(time: str | float, seconds: float) -> None:
    assert read_seconds(time) == seconds


@pytest.mark.parametrize("frozen", [dict, MappingProxyType])
def test_what_the_caller_hands_over_stays_as_it_was(frozen: Callable[[Any], Mapping[str, Any]]) -> None:
    plan = frozen({"hidden": frozen({"width": 64}), "columns": frozen({"zip": {"missing": ["?"]}})})
    settings = {"hidden": {"dropout": 0.1}, "hidden.width": 8, "columns.zip.kind": "category"}
    before = copy.deepcopy((dict(plan["hidden"]), dict(plan["columns"]), settings))
    asked = request(plan=plan, settings=settings, split="time", seed=7)
    asked.given["columns"]["zip"]["missing"].append("-")
    assert (dict(plan["hidden"]), dict(plan["columns"]), settings) == before
    assert set(plan) == {"hidden", "columns"}
    assert asked.given["hidden"] == {"dropout": 0.1, "width": 8}


@pytest.mark.parametrize(
    "time, problem",
    [
        ("banana", "such as 90s, 5m or 1h30m; found 'banana'"),
        ("", "found ''"),
        ("-5", "found '-5'"),
        ("5 days", "found '5 days'"),
        ("1s", "under five seconds"),
    ],
)
def test_another_duration_is_refused_with_an_example(time: str, problem: str) -> None:
    with pytest.raises(UsageError, match=problem):
        read_seconds(time)


def test_without_an_end_of_its_own_a_training_gets_the_default_time() -> None:
    assert request().seconds == DEFAULT_SECONDS
    assert request(settings=["training.epochs=3"]).seconds is None
    assert request(settings=["training.steps=3"]).seconds is None
    assert request(settings=["training.steps=3"], time="60s").seconds == 60


def test_single_settings_lie_over_the_plan_file(tmp_path: Path) -> None:
    plan = tmp_path / "plan.yaml"
    plan.write_text("predict: [price]\nhidden: {width: 64, dropout: 0.1}\n")
    asked = request(plan=plan, settings=["hidden.width=32", "columns.emp.var.rate.role=ignore"], split="time", seed=7)
    assert asked.predict == ("price",)
    assert asked.given["hidden"] == {"width": 32, "dropout": 0.1}
    assert asked.given["columns"] == {"emp.var.rate": {"role": "ignore"}}
    assert asked.given["split"] == {"by": "time"}
    assert asked.given["training"] == {"seed": 7}
    assert request(settings={"training.epochs": 2}).given == {"training": {"epochs": 2}}


@pytest.mark.parametrize("predict", ["price", ["price"]])
def test_one_column_to_predict_may_stand_alone(predict: object) -> None:
    assert request(plan={"predict": predict}).predict == ("price",)
    assert request(predict=predict, plan={"predict": ["other"]}).predict == ("price",)


@pytest.mark.parametrize(
    "given, kind, problem",
    [
        ({"settings": ["hidden.width"]}, UsageError, "--set takes key=value.*found 'hidden.width'"),
        ({"settings": ["=3"]}, UsageError, "--set takes key=value"),
        ({"settings": ["training=3"]}, PlanError, "training: .*such as training.epochs=12; found 3"),
        ({"settings": ["columns.zip=ignore"]}, PlanError, "such as columns.zip.role=ignore; found 'ignore'"),
        ({"settings": ["hidden.width=3", "hidden.width.more=4"]}, PlanError, "hidden.width is 3 and holds no keys"),
        ({"plan": "nowhere.yaml"}, PlanError, "no plan file 'nowhere.yaml'. `lamina plan DATA > nowhere.yaml`"),
    ],
)
def test_what_cannot_be_read_is_named(given: dict[str, Any], kind: type[LaminaError], problem: str) -> None:
    with pytest.raises(kind, match=problem):
        request(**given)


@pytest.mark.parametrize(
    "text, problem",
    [
        ("hidden: [unclosed\n", "plan.yaml, line 2: this is not YAML"),
        ("\0", "plan.yaml: this is not YAML: unacceptable character"),
        ("- 1\n- 2\n", "a plan is keys and values, found list"),
        ("training: 3\n", "training: expected settings by name"),
    ],
)
def test_a_plan_file_that_is_none_is_refused(text: str, problem: str, tmp_path: Path) -> None:
    (tmp_path / "plan.yaml").write_text(text)
    with pytest.raises(PlanError, match=problem):
        request(plan=tmp_path / "plan.yaml")


def written(asked: Request) -> dict[str, Any]:
    """A request as a run keeps it."""
    return json.loads(json.dumps(asdict(asked)))


def test_differences_are_told_as_a_person_would_set_them() -> None:
    earlier = request(predict="price", settings=["training.steps=20"])
    assert earlier.differences(written(earlier)) == []
    later = request(predict=["price", "level"], settings=["training.steps=21", "hidden.width=8"], time="1m")
    assert set(later.differences(written(earlier))) == {
        "predict price, level (was price)",
        "time 60.0 (was not given)",
        "training.steps 21 (was 20)",
        "hidden.width 8 (was not given)",
    }
    assert earlier.differences(written(later))[-1] == "hidden.width not given (was 8)"


@pytest.mark.parametrize("test, kept", [([], None), (["a.csv"], "a.csv")])
def test_a_request_of_an_earlier_version_is_the_same_request(test: list[str], kept: str | None) -> None:
    """That kept the one source to judge on as it is, and none as nothing."""
    asked = replace(request(predict="price"), test=tuple(test))
    assert asked.differences(written(asked) | {"test": kept}) == []
    assert asked.differences(written(asked) | {"test": "b.csv"}) != []

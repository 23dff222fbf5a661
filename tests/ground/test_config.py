from dataclasses import dataclass
from typing import Any, Literal

import pytest

from lamina.ground import PlanError, from_plain, set_path, to_plain


@dataclass(frozen=True, kw_only=True)
class Layers:
    width: int = 64
    activation: Literal["relu", "gelu"] = "relu"
    dropout: float = 0.0
    sizes: tuple[int, ...] = ()
    from_: str = "hidden"
    limit: int | None = None
    rate: float | Literal["find"] = 0.1

    def __post_init__(self) -> None:
        if self.dropout > 1:
            raise ValueError(f"dropout is {self.dropout}, more than all")
        if self.width < 1:
            raise PlanError(f"width is {self.width}; it must be at least 1.")


@pytest.mark.parametrize(
    "values",
    [{}, {"width": 8, "sizes": [1, 2]}, {"from": "front"}, {"limit": 3, "activation": "gelu"}, {"dropout": 0.5}],
)
def test_plain_values_become_settings_and_settings_plain_values(values: dict[str, Any]) -> None:
    settings = from_plain(Layers, values, "hidden")
    plain = to_plain(settings)
    assert plain == {**to_plain(Layers()), **values}
    assert from_plain(Layers, plain, "hidden") == settings


@pytest.mark.parametrize(
    "values, words",
    [
        ({"widht": 3}, ["hidden", "'widht'", "Did you mean 'width'?", "activation"]),
        ({"from_": "front"}, ["'from_'", "Did you mean 'from'?"]),
        ({"width": "wide"}, ["hidden.width", "'wide'", "integer"]),
        ({"width": None}, ["hidden.width", "None"]),
        ({"activation": "rellu"}, ["hidden.activation", "'rellu'", "'relu'"]),
        ({"sizes": [1, "x"]}, ["hidden.sizes.1", "'x'"]),
        ({"rate": "seek"}, ["hidden.rate: 'seek'", "number", ", or ", "'find'"]),
        ({"from": 3}, ["hidden.from", "3"]),
        ({"dropout": 2}, ["hidden", "dropout is 2", "more than all"]),
        ({"width": 0}, ["width is 0; it must be at least 1."]),
    ],
)
def test_a_wrong_key_or_value_is_named_with_its_place(values: dict[str, Any], words: list[str]) -> None:
    with pytest.raises(PlanError) as caught:
        from_plain(Layers, values, "hidden")
    for word in words:
        assert word in str(caught.value)


@pytest.mark.parametrize(
    "path, changed",
    [
        ("size", {"size": 7}),
        ("training.epochs", {"training": {"epochs": 7, "seed": 1}}),
        ("hidden.width", {"hidden": {"width": 7}}),
        ("inputs.front.side", {"inputs": {"front": {"side": 7}}}),
        ("columns.age.role", {"columns": {"age": {"kind": "number", "role": 7}}}),
        ("columns.zip", {"columns": {"age": {"kind": "number"}, "zip": 7}}),
        ("columns.emp.var.rate.role", {"columns": {"age": {"kind": "number"}, "emp.var.rate": {"role": 7}}}),
        ("split.by", {"split": {"by": 7}}),
    ],
)
def test_one_key_is_changed_and_nothing_else(path: str, changed: dict[str, Any]) -> None:
    values: dict[str, Any] = {
        "training": {"epochs": 3, "seed": 1},
        "columns": {"age": {"kind": "number"}},
        "split": None,
    }
    expected = {**values, **changed}
    set_path(values, path, 7)
    assert values == expected


def test_a_path_through_something_without_keys_is_refused() -> None:
    with pytest.raises(PlanError, match=r"--set training\.epochs\.first: training\.epochs is 3 and holds no keys"):
        set_path({"training": {"epochs": 3}}, "training.epochs.first", 1)

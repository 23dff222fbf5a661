from collections.abc import Mapping
from typing import Any

import pytest
import torch
from learned import batch, facts, plan, scene
from torch import nn

from lamina.data import Column
from lamina.ground import PlanError
from lamina.network import Scene, build_network, choose_plan, part_name


def test_columns_of_a_table_share_an_input_by_kind_and_dense_layers_follow() -> None:
    chosen = plan("age", "place", "rooms")
    assert {name: (part.kind, part.columns) for name, part in chosen.inputs.items()} == {
        "numbers": ("number", ("age", "rooms")),
        "categories": ("category", ("place",)),
    }
    assert chosen.hidden.name == "residual"
    assert dict(chosen.trunks) == {}
    assert chosen.outputs["price"].kind == "number"
    assert "500" in chosen.reasons["hidden"]


def test_a_single_picture_column_is_convolved_without_a_trunk() -> None:
    chosen = plan("front", targets=("sort",))
    assert list(chosen.inputs) == ["front"]
    assert chosen.inputs["front"].trunk is None
    assert chosen.hidden.name == "convnet"
    assert dict(chosen.trunks) == {}
    assert chosen.inputs["front"].side == 12  # type: ignore[attr-defined]


def test_a_picture_beside_numbers_passes_a_trunk_and_all_are_joined() -> None:
    chosen = plan("front", "age")
    assert chosen.inputs["front"].trunk == "pictures"
    assert chosen.inputs["numbers"].trunk is None
    assert chosen.trunks["pictures"].name == "convnet"
    assert chosen.hidden.name == "fusion"


def test_several_pictures_of_a_row_share_a_trunk() -> None:
    chosen = plan("front", "back")
    assert [part.trunk for part in chosen.inputs.values()] == ["pictures", "pictures"]
    assert list(chosen.trunks) == ["pictures"]
    assert "shared by 2 pictures" in chosen.reasons["trunks.pictures"]
    assert chosen.hidden.name == "fusion"


def test_large_pictures_are_made_smaller_and_the_reason_says_what_it_saves() -> None:
    chosen = plan("front", side=256)
    assert chosen.inputs["front"].side == 64  # type: ignore[attr-defined]
    assert "16 times less" in chosen.reasons["inputs.front.side"]


def test_what_is_known_of_mirrors_is_kept_to() -> None:
    mirrors = [plan("front", mirror=mirror).inputs["front"].mirror for mirror in (None, True, False)]  # type: ignore[attr-defined]
    assert mirrors == [None, True, False]


def test_what_is_given_is_laid_over_what_is_chosen_and_its_reason_goes() -> None:
    chosen = plan("age", "place", given={
        "hidden": {"width": 24}, "training": {"batch_size": 7}, "outputs": {"price": {"loss": "mae"}},
    })  # fmt: skip
    usual = plan("age", "place")
    assert (chosen.hidden.name, chosen.hidden.width) == ("residual", 24)  # type: ignore[attr-defined]
    assert chosen.hidden.members == usual.hidden.members  # type: ignore[attr-defined]
    assert chosen.training.batch_size == 7
    assert chosen.training.optimizer == usual.training.optimizer
    assert chosen.outputs["price"].loss == "mae"  # type: ignore[attr-defined]
    assert "training.batch_size" in usual.reasons and "training.batch_size" not in chosen.reasons
    assert "hidden" in chosen.reasons, "the layers are still the chosen ones"


def test_parts_may_be_called_as_settings_are() -> None:
    columns = {"age": Column(name="age", kind="number"), "kind": Column(name="kind", kind="category", role="target")}
    chosen = choose_plan(Scene(columns, ["kind"], 500), {"outputs": {"kind": {"outside": "x"}}})
    assert chosen.outputs["kind"].outside == "x"  # type: ignore[attr-defined]


def test_another_hidden_part_starts_from_its_own_defaults() -> None:
    chosen = plan("age", given={"hidden": {"name": "mlp", "num_layers": 1}})
    assert chosen.hidden == type(chosen.hidden)(num_layers=1)
    assert "hidden" not in chosen.reasons


def test_another_kind_of_part_keeps_its_columns_only() -> None:
    chosen = plan("front", "age", given={"inputs": {"front": {"kind": "text", "trunk": None}}})
    assert (chosen.inputs["front"].kind, chosen.inputs["front"].columns) == ("text", ("front",))
    with_labels = plan("age", targets=("sort",), given={"outputs": {"sort": {"kind": "labels"}}})
    assert (with_labels.outputs["sort"].kind, with_labels.outputs["sort"].column) == ("labels", "sort")


def test_some_settings_of_every_section_are_still_laid_over_and_no_whole_plan() -> None:
    chosen = plan("age", "place", given={
        "inputs": {"numbers": {"trunk": None}}, "outputs": {"price": {"weight": 2.0}},
        "hidden": {"width": 8}, "training": {"epochs": 3},
    })  # fmt: skip
    assert list(chosen.inputs) == ["numbers", "categories"]
    assert (chosen.outputs["price"].weight, chosen.hidden.width, chosen.training.epochs) == (2.0, 8, 3)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "inputs, given, normalise",
    [
        (["front"], {}, {"front": "data"}),
        (["front"], {"hidden": {"name": "resnet18", "weights": "a.pth"}}, {"front": "imagenet"}),
        (["front"], {"hidden": {"name": "resnet18", "weights": "a.pth"}, "inputs": {"front": {"normalise": "data"}}},
         {"front": "data"}),
        (["front", "age"], {"trunks": {"pictures": {"name": "vgg11", "weights": "a.pth"}}}, {"front": "imagenet"}),
        (["front", "back"], {"trunks": {"own": {"name": "vgg11", "weights": "a.pth"}}, "inputs": {"back": {"trunk": "own"}}},
         {"front": "data", "back": "imagenet"}),
    ],
)  # fmt: skip
def test_pictures_are_normalised_as_the_published_weights_that_they_reach_expect(
    inputs: list[str], given: dict[str, Any], normalise: dict[str, str]
) -> None:
    chosen = plan(*inputs, given=given)
    whole = chosen.to_plain()
    for part in whole["inputs"].values():
        if given.get("inputs", {}).get("front") is None:
            part.pop("normalise", None)
    for found in (chosen, choose_plan(scene(*inputs), whole)):  # chosen, and given whole by a file that leaves it open
        assert {name: found.inputs[name].normalise for name in normalise} == normalise  # type: ignore[attr-defined]
        for name, how in normalise.items():
            assert ("a.pth" in found.reasons.get(f"inputs.{name}.normalise", "")) == (how == "imagenet")


@pytest.mark.parametrize("where", ["hidden", "trunks"])
def test_published_weights_are_tuned_in_small_steps_by_one_network_unless_a_person_wants_otherwise(where: str) -> None:
    layers = {"name": "resnet18", "weights": "a.pth"}
    inputs, placed = (["front"], layers) if where == "hidden" else (["front", "age"], {"pictures": layers})
    drawn = choose_plan(scene(*inputs), {}).training
    tuned = choose_plan(scene(*inputs), {where: placed})
    assert (tuned.training.optimizer, tuned.training.ensemble) == ("adamw", 1) != (drawn.optimizer, drawn.ensemble)
    assert tuned.training.learning_rate < drawn.learning_rate  # type: ignore[operator]
    assert "a.pth" in tuned.reasons["training.learning_rate"]
    own = choose_plan(scene(*inputs), {where: placed, "training": {"optimizer": "sgd", "ensemble": 2}})
    assert (own.training.optimizer, own.training.ensemble) == ("sgd", 2)
    assert "training.optimizer" not in own.reasons


@pytest.mark.parametrize("asked", [{"stop_at": 0.9}, {"stop_at_loss": 0.1}])
def test_training_that_ends_at_a_figure_goes_in_rounds_with_one_network(asked: dict[str, float]) -> None:
    usual = choose_plan(scene("front", may_rotate=True), {}).training
    soon = choose_plan(scene("front", may_rotate=True), {"training": asked})
    assert (soon.training.schedule, soon.training.ensemble) == ("restarts", 1)
    assert usual.ensemble > 1 and usual.schedule != "restarts"
    assert "twice as long" in soon.reasons["training.schedule"]
    own = choose_plan(
        scene("front", may_rotate=True), {"training": {**asked, "schedule": "linear", "ensemble": 2}}
    ).training
    assert (own.schedule, own.ensemble) == ("linear", 2)


def test_a_whole_plan_is_taken_as_it_is() -> None:
    whole = plan("age", "place", "words").to_plain()
    del whole["inputs"]["words"]
    chosen = choose_plan(scene("age", "place", "words"), whole)
    assert list(chosen.inputs) == ["numbers", "categories"]
    assert chosen.to_plain() == whole


@pytest.mark.parametrize(
    "given, words",
    [
        ({"inputs": {"number": {"columns": ["age"]}}}, ["inputs", "'number'", "Did you mean 'numbers'?"]),
        ({"outputs": {"prize": {"loss": "mae"}}}, ["outputs", "'prize'", "Did you mean 'price'?"]),
        ({"hidden": {"widht": 3}}, ["hidden", "'widht'", "Did you mean 'width'?"]),
        ({"hidden": {"name": "residuul"}}, ["hidden.name", "Did you mean 'residual'?"]),
        ({"hidden": "mlp"}, ["hidden", "'mlp'", "settings by name"]),
        ({"outputs": "price"}, ["outputs", "'price'", "settings by name"]),
        ({"outputs": {"price": "mae"}}, ["outputs.price", "'mae'", "settings by name"]),
        ({"inputs": ["numbers"]}, ["inputs", "settings by name"]),
        ({"inputs": {"numbers": 3}}, ["inputs.numbers", "3", "settings by name"]),
        ({"training": 12}, ["training", "12", "settings by name"]),
        ({"size": "huge"}, ["size", "'huge'", "small, medium or large"]),
        ({"epochs": 3}, ["'epochs'"]),
    ],
)
def test_what_does_not_fit_is_refused_by_its_path(given: Mapping[str, Any], words: list[str]) -> None:
    with pytest.raises(PlanError) as caught:
        plan("age", "place", given=given)
    for word in words:
        assert word in str(caught.value)


def test_a_target_of_words_is_refused_with_the_ways_out() -> None:
    with pytest.raises(PlanError, match=r"(?s)'words'.*category.*outputs\.words\.kind=labels"):
        plan("age", targets=("words",))
    assert (
        plan("age", targets=("words",), given={"outputs": {"words": {"kind": "labels"}}}).outputs["words"].kind
        == "labels"
    )


def test_columns_without_a_use_leave_nothing_to_learn_from() -> None:
    columns = {name: Column(name=name, kind="number", role=role)  # type: ignore[arg-type]
               for name, role in {"a": "ignore", "b": "group", "y": "target"}.items()}  # fmt: skip
    with pytest.raises(PlanError, match=r"role=input"):
        choose_plan(Scene(columns, ("y",), 100), {})


def test_every_size_is_larger_than_the_one_before() -> None:
    for inputs in (("age", "place"), ("front",), ("front", "age")):
        counts = []
        for size in ("small", "medium", "large"):
            chosen = plan(*inputs, given={"size": size})
            network = build_network(chosen, facts(chosen)).network
            counts.append(sum(parameter.numel() for parameter in network.parameters()))
        assert counts[0] < counts[1] < counts[2]


NAMES = [
    "type",
    "forward",
    "keys",
    "hidden",
    "a.b",
    "a b",
    "training",
    "items",
    "",
    "..",
    "größe",
    "1st",
    "x" * 400,
    "x" * 401,
]


def test_any_name_of_a_column_becomes_a_name_of_a_part() -> None:
    taken: list[str] = []
    for column in NAMES:
        taken.append(part_name(column, taken))
    assert len(set(taken)) == len(NAMES)
    modules = nn.ModuleDict({name: nn.Identity() for name in taken})
    assert list(modules) == taken
    assert max(len(f"outputs.{name}.safetensors".encode()) for name in taken) <= 255
    assert "größe" in taken and "1st" in taken


@pytest.mark.parametrize("name", ["type", "forward", "numbers", "hidden", "a.b c", "keys"])
def test_columns_of_any_name_can_be_read_and_predicted(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from learned import KINDS, table

    made = table()
    made = made.with_frame(made.frame.rename({"words": name, "price": f"{name}!"}))
    monkeypatch.setattr("learned.table", lambda: made)
    monkeypatch.setitem(KINDS, name, "text")
    monkeypatch.setitem(KINDS, f"{name}!", "number")
    chosen = plan(name, "age", targets=(f"{name}!",))
    network = build_network(chosen, facts(chosen)).network
    (raw,) = network(batch(chosen).inputs).values()
    assert torch.isfinite(raw).all()

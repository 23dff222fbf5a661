"""The guide to every choice names only choices that a plan takes: none is missing, misspelled or gone."""

import re
from pathlib import Path
from typing import Any

import pytest

from lamina.data import Column
from lamina.ground import set_path
from lamina.hidden import HIDDEN
from lamina.network import Scene, choose_plan, read_value
from lamina.run import TASKS
from lamina.training import SCHEDULES

GUIDES = [
    Path(__file__).parent.parent / "docs" / name for name in ("choices.md", "pictures.md", "tables.md", "text.md")
]
MAKING = {
    task: GUIDES[0].parent / name
    for task, name in (("generate", "generate-pictures.md"), ("rows", "generate-rows.md"), ("enlarge", "enlarge.md"))
}
KEY = r"(?:size|(?:training|hidden|outputs|split|inputs|players|adversarial)(?:\.\w+)+)=[^\s`';]+"


def named(guides: list[Path] = GUIDES) -> list[str]:
    """Every `key=value` that stands alone between backticks, with what must be set beside it."""
    found = []
    for guide in guides:
        text = re.sub(r"```.*?```", "", guide.read_text(), flags=re.DOTALL)
        for span in re.findall(r"`([^`\n]+)`", text):
            keys = re.findall(KEY, span)
            if keys and "lamina" not in span:
                found.append(" ".join(keys))
    return sorted(set(found))


def column(name: str, kind: Any, role: Any = "input") -> Column:
    return Column(name=name, kind=kind, role=role, reason="made for a test")


def scene(pictures: bool, texts: bool = False) -> Scene:
    columns = [column("image", "image")] if pictures else [column("rooms", "number"), column("zone", "category")]
    columns = [column("words", "text")] if texts else columns
    columns += [
        column("price", "number", "target"),
        column("level", "category", "target"),
        column("tags", "text", "target"),
    ]
    wanted = {each.name: each for each in columns}
    return Scene(wanted, ["price", "level"], 1000, 64 if pictures else None)


@pytest.mark.parametrize("choice", named())
def test_a_choice_that_a_guide_names_is_taken_by_a_plan(choice: str) -> None:
    given: dict[str, Any] = {}
    for pair in choice.split():
        key, _, value = pair.partition("=")
        if key == "outputs.tags.kind":  # a column that the scene does not predict
            key = "outputs.level.kind"
        set_path(given, key, read_value(value))
    if "hidden.weights" in choice or "hidden.freeze" in choice:
        given["hidden"].setdefault("name", "resnet18")
    if {"gamma", "smoothing"} & set(re.split(r"\W", choice)):
        given["outputs"]["level"]["kind"] = "category"
    if {"normalisation", "initialisation"} & set(re.split(r"\W", choice)):
        given["hidden"]["name"] = "mlp"
    name = (given.get("hidden") or {}).get("name", "")
    grids = name in HIDDEN and HIDDEN[name].accepts == ("grid",)
    texts = "inputs.words" in choice or (name in HIDDEN and HIDDEN[name].accepts == ("tokens",))
    pictures = grids or "image" in choice or "pooling" in choice
    check(choose_plan(scene(pictures, texts), given).to_plain(), choice.replace("outputs.tags", "outputs.level"))


def check(plan: dict[str, Any], choice: str) -> None:
    """That a plan holds what was chosen."""
    for pair in choice.split():
        key, _, value = pair.partition("=")
        found: Any = plan
        for step in key.split("."):
            found = found[step]
        assert found == read_value(value)


@pytest.mark.parametrize("task, choice", [(task, choice) for task in MAKING for choice in named([MAKING[task]])])
def test_a_choice_for_making_pictures_is_taken_by_a_plan(task: str, choice: str) -> None:
    given: dict[str, Any] = {}
    for pair in choice.split():
        key, _, value = pair.partition("=")
        set_path(given, key, read_value(value))
    columns = {each.name: each for each in (column("image", "image", "target"), column("class", "category"))}
    if task == "enlarge":
        del columns["class"]
    if task == "rows":
        columns = {"rooms": column("rooms", "number", "target")}
    check(choose_plan(Scene(columns, list(columns)[:1], 1000, 64), given, TASKS[task].parts).to_plain(), choice)


def test_every_optimizer_and_schedule_is_named() -> None:
    text = GUIDES[0].read_text()
    assert all(f"training.schedule={name}" in text for name in SCHEDULES)
    for name in ("sgd", "momentum", "nesterov", "rmsprop", "adam", "adamw", "muon"):
        assert f"`training.optimizer={name}`" in text


TEXTS = {
    "generate-text": Scene({"text": column("text", "text", "target")}, ["text"], 3_000, flows=True),
    "none-of-these": Scene(
        {"text": column("text", "text"), "intent": column("intent", "category", "target")}, ["intent"], 3_000
    ),
    "chatbot": Scene(
        {"q": column("q", "text"), "answer": column("answer", "text", "target")},
        ["answer"],
        3_000,
        answered=("reply", "they recur"),
    ),
    "translation": Scene({"en": column("en", "text"), "de": column("de", "text", "target")}, ["de"], 3_000),
}
"""The data that a guide speaks of."""


@pytest.mark.parametrize("guide, choice", [
    (guide, choice) for guide in TEXTS for choice in named([GUIDES[0].parent / f"{guide}.md"])
])  # fmt: skip
def test_a_choice_that_a_guide_to_texts_names_is_taken_by_a_plan(guide: str, choice: str) -> None:
    given: dict[str, Any] = {}
    for pair in choice.split():
        key, _, value = pair.partition("=")
        set_path(given, key, read_value(value))
    check(choose_plan(TEXTS[guide], given).to_plain(), choice)

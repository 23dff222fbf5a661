"""A whole plan from the data: which inputs, which hidden layers, how large, how to train, each with its reason.

What a person gave (a plan file, `--set`) is laid over these choices. Rules look at rows, columns and shapes, never at
names of data sets; the figures behind them stand in docs/lab-notes.md.
"""

import copy
from collections.abc import Mapping
from typing import Any

from lamina.ground import PlanError
from lamina.network.choose_predicting import predicting
from lamina.network.given import check_sections, is_chosen, is_whole, lay_over
from lamina.network.plan import Plan, plan_from_plain
from lamina.network.published_texts import as_published, is_encoder
from lamina.network.scene import Parts, Scene

FINE_TUNING = {"optimizer": "adamw", "learning_rate": 0.0003, "epochs": 20}
"""How weights that were learned elsewhere go on learning (docs/lab-notes.md)."""


def choose_plan(scene: Scene, given: Mapping[str, Any], parts: Parts = predicting) -> Plan:
    """The plan for this data.

    Args:
        scene: the data, understood.
        given: nested plain values that a person wants otherwise, as in a plan file.
        parts: chooses the parts of the network and its training by what it is for.

    Raises:
        PlanError: if what was given does not fit the data or the known parts.
    """
    check_sections(given)
    values: dict[str, Any]
    reasons: dict[str, str]
    if is_whole(given):
        values, reasons = copy.deepcopy({"predict": list(scene.targets), **given}), {}
        _normalise(values, reasons)
        return plan_from_plain(values, reasons)
    size = given.get("size", "medium")
    if size not in ("small", "medium", "large"):
        raise PlanError(f"size: {size!r} does not do: it is small, medium or large.")
    values = {
        "predict": list(scene.targets),
        "size": size,
        "columns": copy.deepcopy(dict(given.get("columns") or {})),
        "split": {},
        "checks": {},
    }
    reasons = {}
    values |= parts(scene, given, size, reasons)
    lay_over(values, given)
    kept = {path: why for path, why in reasons.items() if is_chosen(values, path, given)}
    _normalise(values, kept)
    as_published(values, given, kept)
    _fine_tune(values, given.get("training") or {}, kept)
    _end_soon(values, given.get("training") or {}, kept)
    return plan_from_plain(values, kept)


def _normalise(values: Mapping[str, Any], reasons: dict[str, str]) -> None:
    """Pictures that reach published weights as those expect them, where nobody said how."""
    for name, part in values["inputs"].items():
        weights = _weights_after(part, values)
        if part.get("kind") == "image" and weights and "normalise" not in part:
            part["normalise"] = "imagenet"
            reasons[f"inputs.{name}.normalise"] = f"as {weights} expects pictures, if it was published for ImageNet"


def _fine_tune(values: dict[str, Any], given: Mapping[str, Any], reasons: dict[str, str]) -> None:
    """Small steps and one network where weights are published ones: large steps would undo what those know."""
    weights = next(filter(None, (_weights_after(part, values) for part in values["inputs"].values())), None)
    if weights is None:
        return
    for name, value in FINE_TUNING.items():
        if name not in given:
            values["training"][name] = value
            reasons[f"training.{name}"] = f"small steps from {weights}, not to undo what it knows"
    if "ensemble" not in given:
        values["training"]["ensemble"] = 1
        reasons["training.ensemble"] = f"every network would start from the same {weights}"


def _end_soon(values: dict[str, Any], given: Mapping[str, Any], reasons: dict[str, str]) -> None:
    """Short rounds and one network where training is to end at a figure, which may be reached long before its time."""
    training = values["training"]
    asked = training.get("stop_at") is not None or training.get("stop_at_loss") is not None
    if not asked or training.get("objective", "supervised") != "supervised":
        return
    if "schedule" not in given:
        training["schedule"] = "restarts"
        reasons["training.schedule"] = "rounds, each twice as long as the last: the figure asked for may come in any"
    if "ensemble" not in given and training.get("ensemble", 1) > 1:
        training["ensemble"] = 1
        reasons["training.ensemble"] = "one network is enough for the figure that is asked for"


def _weights_after(part: Mapping[str, Any], values: Mapping[str, Any]) -> str | None:
    """The file of weights that layers for pictures after an input start from, if they do."""
    trunk = part.get("trunk")
    reached = values["hidden"] if trunk is None else (values.get("trunks") or {}).get(str(trunk))
    return reached.get("weights") if isinstance(reached, Mapping) and not is_encoder(reached) else None

"""Sections of a plan for columns to be predicted: from tables, pictures and texts."""

import math
from collections.abc import Mapping
from typing import Any

from lamina.data import OF_THEIR_OWN, setting
from lamina.ground import PlanError, listing
from lamina.network.bags import bag_of_texts, bag_training, read_in_order
from lamina.network.given import lay_over
from lamina.network.published_texts import by_its_tokens
from lamina.network.replying import replying
from lamina.network.running_text import running_text
from lamina.network.scene import Scene, part_name
from lamina.network.sequences import reader_size, sequence_training, tagged_texts
from lamina.network.size import convnet_size, mixer_size, residual_size
from lamina.network.translating import translating

ENSEMBLE, ENSEMBLE_BELOW, PICTURES_ENSEMBLE_BELOW = 5, 20_000, 1_000
"""Networks that share small data, and the rows under which: of tables (docs/lab-notes.md), of pictures (a guess)."""
_GROUPED = {"number": "numbers", "category": "categories", "moment": "moments"}
"""Kinds whose columns share one input layer, and its name. Pictures and texts have a layer each."""


def predicting(scene: Scene, given: Mapping[str, Any], size: str, reasons: dict[str, str]) -> dict[str, Any]:
    """Sections of a plan that predicts columns, of running text what comes next; see `Parts`.

    Raises:
        PlanError: if no column is left to learn from, or a target is of a kind that is no answer.
    """
    if scene.flows:
        (target,) = scene.targets
        return running_text(target, part_name(target), size, scene.rows, given, reasons)
    if (pair := _text_and_answer(scene, given)) is not None:
        source, target = pair
        names = part_name(source), part_name(target, [part_name(source)])
        said = ((given.get("outputs") or {}).get(names[1]) or {}).get("kind")
        kind, why = scene.answered or ("text", OF_THEIR_OWN)
        if said not in (None, kind):
            kind, why = said, "as asked for"
        choose = replying if kind == "reply" else translating
        return choose(source, target, names, size, scene.rows, why, reasons)
    values: dict[str, Any] = {}
    values["inputs"], values["trunks"] = _inputs(scene, size, reasons)
    if given.get("inputs"):  # what the rest is chosen for
        lay_over(values, {"inputs": given["inputs"]})
    by_its_tokens(values["inputs"], given, reasons)
    values["hidden"] = _hidden(scene, values, size, reasons)
    values["outputs"] = _outputs(scene, values, given.get("outputs") or {}, reasons)
    values["training"] = _training(scene, values, reasons)
    if scene.in_order and _tells_classes_by_a_text(scene, values):
        read_in_order(values, size, reasons)
    return values


def _tells_classes_by_a_text(scene: Scene, values: Mapping[str, Any]) -> bool:
    return [part["kind"] for part in values["inputs"].values()] == ["text"] and _are_classes(scene)


def _are_classes(scene: Scene) -> bool:
    return all(scene.columns[target].kind == "category" for target in scene.targets)


def _text_and_answer(scene: Scene, given: Mapping[str, Any]) -> tuple[str, str] | None:
    """The column that is read and that of the answers, where a text is answered by a text and nothing else."""
    inputs = [column for column in scene.columns.values() if column.role in ("input", "time")]
    if len(scene.targets) != 1 or [column.kind for column in inputs] != ["text"]:
        return None
    (target,) = scene.targets
    said = ((given.get("outputs") or {}).get(part_name(target)) or {}).get("kind", "text")
    written = scene.columns[target].kind == "text" and said == "text"
    return (inputs[0].name, target) if written or said == "reply" else None


def _nothing_left(scene: Scene) -> PlanError:
    """The error for a table of which no column can be an input: which there are, and why none is."""
    aside = [column for column in scene.columns.values() if column.name not in scene.targets]
    if not aside:
        return PlanError(
            f"No column is left to learn from: the data holds {listing(map(repr, scene.targets))} alone, which is to "
            "be predicted. Give data with other columns as well."
        )
    why = listing((f"{column.name!r} ({column.reason or column.role})" for column in aside), 4)
    return PlanError(
        f"No column is left to learn from. Set aside are {why}. "
        f"Give one its role back: {setting(aside[0].name, 'role', 'input')}"
    )


def _inputs(scene: Scene, size: str, reasons: dict[str, str]) -> tuple[dict[str, Any], dict[str, Any]]:
    used = [column for column in scene.columns.values() if column.role in ("input", "time")]
    used = [column for column in used if column.name not in scene.targets]
    if not used:
        raise _nothing_left(scene)
    tagged = tagged_texts(scene.columns, scene.targets)
    if all(scene.columns[target].kind == "tags" for target in scene.targets):
        used = [column for column in used if column.name in tagged]  # nothing else belongs to single words
    inputs: dict[str, Any] = {}
    for kind, name in _GROUPED.items():
        names = [column.name for column in used if column.kind == kind]
        if names:
            inputs[name] = {"kind": kind, "columns": names}
    pictures = [column for column in used if column.kind == "image"]
    texts = [column for column in used if column.kind == "text"]
    alone = len(pictures) == 1 and len(used) == 1
    for column in [*pictures, *texts]:
        name = part_name(column.name, inputs)
        inputs[name] = {"kind": "words" if column.name in tagged else column.kind, "columns": [column.name]}
        if column.name in tagged and len(used) > 1:
            inputs[name]["trunk"] = f"{name}_read"
        if column.name not in tagged and len(texts) == len(used):
            inputs[name] |= bag_of_texts(size)
            reasons[f"inputs.{name}"] = "words, pairs and parts of words, whatever their order: the fast first choice"
        if column.kind == "image":
            inputs[name] |= _picture(scene, reasons, f"inputs.{name}")
            if not alone:
                inputs[name]["trunk"] = "pictures"
    trunks: dict[str, Any] = {}
    if pictures and not alone:
        trunks["pictures"] = convnet_size(size, scene.rows, scene.side or 64)
        shared = f"shared by {len(pictures)} pictures of a row" if len(pictures) > 1 else "before it meets the table"
        reasons["trunks.pictures"] = f"pictures pass convolutions first, {shared}"
    for part in inputs.values():
        if part["kind"] == "words" and "trunk" in part:
            trunks[part["trunk"]] = reader_size(size)
            reasons[f"trunks.{part['trunk']}"] = "words are read from both ends before they are tagged"
    return inputs, trunks


def _picture(scene: Scene, reasons: dict[str, str], path: str) -> dict[str, Any]:
    """Settings of a picture input, by its side and the number of rows."""
    settings: dict[str, Any] = {}
    if scene.side is not None:
        settings["side"], reasons[f"{path}.side"] = picture_side(scene.side, scene.rows)
    if scene.mirror is not None:
        settings["mirror"] = scene.mirror
    if all(scene.columns[target].kind == "number" for target in scene.targets):
        settings["strength"] = 0.3
        reasons[f"{path}.strength"] = "a number may hang on where things lie: pictures are moved and turned but little"
    return settings


def picture_side(side: int, rows: int) -> tuple[int, str]:
    """The side that pictures are brought to, in pixels, and why."""
    most = 64
    if side <= most:
        return side, "as the pictures are"
    return (
        most,
        f"the pictures are about {side} wide or high; at {most} a step costs {round((side / most) ** 2)} times less",
    )


def _hidden(scene: Scene, values: Mapping[str, Any], size: str, reasons: dict[str, str]) -> dict[str, Any]:
    kinds = [part["kind"] for part in values["inputs"].values()]
    if kinds == ["image"]:
        reasons["hidden"] = "convolutions, the layers for pictures"
        return convnet_size(size, scene.rows, scene.side or 64)
    if kinds == ["words"]:
        reasons["hidden"] = "reads the words from both ends"
        return reader_size(size)
    if "image" in kinds:
        reasons["hidden"] = "joins the pictures with the rest of the row"
        return mixer_size(size, scene.rows)
    reasons["hidden"] = f"dense layers for a table of {scene.rows:,} training rows"
    return residual_size(size, scene.rows)


def _outputs(scene: Scene, values: Mapping[str, Any], given: Mapping[str, Any],
             reasons: dict[str, str]) -> dict[str, Any]:  # fmt: skip
    outputs: dict[str, Any] = {}
    kinds = {part["kind"] for part in values["inputs"].values()}
    for target in scene.targets:
        column = scene.columns[target]
        name = part_name(target, outputs)
        said = (given.get(name) or {}).get("kind")
        if column.kind not in ("number", "category", "tags") and said is None:
            raise PlanError(
                f"Column {target!r} holds {column.kind}s ({column.reason}), which is no kind of answer yet. If its "
                f"cells are classes, say {setting(target, 'kind', 'category')}; if each holds several labels, "
                f"--set outputs.{name}.kind=labels"
            )
        outputs[name] = {"kind": column.kind, "column": target}
        if column.kind == "tags":
            outputs[name]["words"] = column.of
            (reader,) = (part for part in values["inputs"].values() if part["columns"] == [column.of])
            if "trunk" in reader:
                outputs[name]["from"] = reader["trunk"]
        if column.kind == "category" and "image" in kinds:
            outputs[name]["smoothing"] = 0.1
            reasons[f"outputs.{name}.smoothing"] = "keeps a network that sees few pictures from being too sure"
        if column.kind == "category" and kinds == {"text"}:
            outputs[name]["smoothing"] = 0.1
            reasons[f"outputs.{name}.smoothing"] = "phrases that stand in one row make a network too sure of it"
        reasons[f"outputs.{name}.kind"] = column.reason
    return outputs


def _training(scene: Scene, values: Mapping[str, Any], reasons: dict[str, str]) -> dict[str, Any]:
    kinds = {part["kind"] for part in values["inputs"].values()}
    if "image" in kinds:
        return _pictures_training(scene, reasons)
    if "words" in kinds:
        return sequence_training(scene.rows, reasons)
    chosen = _table_training(scene, reasons)
    if kinds == {"text"} and _are_classes(scene):
        chosen |= bag_training(reasons)
    return chosen


def _table_training(scene: Scene, reasons: dict[str, str]) -> dict[str, Any]:
    batch = 256 if scene.rows >= 2048 else max(16, 2 ** round(math.log2(max(scene.rows, 1) / 8)))
    reasons["training.batch_size"] = "256, or an eighth of the training rows when they are few"
    reasons["training.epochs"] = "about 250,000 rows in all, from 8 to 20 epochs"
    reasons["training.schedule"] = "noisy tables are learned best in the short first part, clean ones in the second"
    reasons["training.optimizer"] = "muon turns the matrices of hidden layers, adamw moves the rest"
    return {
        "optimizer": "muon", "learning_rate": 0.007, "muon_rate": 0.02, "weight_decay": 0.1, "average": 0.0,
        "ensemble": _networks(scene, ENSEMBLE_BELOW, reasons), "batch_size": batch,
        "epochs": min(max(round(250_000 / scene.rows), 8), 20), "schedule": "restart",
    }  # fmt: skip


def _pictures_training(scene: Scene, reasons: dict[str, str]) -> dict[str, Any]:
    batch = 256 if scene.rows >= 4000 else 128 if scene.rows >= 500 else 64
    reasons["training.batch_size"] = f"by the {scene.rows:,} training rows: small batches for few pictures"
    reasons["training.optimizer"] = "muon turns the filters, adamw moves the rest"
    return {
        "optimizer": "muon", "learning_rate": 0.002, "muon_rate": 0.02, "weight_decay": 0.05,
        "average": 0.0, "warmup": 0.15, "batch_size": batch, "epochs": 200,
        "ensemble": _networks(scene, PICTURES_ENSEMBLE_BELOW, reasons),
    }  # fmt: skip


def _networks(scene: Scene, below: int, reasons: dict[str, str]) -> int:
    """How many networks answer together: several when rows are few."""
    if not scene.may_rotate or scene.rows >= below:
        return 1
    reasons["training.ensemble"] = f"{scene.rows:,} rows are few: each network chooses by another fifth of them"
    return ENSEMBLE

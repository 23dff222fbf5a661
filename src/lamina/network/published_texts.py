"""What is chosen where texts pass a published encoder: its tokens, its sizes, and how it is tuned."""

from collections.abc import Iterator, Mapping
from typing import Any

from lamina.ground import ModelFolder
from lamina.hidden import BertPlan, bert_settings

TUNING = {"optimizer": "adamw", "learning_rate": 3e-5, "epochs": 4, "batch_size": 16, "schedule": "linear",
          "warmup": 0.1, "ensemble": 1}  # fmt: skip
"""How an encoder goes on learning, as Devlin et al. 2019 advise; not tried here, for want of published weights."""


def by_its_tokens(inputs: dict[str, Any], given: Mapping[str, Any], reasons: dict[str, str]) -> None:
    """Columns of text that reach a published encoder, read by its tokens where nobody said how."""
    for name, part in inputs.items():
        folder = next((folder for where, folder in _encoders(given) if where == part.get("trunk")), None)
        if folder is None or part["kind"] != "text" or "kind" in ((given.get("inputs") or {}).get(name) or {}):
            continue
        kept = {key: part[key] for key in ("columns", "trunk") if key in part}
        width = bert_settings(ModelFolder.read(folder))["width"]
        inputs[name] = {"kind": "tokens", **kept, "vocabulary": folder, "width": width, "forget": 0.0}
        reasons[f"inputs.{name}"] = f"read by the tokens that {folder} was learned with"


def as_published(values: dict[str, Any], given: Mapping[str, Any], reasons: dict[str, str]) -> None:
    """Sizes of published encoders from their folders, and small steps where they go on learning."""
    for where, folder in _encoders(values):
        path = "hidden" if where is None else f"trunks.{where}"
        section = values["hidden"] if where is None else values["trunks"][where]
        said = bert_settings(ModelFolder.read(folder))
        for name in set(said) - {"width"} - set(section):
            section[name] = said[name]
            reasons[f"{path}.{name}"] = f"as config.json of {folder} says"
        if section.get("freeze", 0) == "all":
            continue
        for name, value in TUNING.items():
            if name not in (given.get("training") or {}):
                values["training"][name] = value
                reasons[f"training.{name}"] = f"small steps from {folder}, not to undo what it knows"


def is_encoder(section: object) -> bool:
    """Whether settings of hidden layers speak of a published encoder of texts."""
    return isinstance(section, Mapping) and section.get("name") == BertPlan.name and bool(section.get("weights"))


def _encoders(values: Mapping[str, Any]) -> Iterator[tuple[str | None, str]]:
    """The trunk, or None for hidden layers, and the folder of each published encoder."""
    for where, section in ((None, values.get("hidden")), *(values.get("trunks") or {}).items()):
        if is_encoder(section):
            yield where, str(section["weights"])

"""What a report is made from: the files of a run folder, read once and believed as they are."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lamina.ground import RunError
from lamina.network import read_yaml, task_of
from lamina.training import read_history


@dataclass(frozen=True)
class RunFiles:
    """The files of one run; those that are not there yet are empty."""

    path: Path
    plan_text: str
    """`plan.yaml` as it stands, with its comments."""
    plan: dict[str, Any]
    state: dict[str, Any]
    data: dict[str, Any] = field(default_factory=dict)
    evaluation: dict[str, Any] = field(default_factory=dict)
    history: Sequence[dict[str, Any]] = ()

    @property
    def outputs(self) -> list[object]:
        """The kinds of the plan's outputs."""
        return [part.get("kind") for part in (self.plan.get("outputs") or {}).values()]

    @property
    def task(self) -> str:
        """What the network is for: `predict`, `generate`, `rows` or `enlarge`."""
        return task_of((self.plan.get("training") or {}).get("objective"), self.outputs)

    @property
    def targets(self) -> list[str]:
        """The columns that are predicted."""
        return [str(name) for name in self.data.get("targets") or self.plan.get("predict") or ()]

    @property
    def deciding(self) -> dict[str, str]:
        """The metric that decides for each column, by column; its first one where nothing is said."""
        told = dict(self.evaluation.get("deciding") or {})
        column, _, key = str(self.evaluation.get("decides") or "").rpartition(".")  # a column's name may hold dots
        told.setdefault(column, key)
        metrics = self.evaluation.get("metrics") or {}
        return {
            column: told[column] if told.get(column) in found else next(iter(found))
            for column, found in metrics.items()
            if found
        }

    @property
    def parameters(self) -> int:
        """Weights of the whole network."""
        return sum(int(layer.get("parameters") or 0) for layer in self.state.get("layers") or ())


def read_run(path: Path) -> RunFiles:
    """The files of a run folder.

    Raises:
        RunError: if there is no plan or no state, or a file is damaged.
    """
    for name in ("plan.yaml", "state.json"):
        if not (path / name).is_file():
            raise RunError(f"{path} has no {name}. A report needs the folder that `lamina train` names at its end.")
    plan_text = (path / "plan.yaml").read_text("utf-8")
    return RunFiles(
        path=path,
        plan_text=plan_text,
        plan=read_yaml(plan_text, str(path / "plan.yaml")),
        state=_json(path / "state.json"),
        data=_json(path / "data.json"),
        evaluation=_json(path / "evaluation.json"),
        history=read_history(path / "history.jsonl"),
    )


def _json(path: Path) -> dict[str, Any]:
    if not path.exists():
        return {}
    try:
        values = json.loads(path.read_text("utf-8"))
    except ValueError as error:
        raise RunError(f"{path} is damaged ({error}). Copy the run anew, or train it again with --fresh.") from error
    if not isinstance(values, dict):
        raise RunError(f"{path} is damaged: it holds {type(values).__name__} instead of names and values.")
    return values

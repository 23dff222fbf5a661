"""What was asked for, checked and put into one form."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from lamina.ground import PlanError, UsageError, listing, nearest, set_path
from lamina.network import predicted, read_value, read_yaml, task_of
from lamina.run import TASKS

DEFAULT_SECONDS = 300.0
"""How long a training takes at most when neither time, epochs nor steps are given."""


LARGEST_PLAN = 8 << 20
"""Bytes of a plan file: a line for each of a hundred thousand columns."""

_EXAMPLES = {
    "columns": "columns.zip.kind=category",
    "split": "split.by=time",
    "checks": "checks.unusable=0.2",
    "inputs": "inputs.numbers.kind=number",
    "trunks": "trunks.pictures.width=32",
    "hidden": "hidden.width=256",
    "outputs": "outputs.price.loss=mae",
    "players": "players.critic.width=64",
    "adversarial": "adversarial.loss=minimax",
    "training": "training.epochs=12",
}
"""What holds settings by name, and one of each as `--set` takes it."""


@dataclass(frozen=True)
class Request:
    """A training as it was asked for; written into the run, so that the same command can go on with it."""

    data: tuple[str, ...]
    test: tuple[str, ...] = ()
    predict: tuple[str, ...] = ()
    given: Mapping[str, Any] = field(default_factory=dict)
    """Nested plain values of the plan file and of `--set`, the latter over the former."""
    seconds: float | None = None
    """The whole command, start to exit; None when epochs or steps decide alone."""
    task: str = "predict"
    """One of `TASKS`."""
    scale: int | None = None
    """How many times photos are to be enlarged."""

    def differences(self, other: Mapping[str, Any]) -> list[str]:
        """What an earlier request, as plain values, had otherwise: `training.steps 21 (was 20)`."""
        return differences(_plainly(json.loads(json.dumps(asdict(self), default=str))), _plainly(other))


def differences(one: Mapping[str, Any], other: Mapping[str, Any]) -> list[str]:
    """What nested plain values have otherwise than earlier ones: `training.steps 21 (was 20)`."""
    mine, theirs = _flat(one), _flat(other)
    return [
        f"{name} {_said(mine.get(name))} (was {_said(theirs.get(name))})"
        for name in [*mine, *(name for name in theirs if name not in mine)]
        if _said(mine.get(name)) != _said(theirs.get(name))  # one file, and a list of it, are asked for alike
    ]


def _plainly(request: Mapping[str, Any]) -> dict[str, Any]:
    """A request with the plan's values as a person would write them after `--set`."""
    named = {("time" if name == "seconds" else name): value for name, value in request.items() if name != "given"}
    return named | (request.get("given") or {})


def _flat(values: Mapping[str, Any]) -> dict[str, Any]:
    """Every single value by its path."""
    flat: dict[str, Any] = {}

    def add(path: str, value: Any) -> None:
        if isinstance(value, Mapping):
            for name, inner in value.items():
                add(f"{path}.{name}" if path else name, inner)
        else:
            flat[path] = value

    add("", values)
    return flat


def _said(value: object) -> str:
    if value is None or value == []:
        return "not given"
    return ", ".join(str(one) for one in value) if isinstance(value, list) else str(value)


def read_request(data: Sequence[object], test: Sequence[object], predict: str | Sequence[str] | None,
                 plan: str | Path | Mapping[str, Any] | None, settings: Mapping[str, Any] | Sequence[str] | None,
                 time: str | float | None, split: str | None, seed: int | None,
                 task: str | None = None, scale: int | None = None) -> Request:  # fmt: skip
    """The request behind the arguments of `train` and `plan`.

    Raises:
        PlanError, UsageError: if the plan file, a setting or the time cannot be read.
    """
    given: dict[str, Any] = {}
    if isinstance(plan, Mapping):
        given = _own(plan)
    elif plan is not None:
        path = Path(plan)
        if not path.is_file():
            raise PlanError(
                f"There is no plan file {str(path)!r}. `lamina plan DATA > {path}` writes one to start from."
            )
        given = read_yaml(_plan_text(path), str(path))
    for name, value in _pairs(settings):
        set_path(given, name, _own(value))
    if split is not None:
        set_path(given, "split.by", split)
    if seed is not None:
        set_path(given, "training.seed", seed)
    wanted = predict or given.get("predict") or ()
    wanted = predicted(wanted)
    for name in ("columns", "split", "checks", "inputs", "trunks", "hidden", "outputs", "players", "adversarial",
                 "training"):  # fmt: skip
        if not isinstance(given.get(name) or {}, Mapping):
            raise PlanError(f"{name}: expected settings by name, such as {_EXAMPLES[name]}; found {given[name]!r}.")
    for name, said in (given.get("columns") or {}).items():
        if not isinstance(said, Mapping):
            raise PlanError(
                f"columns.{name}: expected settings by name, such as columns.{name}.role=ignore; found {said!r}."
            )
    training = given.get("training") or {}
    if task is not None and task not in TASKS:
        raise UsageError(f"--task {task}: there is no such task.{nearest(task, TASKS)} Known: {listing(TASKS)}.")
    parts = [part for part in (given.get("outputs") or {}).values() if isinstance(part, Mapping)]
    task = task or task_of(training.get("objective"), [part.get("kind") for part in parts])
    if scale is not None and task != "enlarge":
        raise UsageError("--scale says how many times photos are enlarged: it goes with --task enlarge.")
    own_end = training.get("epochs") is not None or training.get("steps") is not None
    seconds = None if time is None and own_end else DEFAULT_SECONDS if time is None else read_seconds(time)
    names = tuple(map(_name, data))
    return Request(names, tuple(map(_name, test)), wanted, given, seconds, task, scale)


def _plan_text(path: Path) -> str:
    """The text of a plan file.

    Raises:
        PlanError: if it is too large for a plan, or no text in UTF-8.
    """
    if path.stat().st_size > LARGEST_PLAN:
        raise PlanError(f"{path} has {path.stat().st_size:,} bytes; a plan has at most {LARGEST_PLAN:,}.")
    try:
        return path.read_text("utf-8")
    except UnicodeDecodeError as error:
        raise PlanError(
            f"{path} is no text in UTF-8 (byte {error.start + 1:,} is {error.object[error.start]:#04x}). A plan is "
            f"YAML, as `lamina plan DATA > {path.name}` writes it."
        ) from error


def _own(value: Any) -> Any:
    """Nested plain values of a caller, who may go on using them: copied, so that settings laid over them stay ours."""
    if isinstance(value, Mapping):
        return {name: _own(inner) for name, inner in value.items()}
    return [_own(inner) for inner in value] if isinstance(value, (list, tuple)) else value


def _name(source: object) -> str:
    return str(source) if isinstance(source, (str, Path)) else f"<{type(source).__name__}>"


def _pairs(settings: Mapping[str, Any] | Sequence[str] | None) -> list[tuple[str, Any]]:
    if isinstance(settings, Mapping):
        return list(settings.items())
    pairs = []
    for text in settings or ():
        name, equals, value = text.partition("=")
        if not equals or not name.strip():
            raise UsageError(f"--set takes key=value, such as training.epochs=12; found {text!r}.")
        pairs.append((name.strip(), read_value(value)))
    return pairs


_UNITS = {"": 1, "s": 1, "m": 60, "h": 3600, "min": 60, "sec": 1}


def read_seconds(time: str | float) -> float:
    """Seconds from `90`, `90s`, `5m`, `1h30m`.

    Raises:
        UsageError: if the text is not a duration, or one under five seconds.
    """
    text = str(time).strip().lower().replace(" ", "")
    pieces = re.findall(r"(\d+(?:\.\d+)?)(min|sec|h|m|s|)", text)
    if not pieces or "".join(number + unit for number, unit in pieces) != text:
        raise UsageError(f"--time takes a duration such as 90s, 5m or 1h30m; found {time!r}.")
    seconds = sum(float(number) * _UNITS[unit] for number, unit in pieces)
    if seconds < 5:
        raise UsageError(f"--time {time}: nothing can be learned in under five seconds. Give 5s or more.")
    return seconds

"""Settings to plain data and back, checked at the edge.

A setting is a field of a frozen dataclass. Plans, `--set key=value` and JSON all arrive here; a wrong key or
value leaves as a PlanError that names the key, what was found, what would do, and the nearest known name.
"""

import dataclasses
from collections.abc import Mapping
from functools import cache
from typing import Any, TypeVar

from pydantic import ConfigDict, TypeAdapter, ValidationError, with_config

from lamina.ground.errors import PlanError, listing, nearest

Settings = TypeVar("Settings")


@cache
def _adapter(settings: type) -> TypeAdapter:
    return TypeAdapter(with_config(ConfigDict(extra="forbid", strict=False, arbitrary_types_allowed=True))(settings))


def from_plain(settings: type[Settings], values: Mapping[str, object], where: str) -> Settings:
    """Settings of a class from plain values.

    Args:
        settings: a dataclass.
        values: plain values by field name; a trailing underscore of a field (`from_`) is dropped in plain data.
        where: the place in the plan, for messages: `hidden` or `inputs.front`.

    Raises:
        PlanError: on an unknown key, a value of the wrong type, or one that the class refuses.
    """
    names = {field.name.rstrip("_"): field.name for field in dataclasses.fields(settings) if field.init}  # type: ignore[arg-type]
    unknown = [name for name in values if name not in names]
    if unknown:
        raise PlanError(
            f"{where}: there is no setting {unknown[0]!r}.{nearest(unknown[0], names)} "
            f"Known here: {listing(names, 30)}."
        )
    try:
        return _adapter(settings).validate_python({names[name]: value for name, value in values.items()})  # type: ignore[arg-type]
    except ValidationError as error:
        first, *others = error.errors()
        # One value that is none of several things is one mistake; pydantic names each of the things apart.
        same = [each for each in others if each["loc"][:1] == first["loc"][:1] and each["input"] is first["input"]]
        steps = first["loc"][:1] if same else first["loc"]
        place = ".".join(str(step).rstrip("_") for step in (where, *steps))
        reason = ", or ".join(dict.fromkeys(_reason(each) for each in (first, *same)))
        raise PlanError(f"{place}: {first['input']!r} does not do: {reason}.") from error


def _reason(problem: Mapping[str, Any]) -> str:
    message = str(problem["msg"]).removeprefix("Value error, ").rstrip(".")
    return message[0].lower() + message[1:] if message else "it is not a value of this setting"


def to_plain(settings: object) -> dict[str, object]:
    """Plain values of every field, ready for YAML or JSON; the opposite of `from_plain`."""
    assert dataclasses.is_dataclass(settings)
    plain = {}
    for field in dataclasses.fields(settings):
        if field.init:
            plain[field.name.rstrip("_")] = _plain(getattr(settings, field.name))
    return plain


def _plain(value: object) -> object:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return to_plain(value)
    if isinstance(value, Mapping):
        return {str(name): _plain(inner) for name, inner in value.items()}
    if isinstance(value, (tuple, list, frozenset, set)):
        return [_plain(inner) for inner in value]
    return value


def set_path(values: dict[str, Any], path: str, value: object) -> None:
    """Change one key of nested plain data in place: `set_path(plan, "training.epochs", 12)`.

    Raises:
        PlanError: when the path leads through something that holds no keys.
    """
    *steps, last = path.split(".")
    if steps[:1] == ["columns"] and len(steps) > 2:
        steps = ["columns", ".".join(steps[1:])]  # a column's name may hold dots: columns.emp.var.rate.role
    inner: Any = values
    for depth, step in enumerate(steps):
        if inner.get(step) is None:
            inner[step] = {}
        inner = inner[step]
        if not isinstance(inner, dict):
            raise PlanError(f"--set {path}: {'.'.join(steps[: depth + 1])} is {inner!r} and holds no keys.")
    inner[last] = value

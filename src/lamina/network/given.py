"""What a person gave, laid over what was chosen: a plan file, or single keys."""

import copy
from collections.abc import Mapping
from typing import Any

from lamina.ground import PlanError, listing, nearest


def check_sections(given: Mapping[str, Any]) -> None:
    """That settings stand where settings belong, before anything is laid over them."""
    for name in ("columns", "split", "checks", "inputs", "trunks", "hidden", "outputs", "players", "adversarial",
                 "training"):  # fmt: skip
        section = given.get(name)
        parts = (
            section.items()
            if name in ("columns", "inputs", "trunks", "outputs", "players") and isinstance(section, Mapping)
            else ()
        )
        for path, value in ((name, section), *((f"{name}.{part}", inner) for part, inner in parts)):
            if value is not None and not isinstance(value, Mapping):
                raise PlanError(f"{path}: expected settings by name, found {value!r}.")


def is_whole(given: Mapping[str, Any]) -> bool:
    """Whether every part is given with its kind, as in a plan that `lamina plan` wrote: then nothing is chosen."""
    parts = [*(given.get("inputs") or {}).values(), *(given.get("outputs") or {}).values()]
    tagged = all(part and "kind" in part and ("columns" in part or "column" in part) for part in parts)
    has_all = all(given.get(name) for name in ("inputs", "outputs", "hidden", "training"))
    return bool(has_all and tagged and "name" in given["hidden"])


def lay_over(values: dict[str, Any], given: Mapping[str, Any], path: str = "") -> None:
    """Change the chosen values to those given; another part starts from its own defaults."""
    for name, value in given.items():
        here = f"{path}{name}"
        if path == "" and name == "predict":
            continue
        if path == "" and name in ("inputs", "outputs") and isinstance(value, Mapping):
            _known_parts(values[name], value, name)
        if isinstance(value, Mapping) and isinstance(values.get(name), dict):
            for tag in ("name", "kind"):
                # A part may be called `kind` or `name` itself: what it is stands in words, not in settings.
                if isinstance(value.get(tag), str) and value[tag] != values[name].get(tag, value[tag]):
                    kept = {"columns", "column", "trunk"}
                    values[name] = {key: old for key, old in values[name].items() if key in kept}
            lay_over(values[name], value, f"{here}.")
        else:
            values[name] = copy.deepcopy(value)


def _known_parts(chosen: Mapping[str, Any], given: Mapping[str, Any], where: str) -> None:
    """A new input or output must say its kind; otherwise its name is probably misspelled."""
    for name, value in given.items():
        if name not in chosen and not (isinstance(value, Mapping) and "kind" in value):
            raise PlanError(f"{where}: there is no {name!r}.{nearest(name, chosen)} Known: {listing(chosen)}.")


def is_chosen(values: Mapping[str, Any], path: str, given: Mapping[str, Any]) -> bool:
    """Whether the value at a path is still the chosen one, so that its reason holds."""
    inner: Any = given
    for step in path.split("."):
        if not isinstance(inner, Mapping) or step not in inner:
            return True
        inner = inner[step]
    return isinstance(inner, Mapping) and "name" not in inner and "kind" not in inner

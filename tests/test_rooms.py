"""Imports go one way: from a later room to an earlier one, and never between the three parts of a network."""

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

ORDER = (
    "ground",
    "data",
    "losses",
    "metrics",
    "inputs | hidden | outputs",
    "network",
    "play",
    "objectives",
    "training",
    "run",
    "search",
    "insight",
    "report",
    "export",
    "serve",
    "dashboard",
    "api",
    "cli",
)
"""Earliest first. Rooms on one line do not know each other."""

GROUND_ORDER = ("errors", "config", "device", "seed")
"""Files of `ground`, earliest first; its other files are free."""

RANK = {room: rank for rank, rooms in enumerate(ORDER) for room in rooms.split(" | ")}


def imported_modules(tree: ast.Module, package: str, module: str) -> Iterator[tuple[int, str]]:
    """Line and full name of everything of `package` that a file imports, at its top or inside a function.

    `from lamina import train` counts as an import of `lamina.train`, and `import_module("lamina.api")` as one too.
    """
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                found = [alias.name for alias in names]
            case ast.ImportFrom(module=source, names=names, level=level):
                # A file's first dot is its own package, which for an `__init__.py` is named by `module` itself.
                base = module.split(".")[: -level or None] if level else []
                source = ".".join([*base, *([source] if source else [])])
                found = [f"{source}.{alias.name}" for alias in names]
            case ast.Call(
                func=ast.Name(id=name) | ast.Attribute(attr=name), args=[ast.Constant(value=str(target)), *_]
            ):
                found = [target] if name in {"import_module", "__import__"} else []
            case _:
                continue
        yield from ((node.lineno, name) for name in found if name.split(".")[0] == package)


def breaches(source: Path, package: str = "lamina") -> list[str]:
    """Every import under `source` that goes the wrong way, as `file:line: why`; an unknown room is one, too."""
    found = []
    for path in sorted(source.rglob("*.py")):
        parts = path.relative_to(source).with_suffix("").parts
        if len(parts) == 1:  # `lamina/__init__.py` and `__main__.py` are the door, and may open on any room
            if parts[0] not in {"__init__", "__main__"}:
                found.append(f"{path.relative_to(source)}: stands in no room")
            continue
        if parts[0] not in RANK:
            found.append(f"{path.relative_to(source)}: the room {parts[0]!r} is not in the order")
            continue
        module = ".".join([package, *parts])
        for line, name in imported_modules(ast.parse(path.read_text()), package, module):
            if why := _wrong_way(parts, name.split(".")[1:]):
                found.append(f"{path.relative_to(source)}:{line}: {why}")
    return found


def _wrong_way(user: tuple[str, ...], used: list[str]) -> str | None:
    """Why a file of `user` may not import `used` (path inside the package), None when it may."""
    if used and used[0].startswith("__"):  # `from lamina import __version__`
        return None
    room, target = user[0], used[0] if used else "lamina"
    if room == target:
        if room == "ground" and len(used) > 1 and {user[1], used[1]} <= set(GROUND_ORDER):
            backwards = GROUND_ORDER.index(used[1]) > GROUND_ORDER.index(user[1])
            return f"{user[1]} imports from {used[1]}, a later file of ground" if backwards else None
        return None
    if target not in RANK:
        return f"{room} imports {target}, which is no room: the public face is later than every room"
    if RANK[target] == RANK[room]:
        return f"{room} imports from {target}, and the two do not know each other"
    return f"{room} imports from {target}, a later room" if RANK[target] > RANK[room] else None


def test_imports_go_one_way(repository: Path) -> None:
    found = breaches(repository / "src" / "lamina")
    assert not found, "\n" + "\n".join(found)


def write(folder: Path, files: Mapping[str, str]) -> Path:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


@pytest.mark.parametrize(
    "files, problem",
    [
        ({"training/loop.py": "from lamina.data import Table"}, None),
        ({"metrics/classes.py": "from lamina.losses import Loss"}, None),
        ({"__init__.py": "from lamina.api import train"}, None),
        ({"run/folder.py": "from lamina import __version__"}, None),
        ({"data/read.py": "import numpy, torch.nn"}, None),
        ({"inputs/text.py": "from lamina.inputs.contract import InputPlan"}, None),
        ({"inputs/text.py": "from . import contract"}, None),
        ({"ground/seed.py": "from lamina.ground.errors import LaminaError"}, None),
        ({"ground/errors.py": "from lamina.ground.shapes import Shape"}, None),
        ({"data/read.py": "from lamina.training import loop"}, "data/read.py:1: data imports from training, a later"),
        ({"data/read.py": "import lamina.run.folder as f"}, "a later room"),
        ({"data/read.py": "def f():\n    from lamina.api import train"}, "data/read.py:2: data imports from api"),
        ({"data/read.py": "from importlib import import_module\nimport_module('lamina.cli')"}, "imports from cli"),
        ({"data/read.py": "from ..network import build"}, "data imports from network, a later room"),
        ({"data/__init__.py": "from ..network import build"}, "data imports from network, a later room"),
        ({"data/deep/er.py": "from ...network import build"}, "data imports from network, a later room"),
        ({"data/read.py": "from lamina import network"}, "data imports from network, a later room"),
        ({"data/read.py": "from lamina import train"}, "data imports train, which is no room"),
        ({"data/read.py": "import lamina"}, "which is no room"),
        ({"losses/loss.py": "from lamina.metrics import Metric"}, "losses imports from metrics, a later room"),
        ({"inputs/text.py": "from lamina.hidden import MLPPlan"}, "do not know each other"),
        ({"outputs/text.py": "from lamina.inputs import TextPlan"}, "do not know each other"),
        (
            {"ground/config.py": "from lamina.ground.seed import key"},
            "config imports from seed, a later file of ground",
        ),
        ({"ground/errors.py": "from lamina.ground import config"}, "errors imports from config, a later file"),
        ({"helpers/text.py": ""}, "the room 'helpers' is not in the order"),
        ({"helpers.py": ""}, "helpers.py: stands in no room"),
    ],
)
def test_the_reader_of_imports_tells_right_from_wrong(files: dict[str, str], problem: str | None, tmp_path: Path):
    found = breaches(write(tmp_path, files))
    if problem is None:
        assert found == []
    else:
        assert len(found) == 1
        assert problem in found[0]

"""Each room says what it is for and what it offers, and `import lamina` costs next to nothing."""

import ast
import importlib
import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

SOURCE = Path(__file__).parent.parent / "src" / "lamina"
ROOMS = sorted(path.parent.name for path in SOURCE.glob("*/__init__.py"))


def parse(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def offered(room: Path) -> list[str] | None:
    """The `__all__` that a room's `__init__.py` writes down, None without one."""
    for node in parse(room / "__init__.py").body:
        match node:
            case ast.Assign(targets=[ast.Name(id="__all__")], value=value):
                return list(ast.literal_eval(value))
            case ast.AnnAssign(target=ast.Name(id="__all__"), value=ast.expr() as value):
                return list(ast.literal_eval(value))
    return None


def used_elsewhere(source: Path, room: str, package: str = "lamina") -> set[tuple[str, str, str]]:
    """(file, module, name) for everything that files outside a room import from one of its modules."""
    found = set()
    for path in source.rglob("*.py"):
        if path.relative_to(source).parts[0] == room:
            continue
        for node in ast.walk(parse(path)):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(f"{package}.{room}."):
                module = str(node.module).split(".")[2]
                found |= {(str(path.relative_to(source)), module, alias.name) for alias in node.names}
    return found


def missing(source: Path, room: str) -> list[str]:
    """Names that other rooms take from a room's modules although it does not offer them.

    A room may offer a whole module instead of its names: `ground` does, so that its errors come without torch.
    """
    public = set(offered(source / room) or ())
    return [
        f"{user}: {room}.{module}.{name}"
        for user, module, name in sorted(used_elsewhere(source, room))
        if module.startswith("_") or (name not in public and module not in public)
    ]


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_says_what_it_is_for(room: str) -> None:
    assert ast.get_docstring(parse(SOURCE / room / "__init__.py")), f"{room}/__init__.py has no docstring"


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_lists_what_it_offers(room: str) -> None:
    names = offered(SOURCE / room)
    assert names is not None, f"{room}/__init__.py has no __all__"
    assert len(names) == len(set(names)), "a name stands twice"  # their order is ruff's to check (RUF022)


@pytest.mark.parametrize("room", ROOMS)
def test_what_a_room_offers_exists(room: str) -> None:
    module = importlib.import_module(f"lamina.{room}")
    for name in offered(SOURCE / room) or ():
        whole = importlib.util.find_spec(f"lamina.{room}.{name}")  # a module that the room offers whole
        assert hasattr(module, name) or whole, f"lamina.{room} offers {name}, which is not there"


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_offers_what_others_use(room: str) -> None:
    found = missing(SOURCE, room)
    assert not found, "\n" + "\n".join(found)


def test_the_public_face_is_complete() -> None:
    lamina = importlib.import_module("lamina")
    assert lamina.__doc__
    assert not [name for name in lamina.__all__ if not hasattr(lamina, name)]


def test_the_checker_finds_a_name_that_is_not_offered(tmp_path: Path) -> None:
    for room in ("data", "run"):
        (tmp_path / room).mkdir()
    (tmp_path / "data" / "__init__.py").write_text('"""Data."""\n\n__all__ = ["Table", "csv"]\n')
    (tmp_path / "run" / "__init__.py").write_text("")
    (tmp_path / "run" / "folder.py").write_text(
        "from lamina.data.table import Table, Origin\n"
        "from lamina.data.csv import read\n"
        "from lamina.data._lines import Table\n"
    )
    assert offered(tmp_path / "run") is None
    assert missing(tmp_path, "data") == ["run/folder.py: data._lines.Table", "run/folder.py: data.table.Origin"]


@pytest.mark.parametrize("statement", ["import lamina", "import lamina.cli", "import lamina.ground"])
def test_importing_stays_light(statement: str) -> None:
    heavy = {"torch", "polars", "sklearn", "pandas", "altair"}
    code = f"import sys; {statement}; print(*sorted({heavy!r} & set(sys.modules)))"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.split() == []


@pytest.mark.parametrize(
    "given, spins", [({}, "10000"), ({"GOMP_SPINCOUNT": "7"}, "7"), ({"OMP_WAIT_POLICY": "active"}, "None")]
)
def test_threads_wait_as_they_are_told_to(given: dict[str, str], spins: str) -> None:
    kept = {name: value for name, value in os.environ.items() if name not in ("GOMP_SPINCOUNT", "OMP_WAIT_POLICY")}
    code = "import lamina, os; print(os.environ.get('GOMP_SPINCOUNT'))"
    said = subprocess.run([sys.executable, "-c", code], env=kept | given, capture_output=True, text=True, check=True)
    assert said.stdout.strip() == spins

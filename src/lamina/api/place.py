"""Where a run lies, and whether what lies there belongs to the request."""

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

from lamina.api.choice import choose, look
from lamina.api.lines import result_lines
from lamina.api.request import Request
from lamina.api.run import Run
from lamina.data import changes
from lamina.ground import RunError
from lamina.report import Teller
from lamina.run import RunFolder

_NAMED = 8
"""Changes of the data that a refusal lists."""


def place(sources: Sequence[object], out: str | Path | None, fresh: bool, request: Request) -> Path:
    """The folder of the run: a free one when fresh, otherwise the one that this data and name belong to.

    Raises:
        RunError: if the folder holds something that is not a run.
    """
    path = Path(out) if out is not None else Path("runs") / _run_name(request)
    if path.exists() and not path.is_dir():
        raise RunError(f"{path} is a file, and a run is a folder. Choose another place with --out.")
    if fresh and path.exists() and any(path.iterdir()):
        number = 2
        while (numbered := path.with_name(f"{path.name}-{number}")).exists():
            number += 1
        return numbered
    if RunFolder(path).is_run and "own_module" in RunFolder(path).state():
        raise RunError(f"{path} holds a module that lamina.fit trained. Choose another place with --out.")
    if path.exists() and any(path.iterdir()) and not RunFolder(path).is_run:
        held = sorted(each.name for each in path.iterdir())[:3]
        if held != ["lock"]:
            raise RunError(
                f"{path} holds something that is not a run ({', '.join(held)}). Choose another place with --out."
            )
    return path


def _run_name(request: Request) -> str:
    """`houses` for houses.csv.gz, `digits` for pictures/digits/."""
    name = Path(request.data[0]).name if not request.data[0].startswith("<") else "data"
    for _ in range(3):
        stem, dot, suffix = name.rpartition(".")
        name = stem if dot and stem and 1 <= len(suffix) <= 7 else name
    return name or "data"


def shown(folder: RunFolder, sources: Sequence[object], tests: Sequence[object], request: Request,
          teller: Teller) -> Run:  # fmt: skip
    """A finished run, shown again; nothing changes.

    Raises:
        RunError: if it came from another request.
    """
    run = Run(folder.path)
    same_request(folder, sources, tests, request)
    folder.verify()
    shutil.rmtree(folder / "checkpoint", ignore_errors=True)  # left when the command was killed in its last moment
    teller.say("finished", f"{folder.path} was trained before; nothing was changed. --fresh trains anew.")
    for label, text in result_lines(run.evaluation, folder.plan(), folder.path):
        teller.say(label, text)
    return run


def same_request(folder: RunFolder, sources: Sequence[object], tests: Sequence[object], request: Request) -> None:
    """Make sure that what lies in a folder came from this request.

    Raises:
        RunError: if it came from another; what differs is named.
        DataError, PlanError: if the request holds a slip of its own.
    """
    differences = request.differences(folder.state().get("request") or {})
    if differences:
        choose(look(sources, tests, request), request)  # a misspelled column or key is no other request: say so
        raise RunError(
            f"{folder.path} belongs to another request: {'; '.join(differences)}. "
            "Give --fresh to train into a new folder, or --out to choose one."
        )


def refuse_data(folder: RunFolder, held: Mapping[str, Any]) -> NoReturn:
    """Refuse to go on with other data than a run was begun with.

    Args:
        folder: the run.
        held: the `contents` of the data as it is now.

    Raises:
        RunError: what differs is named.
    """
    said = changes(held, folder.read("data.json")["held"])
    more = f"; and {len(said) - _NAMED} changes more" if len(said) > _NAMED else ""
    raise RunError(
        f"The data is not what {folder.path} was begun with: {'; '.join(said[:_NAMED])}{more}. "
        "Bring it back, or train anew with --fresh."
    )

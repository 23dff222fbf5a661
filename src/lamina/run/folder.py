"""The run folder: what is in it, how it is written, and how it is checked before anything in it is believed."""

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file

from lamina.data import Column, Facts
from lamina.ground import (
    RunError,
    clear_debris,
    from_plain,
    load_tensors,
    sha256,
    system_errors,
    whole_file,
    write_json,
)
from lamina.hidden import HiddenLayer, HiddenPlan
from lamina.network import Ensemble, Network, Plan, build_network, plan_from_plain, read_yaml
from lamina.run.golden import check_golden
from lamina.run.parts import load_facts, save_facts
from lamina.run.trained import Trained
from lamina.training import has_checkpoint

try:
    import fcntl
except ImportError:  # Windows has no advisory locks of this kind
    fcntl = None  # type: ignore[assignment]

_NOT_LISTED = {"MANIFEST.json", "lock"}
"""The manifest itself, and the file that holds the lock."""
_READ = {"plan.yaml", "data.json", "state.json", "network.safetensors", "history.jsonl", "evaluation.json",
         "golden.json"}  # fmt: skip
"""Files that loading and reporting look for by name: none of them is read unless the manifest lists it."""
_READ_FOLDERS = ("parts", "eye")
"""Folders of which the same holds for every file."""


class RunFolder:
    """Where everything of one training lies."""

    def __init__(self, path: Path):
        """A folder that may not exist yet."""
        self.path = path

    def __truediv__(self, name: str) -> Path:
        return self.path / name

    @property
    def is_run(self) -> bool:
        """Whether a training was begun here."""
        return (self / "state.json").exists()

    @property
    def has_learned(self) -> bool:
        """Whether steps were taken here that going on would keep."""
        return self.is_run and (has_checkpoint(self / "checkpoint") or self.finished)

    @property
    def finished(self) -> bool:
        """Whether the training here came to its end; the manifest is written last."""
        return self.is_run and (self / "MANIFEST.json").exists() and bool(self.state().get("finished"))

    def state(self) -> dict[str, Any]:
        """What was asked for and decided so far: request, decisions, whether it is finished."""
        return self.read("state.json")

    def update_state(self, **values: object) -> None:
        """Change some values of the state."""
        write_json(self / "state.json", (self.state() if self.is_run else {}) | values)

    def start(self, **values: object) -> None:
        """The state of a new training, in place of whatever stood there."""
        write_json(self / "state.json", values)

    def read(self, name: str) -> dict[str, Any]:
        """A JSON file of the run.

        Raises:
            RunError: if it is missing or damaged.
        """
        try:
            values = json.loads(self.text(name))
        except (ValueError, RecursionError) as error:
            raise self._damaged(name, error) from error
        if not isinstance(values, dict):
            raise RunError(f"{self / name} holds no names and values: the run is damaged. Train it again with --fresh.")
        return values

    def text(self, name: str) -> str:
        """A text file of the run.

        Raises:
            RunError: if it is missing or no text.
        """
        try:
            return (self / name).read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise self._damaged(name, error) from error

    def _damaged(self, name: str, error: Exception) -> RunError:
        return RunError(
            f"{self / name} cannot be read ({error}): the run is damaged. Copy it anew, or train it again with --fresh."
        )

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep a second training out while this one goes on.

        Raises:
            RunError: if another process trains here.
        """
        self.path.mkdir(parents=True, exist_ok=True)
        with (self / "lock").open("w") as file:
            if fcntl is not None:
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError as error:
                    raise RunError(
                        f"Another training is at work in {self.path}. Wait for it, or choose another folder: --out RUN."
                    ) from error
            file.write(str(os.getpid()))
            file.flush()
            clear_debris(self.path, settled_seconds=0)
            try:
                yield
            finally:
                self._leave()

    def _leave(self) -> None:
        """Take the folder away again when nothing was written into it but the lock."""
        if [path.name for path in self.path.iterdir()] == ["lock"]:
            (self / "lock").unlink()
            self.path.rmdir()

    def plan(self) -> Plan:
        """The plan that lies there."""
        return plan_from_plain(read_yaml(self.text("plan.yaml"), str(self / "plan.yaml")))

    def write_plan(self, plan: Plan) -> None:
        """The plan with its reasons."""
        with whole_file(self / "plan.yaml") as part:
            part.write_text(plan.to_yaml(), "utf-8")

    def film(self) -> dict[int, bytes]:
        """What was made at each judgement, as PNG by step."""
        return {int(path.stem): path.read_bytes() for path in sorted((self / "film").glob("*.png"))}

    def write_network(self, trained: Trained) -> None:
        """The weights and what parts learned."""
        save_facts(self / "parts", trained.facts)
        with whole_file(self / "network.safetensors") as part, system_errors(self.path):
            save_file({name: value.contiguous().cpu() for name, value in trained.network.state_dict().items()}, part)

    def write_manifest(self) -> None:
        """Size and sha256 of every file, for loading to check."""
        files = {}
        for path in sorted(self.path.rglob("*")):
            name = path.relative_to(self.path).as_posix()
            if path.is_file() and name not in _NOT_LISTED and not name.startswith("checkpoint/"):
                files[name] = {"size": path.stat().st_size, "sha256": sha256(path)}
        write_json(self / "MANIFEST.json", files)

    def verify(self) -> None:
        """Compare every file with the manifest.

        Raises:
            RunError: if this is no run, or a file is missing, changed or damaged.
        """
        if not self.path.is_dir():
            seen = "is a file" if self.path.exists() else "is not there"
            raise RunError(f"{self.path} {seen}. A run is the folder that `lamina train` names at its end.")
        if not (self / "MANIFEST.json").exists():
            hint = "Run the same `lamina train` again to finish it." if self.is_run else "It is not a run of Lamina."
            raise RunError(f"{self.path} has no MANIFEST.json. {hint}")
        listed = self.read("MANIFEST.json")
        if not (self / "MANIFEST.json").read_bytes().endswith(b"}\n"):
            raise RunError(f"{self / 'MANIFEST.json'} is cut short: the run is damaged. Copy it anew.")
        for name in sorted(self._read_names() - listed.keys()):
            raise RunError(
                f"{self / name} does not stand in MANIFEST.json: it came later, or the run is damaged. "
                "Take the file away, or copy the run anew."
            )
        for name, known in listed.items():
            path = self.path / name
            if not path.is_file():
                raise RunError(f"{path} is missing: the run is damaged. Copy it anew, or train it again with --fresh.")
            if known != {"size": path.stat().st_size, "sha256": sha256(path)}:
                raise RunError(f"{path} is not the file that was written: it changed or was damaged. "
                               "Copy the run anew, or train it again with --fresh.")  # fmt: skip

    def _read_names(self) -> set[str]:
        """Files that are there and that loading would read, by their names."""
        parts = {path.relative_to(self.path).as_posix() for place in _READ_FOLDERS for path in (self / place).rglob("*")
                 if path.is_file()}  # fmt: skip
        return parts | {name for name in _READ if (self / name).exists()}


def columns_to_plain(columns: Mapping[str, Column]) -> list[dict[str, Any]]:
    """Columns as JSON values."""
    return [asdict(column) for column in columns.values()]


def columns_from_plain(values: list[dict[str, Any]]) -> dict[str, Column]:
    """The opposite of `columns_to_plain`."""
    return {value["name"]: from_plain(Column, value, f"column {value['name']}") for value in values}


def load_trained(folder: RunFolder, hidden: HiddenLayer | None = None) -> Trained:
    """The network of a finished run, verified by its manifest and by its golden answers.

    Args:
        folder: the run.
        hidden: the hidden layers, for a run that was trained with a module of one's own.

    Raises:
        RunError: if anything is missing, changed, or answers otherwise than it did.
    """
    folder.verify()
    data = folder.read("data.json")
    own = folder.state().get("own_hidden")
    if own and hidden is None:
        raise RunError(
            f"{folder.path} was trained with hidden layers of one's own ({own}). "
            "Load it from Python: lamina.load(path, hidden=module)."
        )
    trained = load_network(folder, columns_from_plain(data["columns"]), hidden)
    check_golden(folder / "golden.json", trained)
    return trained


def load_network(folder: RunFolder, columns: dict[str, Column], hidden: HiddenLayer | None = None) -> Trained:
    """A network from its plan, what its parts learned, and its weights; files are verified already.

    Raises:
        RunError: if one of them is damaged, or was written by a version of Lamina whose parts knew other things.
    """
    plan = folder.plan()
    facts = load_facts(folder / "parts", plan)
    try:
        network = _built(plan, facts, hidden)
    except (KeyError, TypeError) as error:  # the files are as they were written, so it is not they that are wrong
        raise RunError(
            f"{folder.path} was made by another version of Lamina, whose parts learned other things ({error!r}). "
            "Train it again with --fresh, or load it with the version that made it."
        ) from error
    _load_weights(network, folder / "network.safetensors")
    return Trained(plan, columns, facts, network.eval())


def _built(plan: Plan, facts: Mapping[str, Facts], hidden: HiddenLayer | None) -> Network | Ensemble:
    """The plan's network or networks, with random weights."""
    networks = [build_network(_without_files(plan), facts, hidden).network for _ in range(plan.training.ensemble)]
    for network in networks:
        network.looks_twice = True
    return networks[0] if len(networks) == 1 else Ensemble(networks)


def _without_files(plan: Plan) -> Plan:
    """The plan without the files of published weights that training began with: the run holds what became of them."""

    def without(part: HiddenPlan) -> HiddenPlan:
        return replace(part, weights=None) if getattr(part, "weights", None) else part  # type: ignore[call-arg]

    trunks = {name: without(part) for name, part in plan.trunks.items()}
    return replace(plan, hidden=without(plan.hidden), trunks=trunks)


def _load_weights(network: Network | Ensemble, path: Path) -> None:
    try:
        network.load_state_dict(load_tensors(path))
    except RuntimeError as error:
        raise RunError(f"{path} does not hold the weights of the run's plan: {error}") from error
    for parameter in network.parameters():
        if not torch.isfinite(parameter).all():
            raise RunError(f"{path} holds weights that are not numbers: the run is damaged.")

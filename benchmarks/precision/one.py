"""One training that computes in one way, in a process of its own.

`python -m benchmarks.precision.one ROW WAY SEED DATA FOLDER` leaves what Lamina says of the test rows in FOLDER.
"""

import json
import sys
import time
from dataclasses import replace
from pathlib import Path

import torch
from torch import nn

from benchmarks.precision.rows import ROWS, WAYS, Compared
from benchmarks.quality.one import run_lamina
from lamina.training import Way
from lamina.training import precision as probe


def main(name: str, way: str, seed: int, data: Path, folder: Path) -> None:
    """Train, judge on the test rows, write both down; the file means done."""
    row = ROWS[name]
    folder.mkdir(parents=True, exist_ok=True)
    only(WAYS[way])
    said = trained(row, seed, data, folder)
    (folder / "said.json").write_text(json.dumps(said, indent=1))


def only(way: Way) -> None:
    """Let every training of this process compute in this way: nothing is left to try but threads."""

    def ways(network: nn.Module, device: torch.device, precision: str) -> list[Way]:
        return [way]

    probe.possible_ways = ways


def trained(row: Compared, seed: int, data: Path, folder: Path) -> dict[str, object]:
    """Seconds, the way that was taken, the steps made and the figure on the test rows."""
    asked = replace(row.row, settings={**row.row.settings, **row.settings})
    train, test = row.row.load(data / row.row.place, folder, seed)
    start = time.perf_counter()
    _, said = run_lamina(asked, train, test, seed, folder / "run", row.time)
    state = json.loads((folder / "run" / "state.json").read_text())
    decisions = state["decisions"].get("plain", {}) | state["decisions"]  # of the plainer of two plans, where it stays
    decided = {name: decisions[name] for name in ("precision", "layout", "filters", "threads")}
    evaluation = said["evaluation"]
    figures = [found[row.row.metric] for found in evaluation["metrics"].values() if row.row.metric in found]  # type: ignore[index]
    return {"seconds": round(time.perf_counter() - start, 1), "decided": decided, "steps": state["steps"],
            "ended": state["ended"], "figure": figures[0]}  # fmt: skip


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), Path(sys.argv[4]), Path(sys.argv[5]))

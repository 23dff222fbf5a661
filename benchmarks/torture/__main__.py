"""Runs the rows of the torture and writes docs/reliability.md. See `scripts/torture --help`."""

import argparse
import hashlib
import json
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.torture import flips, hostile, kills

ROOT = Path(__file__).resolve().parents[2]
RESULTS = Path(__file__).parent / "results"

ROWS: dict[str, tuple[Callable[[int, int], dict[str, object]], int, int, str]] = {
    "kills": (kills.run, 200, 10, "trainings killed three times each and resumed: weights identical by hash"),
    "flips": (flips.run, 1000, 250, "bits flipped and files cut off: none loads silently"),
    "hostile": (hostile.run, 100, 100, "files made to harm: refused, nothing run, under 512 MiB and 5 s"),
}
"""Row -> what does it, how many in all, how many in one piece, and what it shows."""


def code_hash() -> str:
    """12 hexadecimal digits that change with any source file of Lamina or of the torture."""
    digest = hashlib.sha256()
    for path in sorted([*(ROOT / "src").rglob("*.py"), *Path(__file__).parent.rglob("*.py")]):
        digest.update(path.relative_to(ROOT).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()[:12]


def run_row(name: str, folder: Path, count: int | None) -> None:
    """The pieces of a row that are not done yet; each piece has a seed of its own, its number."""
    work, all_of_it, piece, _ = ROWS[name]
    wanted = all_of_it if count is None else min(count, all_of_it)
    for number in range(-(-wanted // piece)):
        path = folder / f"{name}-{number}.json"
        size = min(piece, wanted - number * piece)
        if path.exists() and json.loads(path.read_text())["count"] >= size:
            continue
        begun = time.monotonic()
        found = {"count": size, "seed": number, **work(size, number), "seconds": round(time.monotonic() - begun, 1)}
        folder.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(found, indent=1) + "\n")
        print(name, json.dumps(found), flush=True)


def table(folder: Path) -> str:
    """docs/reliability.md, from the pieces that are done."""
    lines = [
        "# Reliability, measured", "",
        f"Written by `scripts/torture` for the code {folder.name}. A piece that failed names its seed.", "",
        "| row | what it shows | done | of | passed | failed pieces |", "|---|---|---|---|---|---|",
    ]  # fmt: skip
    for name, (_, all_of_it, _, shows) in ROWS.items():
        done = [json.loads(path.read_text()) for path in sorted(folder.glob(f"{name}-*.json"))]
        failed = ", ".join(f"seed {each['seed']}" for each in done if not each["passed"])
        passed = sum(each["passed"] for each in done)
        count = sum(each["count"] for each in done)
        lines.append(f"| {name} | {shows} | {count:,} | {all_of_it:,} | {passed} of {len(done)} pieces | {failed} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """The rows that were asked for, then the table."""
    parser = argparse.ArgumentParser(prog="scripts/torture")
    parser.add_argument("rows", nargs="*", choices=[*ROWS, []], help="rows to run; all when none is named")
    parser.add_argument("--count", type=int, help="how many of each row, fewer than all for a short look")
    asked = parser.parse_args()
    folder = RESULTS / code_hash()
    for name in asked.rows or ROWS:
        run_row(name, folder, asked.count)
    if asked.count is None:
        (ROOT / "docs" / "reliability.md").write_text(table(folder))
    print(table(folder))


if __name__ == "__main__":
    main()

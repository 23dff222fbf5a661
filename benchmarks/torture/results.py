"""What was found, a file a piece."""

import json
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"


def read(row: str, number: int) -> dict[str, Any] | None:
    """One piece; None when it was never done."""
    path = RESULTS / row / f"{number:03}.json"
    return json.loads(path.read_text("utf-8")) if path.exists() else None


def read_all(row: str) -> list[dict[str, Any]]:
    """The pieces of a row that were done."""
    return [json.loads(path.read_text("utf-8")) for path in sorted((RESULTS / row).glob("*.json"))]


def write(row: str, number: int, found: dict[str, Any]) -> None:
    """Keep one piece, in the place of an older one."""
    (RESULTS / row).mkdir(parents=True, exist_ok=True)
    (RESULTS / row / f"{number:03}.json").write_text(json.dumps(found, indent=1) + "\n", "utf-8")

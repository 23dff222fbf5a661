"""Results on disk: one small JSON per row, code and data, kept in the repository; scores and runs beside, not kept."""

import json
from pathlib import Path
from typing import Any

from benchmarks.keeping import fingerprint

HERE = Path(__file__).parent
RESULTS = HERE / "results"
WORK = HERE / "work"
LIBRARIES = ("torch", "numpy", "polars", "pillow", "scikit-learn")


def classical_fingerprint() -> str:
    """Of what decides the classical models' scores: they need no second fit when Lamina changes."""
    return fingerprint([HERE / "rows.py", HERE / "classical.py"], HERE)


def kept(name: str, code: str, data: str) -> Path:
    """Where the result of a row under this code and data is kept."""
    return RESULTS / f"{name}-{code}-{data}.json"


def newest(name: str, code: str) -> dict[str, Any] | None:
    """The result of a row under this code, or else the latest one under another; None when there is none."""
    found = [json.loads(path.read_text()) for path in RESULTS.glob(f"{name}-*.json")]
    found = [result for result in found if result["row"] == name]
    return max(found, key=lambda result: (result["code"] == code, result["date"]), default=None)

import json
from pathlib import Path
from typing import Any

from benchmarks.keeping import newest
from benchmarks.making.page import page


def kept(code: str, date: str, value: float) -> dict[str, Any]:
    goals = {
        "recognised": {"value": value, "reached": "at least"},
        "frechet_over_real": {"value": 7.5, "reached": "no"},
    }
    return {"row": "mnist_made", "code": code, "date": date, "goals": goals, "steps": 6000, "seconds": {"total": 1190.2},
            "verdict": "They look real.", "machine": {"cores": 2}}  # fmt: skip


def test_the_page_shows_the_result_of_the_present_code_else_the_latest(tmp_path: Path) -> None:
    for number, one in enumerate([kept("new", "2026-01-01", 0.97), kept("old", "2026-02-01", 0.5)]):
        (tmp_path / f"{number}.json").write_text(json.dumps(one))
    text = page(newest(tmp_path, "new"), "new")
    assert (
        "| mnist_made | recognised as what was asked for, % | **97.0** | 95.0 | 99.0 | at least | 6,000 | 1190 s |"
        in text
    )
    assert "times that of real ones | **7.50** |" in text and "- mnist_made: They look real." in text
    assert "| super_resolution_x3 | PSNR, dB | not measured yet | 33.10 | 33.50 |" in text
    later = page(newest(tmp_path, "newer"), "newer")
    assert "mnist_made (older code)" in later and "**50.0**" in later

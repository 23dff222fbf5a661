"""Results on disk: one JSON per workload, code and data, kept in the repository; measurements beside, not kept."""

import json
import statistics
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.keeping import REPOSITORY, fingerprint, source_files
from benchmarks.speed.contenders import CONTENDERS
from benchmarks.speed.workloads import WORKLOADS, Workload

HERE = Path(__file__).parent
RESULTS = HERE / "results"
WORK = HERE / "work"
LIBRARIES = ("torch", "numpy", "polars")


def present_code() -> str:
    """Of what decides a measurement apart from the data: Lamina, the networks, the scripts, the versions."""
    own = [
        HERE / name
        for name in (
            "workloads.py",
            "networks.py",
            "keras_networks.py",
            "text_networks.py",
            "keras_text_networks.py",
            "data.py",
            "measure.py",
        )
    ]
    own += [*(HERE / "peers").glob("*.py"), *(HERE / "requirements").glob("*.txt")]
    return fingerprint([*own, *source_files()], REPOSITORY)


def kept(name: str, code: str, data: str) -> Path:
    """Where the result of a workload under this code and data is kept."""
    return RESULTS / f"{name}-{code}-{data}.json"


def newest(name: str, code: str) -> dict[str, Any] | None:
    """The result of a workload under this code, or else the latest under another; None when there is none."""
    found = [json.loads(path.read_text()) for path in RESULTS.glob(f"{name}-*.json")]
    found = [result for result in found if result["workload"] == name]
    return max(found, key=lambda result: (result["code"] == code, result["date"]), default=None)


def summarise(workload: Workload, measured: Mapping[str, list[dict[str, Any]]]) -> dict[str, Any]:
    """Median, spread, ratio and agreement of every contender.

    Args:
        workload: what was measured.
        measured: by contender, one result of `measure` for each repeat.

    Returns:
        `contenders`: by name. `ratio` says how many times as fast as it Lamina is: above 1 Lamina is faster.
    """
    found: dict[str, dict[str, Any]] = {}
    for name, repeats in measured.items():
        values = [one["value"] for one in repeats]
        found[name] = {
            "median": statistics.median(values), "low": min(values), "high": max(values), "values": values,
            "versions": repeats[0].get("versions", {}),
        }  # fmt: skip
        for what in ("first_seconds", "first_rate", "row_ms", "loss", "accuracy", "peak_mib"):
            if what in repeats[0]:
                found[name][what] = statistics.median(one[what] for one in repeats)
        if "shares" in repeats[0]:
            found[name]["shares"] = repeats[0]["shares"]  # counted, not timed
    for one in found.values():
        if "lamina" in found:
            ratio = found["lamina"]["median"] / one["median"]
            one["ratio"] = ratio if workload.larger_is_better else 1 / ratio
        if workload.agree and "by_hand" in found:
            one["agrees"] = abs(one["accuracy"] - found["by_hand"]["accuracy"]) <= workload.agree
    return {"contenders": found, "unit": workload.unit}


def fastest_untuned(result: Mapping[str, Any]) -> str | None:
    """The fastest of those that people use instead, among those that learn the same; None when there is none."""
    rivals = {
        name: one for name, one in result["contenders"].items()
        if name != "lamina" and not CONTENDERS[name].tuned and one.get("agrees", True)
    }  # fmt: skip
    sign = 1 if WORKLOADS[result["workload"]].larger_is_better else -1
    return max(rivals, key=lambda name: sign * rivals[name]["median"], default=None)

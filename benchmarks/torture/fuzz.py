"""Fuzzing: every reader is given bytes that are bent towards code it has not yet run (atheris, over libFuzzer).

One reader is one row, `fuzz-<reader>`; what is counted is seconds. A finding is an exception that is no LaminaError,
an abort, more than 512 MiB beside what the process holds, or more than 5 seconds of processor time for one input. The
bytes that show it are kept beside the results and printed.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.torture.fuzz_child import MOST_MIB
from benchmarks.torture.readers import READERS
from lamina.ground import write_json

MOST_SECONDS = 5.0
"""Of processor time for one input, when it is given again."""
FINDINGS = Path(__file__).parent / "results" / "findings"
_LONGEST = 16_384
"""Bytes of the longest input."""
_CHILD = "benchmarks.torture.fuzz_child"


def run(reader: str, count: int, seed: int) -> dict[str, object]:
    """`count` seconds of one reader; it begins anew after an input that turned out harmless when it was replayed."""
    findings, inputs, edges, spent = list[str](), 0, 0, 0.0
    with tempfile.TemporaryDirectory() as place:
        corpus, shown = Path(place) / "corpus", Path(place) / "shown"
        shown.mkdir()
        corpus.mkdir()
        for number, content in enumerate(READERS[reader].seeds()):
            (corpus / f"{number}").write_bytes(content)
        while not findings and (left := round(count - spent)) > 0:
            begun = time.monotonic()
            told = _fuzz(reader, [f"-max_total_time={left}", f"-seed={seed + 1}", f"-artifact_prefix={shown}/", corpus])
            spent += time.monotonic() - begun
            inputs += _last(r"number_of_executed_units: (\d+)", told) or _last(r"#(\d+)\s", told)
            edges = max(edges, _last(r"cov: (\d+)", told))
            for path in sorted(shown.iterdir()):
                if problem := replayed(reader, path):
                    findings.append(_kept(reader, path, problem, told))
                path.unlink()
            if not inputs:
                raise RuntimeError(f"{reader} was not fuzzed:\n{told[-2000:]}")
    return {"tried": inputs, "survived": inputs - len(findings), "edges": edges, "findings": findings}


def _fuzz(reader: str, options: list[object]) -> str:
    command = [sys.executable, "-m", _CHILD, reader, f"-max_len={_LONGEST}", "-timeout=20",
               "-print_final_stats=1", *map(str, options)]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False,
                          env=os.environ | {"OMP_NUM_THREADS": "1"})  # fmt: skip
    return done.stdout + done.stderr


def replayed(reader: str, path: Path) -> str | None:
    """What an input does in a process of its own, if it is more than refused: machines may be slow, inputs must not."""
    command = [sys.executable, "-m", _CHILD, reader, "--replay", str(path)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False, timeout=600)
    except subprocess.TimeoutExpired:
        return "it did not end within ten minutes"
    if done.returncode:
        return done.stderr.strip().rpartition("\n")[2][:300] or f"ended with {done.returncode}"
    used = json.loads(done.stdout.splitlines()[-1])
    if used["seconds"] > MOST_SECONDS:
        return f"{used['seconds']:.1f} s of processor time"
    return f"{used['mib']:.0f} MiB" if used["mib"] > MOST_MIB else None


def _kept(reader: str, path: Path, problem: str, told: str) -> str:
    """Keep the bytes that show a finding, and print how to see it again."""
    FINDINGS.mkdir(parents=True, exist_ok=True)
    place = FINDINGS / f"{reader}-{path.name[-12:]}"
    shutil.copyfile(path, place)
    write_json(place.with_suffix(".json"), {"problem": problem, "told": told[-4000:]})
    print(f"fuzz-{reader}: {problem}; again: python -m {_CHILD} {reader} --replay {place}", flush=True)
    return f"{place.name}: {problem}"


def _last(pattern: str, told: str) -> int:
    found = re.findall(pattern, told)
    return int(found[-1]) if found else 0

"""One training or one fit of the classical models, in a process of its own: so time and memory are its own as well.

`python -m benchmarks.quality.one lamina|classical ROW SEED DATA FOLDER TIME` leaves its scores in FOLDER.
"""

import json
import resource
import sys
import time
from pathlib import Path

import numpy as np

from benchmarks.quality import classical
from benchmarks.quality.rows import ROWS, Half, Row


def main(what: str, name: str, seed: int, data: Path, folder: Path, limit: str) -> None:
    """Train or fit, score the test rows, write both files; the JSON comes last and means done."""
    row = ROWS[name]
    folder.mkdir(parents=True, exist_ok=True)
    train, test = row.load(data / row.place, folder, seed)
    start = time.perf_counter()
    if what == "classical":
        scores = classical.fit_and_score(row, train, test, seed)
        said: dict[str, object] = {"seconds": round(time.perf_counter() - start, 1)}
    else:
        scores, said = run_lamina(row, train, test, seed, folder / "run", limit)
    said |= {"rows": {"train": len(train.rows), "test": len(test.rows)}}
    arrays = {"rows": test.rows, "truth": plain(row, test.truth)}
    arrays |= {model: plain(row, values) for model, values in scores.items()}
    np.savez_compressed(folder / f"{what}.npz", allow_pickle=False, **arrays)
    (folder / f"{what}.json").write_text(json.dumps(said, indent=1))


def plain(row: Row, values: np.ndarray) -> np.ndarray:
    """Values as they are kept: classes as fixed-width text, which needs no pickle, and numbers as float64."""
    if not classical.is_class(row) or (row.positive is not None and values.dtype.kind == "f"):
        return values.astype(np.float64)
    return np.array([classical.class_name(value) for value in values], dtype=str)


def run_lamina(row: Row, train: Half, test: Half, seed: int, out: Path,
               limit: str) -> tuple[dict[str, np.ndarray], dict[str, object]]:  # fmt: skip
    """Train as a person would, then answer the test rows once."""
    import lamina

    start = time.perf_counter()
    run = lamina.train(
        handed(train), predict=row.target, test=handed(test), time=limit, seed=seed, out=out, fresh=True,
        set=dict(row.settings), quiet=True,
    )  # fmt: skip
    said: dict[str, object] = {"seconds": round(time.perf_counter() - start, 1)}
    peak = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    said["peak_mib"] = round(peak / 1024)  # Linux counts in KiB
    said["evaluation"] = run.evaluate(*test.files)
    if not row.answers_in_order:
        return {}, said
    answers = run.predict(*test.files)
    if answers.height != len(test.rows):
        raise SystemExit(f"{row.name}: {answers.height:,} answers for {len(test.rows):,} rows")
    target = row.target or next(name for name in answers.columns if f"{name}_confidence" in answers.columns)
    values = answers[target].to_numpy()
    if row.positive is not None:
        sure = answers[f"{target}_confidence"].to_numpy().astype(np.float64)
        is_positive = np.array([classical.class_name(value) == row.positive for value in values])
        values = np.where(is_positive, sure, 1 - sure)
    return {"lamina": values}, said


def handed(half: Half) -> Path | list[Path]:
    """One file as itself, several as a list."""
    return half.files[0] if len(half.files) == 1 else half.files


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), Path(sys.argv[4]), Path(sys.argv[5]), sys.argv[6])

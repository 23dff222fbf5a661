"""A process that reads Parquet and Arrow files before Lamina does: one that ends it is never read by Lamina itself.

It is run as a file, not as a module: Polars is all that it imports, which is a fifth of what importing Lamina costs.
Each line of its input is a job; it answers each with a line, however the reading went, so that silence means its end.
"""

import contextlib
import io
import json
import sys
from collections.abc import Callable
from pathlib import Path

import polars as pl

Source = Path | io.BytesIO


def parquet_cells(source: Source) -> int:
    """Rows times columns of a Parquet file, as its end claims them."""
    frame = pl.scan_parquet(source)
    cells = frame.select(pl.len().cast(pl.Int64) * len(frame.collect_schema())).collect().item()
    return int(cells)


def read_ipc(source: Source) -> pl.DataFrame:
    """An Arrow (Feather) file, or an Arrow stream."""
    if isinstance(source, io.BytesIO):
        head = source.getvalue()[:6]
    else:
        with source.open("rb") as opened:
            head = opened.read(6)
    return (pl.read_ipc if head == b"ARROW1" else pl.read_ipc_stream)(source)


READERS: dict[str, Callable[[Source], pl.DataFrame]] = {"Parquet": pl.read_parquet, "Arrow": read_ipc}
"""By what messages call the format."""


def _say_done() -> None:
    sys.stdout.write("\n")
    sys.stdout.flush()


def main() -> None:
    """Read what each line of standard input names: a path, or so many bytes behind the line."""
    _say_done()
    for line in sys.stdin.buffer:
        job = json.loads(line)
        source = Path(job["path"]) if job["path"] else io.BytesIO(sys.stdin.buffer.read(job["bytes"]))
        with contextlib.suppress(
            BaseException
        ):  # what can be caught is met again, and told, where it is read in earnest
            if job["kind"] != "Parquet" or parquet_cells(source) <= job["most_cells"]:
                READERS[job["kind"]](source)
        _say_done()


if __name__ == "__main__":
    main()

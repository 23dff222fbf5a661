"""Runs the rows of the torture and writes docs/reliability.md. See `scripts/torture --help`."""

import argparse
import time

from benchmarks.torture import results
from benchmarks.torture.page import PAGE, page
from benchmarks.torture.rows import ROWS


def run_row(name: str, wanted: int) -> None:
    """The pieces of a row that were not done with this code yet; each piece has a seed of its own, its number."""
    row = ROWS[name]
    for number in range(-(-wanted // row.piece)):
        size = min(row.piece, wanted - number * row.piece)
        known = results.read(name, number)
        if known and known["code"] == row.code() and known["asked"] >= size:
            continue
        begun = time.monotonic()
        found = row.work()(size, number)
        seconds = round(time.monotonic() - begun, 1)
        kept = {"code": row.code(), "asked": size, "seed": number, **found, "seconds": seconds}
        results.write(name, number, kept)
        print(name, number, kept, flush=True)


def main() -> None:
    """The rows that were asked for, then the page."""
    parser = argparse.ArgumentParser(prog="scripts/torture")
    parser.add_argument("rows", nargs="*", choices=[*ROWS, []], help="rows to run; all when none is named")
    parser.add_argument("--count", type=int, help="how many of each row, fewer than all for a short look")
    parser.add_argument("--page", action="store_true", help="only write docs/reliability.md from what is there")
    asked = parser.parse_args()
    for name in () if asked.page else asked.rows or ROWS:
        run_row(name, min(asked.count or ROWS[name].tries, ROWS[name].tries))
    if asked.count is None:
        PAGE.write_text(page(), "utf-8")
    print(page())


if __name__ == "__main__":
    main()

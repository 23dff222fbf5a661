"""`lamina train digits/`, killed: pictures that are decoded, stored, mirrored and learned from."""

from pathlib import Path

from benchmarks.torture.commands import kill_commands

EACH = 24
"""Pictures of each class."""


def _thin(data: Path) -> None:
    for group in data.iterdir():
        for more in sorted(group.iterdir())[EACH:]:
            more.unlink()


def run(count: int, seed: int) -> dict[str, object]:
    """See `kill_commands`: a network of ten steps, saving after every step."""
    return kill_commands(count, seed, "digits", _thin, steps=10, ensemble=1, checkpoint_seconds=0)

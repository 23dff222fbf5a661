"""`lamina train iris.csv`, killed: a table small enough to be judged by folds."""

from benchmarks.torture.commands import kill_commands


def run(count: int, seed: int) -> dict[str, object]:
    """See `kill_commands`: two networks of ten steps each, in six trainings, saving after every step."""
    return kill_commands(count, seed, "iris", lambda data: None, steps=10, ensemble=2, checkpoint_seconds=0)

"""One reader in a process of its own: fuzzed until something happens, or given one input again. See `fuzz`."""

import json
import resource
import sys
import time
from pathlib import Path

MOST_MIB = 512
"""Memory that one input may take beside what the process holds already."""
_INSTRUMENTED = ["lamina", "tarfile", "PIL", "ruamel"]
"""What is watched for code that has not yet run; all that is imported before is not."""


def take(reader: str, data: bytes) -> None:
    """Let a reader take bytes; a refusal in words is no finding."""
    from benchmarks.torture.readers import READERS
    from lamina.ground import LaminaError

    try:
        READERS[reader].take(data)
    except LaminaError:
        return


def _begin(reader: str) -> None:
    """Take what it takes gladly: what is imported on the way is no cost of any input."""
    from benchmarks.torture.readers import READERS

    for seed in READERS[reader].seeds():
        take(reader, seed)


def _mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def replay(reader: str, path: Path) -> None:
    """Print what one input costs; what it raises ends the process."""
    _begin(reader)
    mib, seconds = _mib(), time.process_time()
    take(reader, path.read_bytes())
    print(json.dumps({"seconds": time.process_time() - seconds, "mib": _mib() - mib}))


def fuzz(reader: str, options: list[str]) -> None:
    """Bend inputs until time is up or something happens; options are libFuzzer's."""
    import atheris

    with atheris.instrument_imports(include=_INSTRUMENTED):
        _begin(reader)
    limit = round(_mib() + MOST_MIB)
    arguments = [sys.argv[0], f"-rss_limit_mb={limit}", f"-malloc_limit_mb={limit}", *options]
    atheris.Setup(arguments, lambda data: take(reader, data))
    atheris.Fuzz()


if __name__ == "__main__":
    if sys.argv[2] == "--replay":
        replay(sys.argv[1], Path(sys.argv[3]))
    else:
        fuzz(sys.argv[1], sys.argv[2:])

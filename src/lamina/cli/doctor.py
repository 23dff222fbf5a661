"""`lamina doctor`."""

from lamina.cli import _options as options
from lamina.cli._plainly import plainly


def doctor(json: options.Json = False) -> None:
    """Tell what this machine and installation can do: processor, memory, GPU, speed, extras, caches."""
    with plainly():
        from lamina.api import examine

        print(examine(as_json=json))

"""Libraries that take long to import and are not always needed."""

import importlib
from typing import Any


class LazyModule:
    """Stands for a module, `LazyModule("sklearn.metrics")`, and imports it when something of it is first used."""

    def __init__(self, name: str):
        """The full name of the module."""
        self._name = name

    def __getattr__(self, name: str) -> Any:
        return getattr(importlib.import_module(self._name), name)

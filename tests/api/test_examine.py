import json
import sys

import pytest

from lamina import __version__
from lamina.api import examine


def test_the_machine_is_described_for_people_and_for_programs() -> None:
    found = json.loads(examine(as_json=True))
    assert found["lamina"] == __version__
    assert found["cores"] >= 1 and found["float32_gflops"] > 0
    text = examine()
    assert all(name.replace("_", " ") in text for name in found)


def test_a_missing_extra_names_its_command(monkeypatch: pytest.MonkeyPatch) -> None:
    module = sys.modules[examine.__module__]  # the function carries the module's name and hides it
    monkeypatch.setattr(module, "_EXTRAS", {"tables": ("a_module_that_nobody_wrote",)})
    assert json.loads(examine(as_json=True))["extra tables"] == "missing: pip install 'lamina[tables]'"

"""What every test relies on: one thread a worker, a cache of its own, and public data where it is at hand."""

import os
from collections.abc import Iterator
from pathlib import Path

# Read once, when torch loads: several workers with several threads each would only wait for one another.
os.environ["OMP_NUM_THREADS"] = "1"
os.environ["MKL_NUM_THREADS"] = "1"

import pytest


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Stores and probe answers of a test run belong to it: what a person has cached is neither used nor touched."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LAMINA_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="session")
def repository() -> Path:
    """The folder of the checkout."""
    return Path(__file__).parent.parent


@pytest.fixture(scope="session")
def data_folder() -> Path:
    """The folder of public data sets that LAMINA_DATA names."""
    if not os.environ.get("LAMINA_DATA"):
        pytest.skip("needs public data sets: set LAMINA_DATA to their folder")
    folder = Path(os.environ["LAMINA_DATA"]).expanduser()
    if not folder.is_dir():
        pytest.skip(f"needs public data sets, but LAMINA_DATA names no folder: {folder}")
    return folder

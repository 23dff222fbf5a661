"""One small table and one small run of it, which most tests of this room look at."""

from pathlib import Path

import pytest
from small import quick, write_houses

import lamina


@pytest.fixture(scope="session")
def houses(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_houses(tmp_path_factory.mktemp("data") / "houses.csv")


@pytest.fixture(scope="session")
def trained(houses: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a finished run that predicts a number and a class; tests copy it before they change it."""
    folder = tmp_path_factory.mktemp("runs") / "houses"
    lamina.train(houses, predict=["price", "level"], set=quick(), out=folder, quiet=True)
    return folder

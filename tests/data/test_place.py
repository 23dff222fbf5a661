"""Folders are asked for files; what a table names must lie in them."""

import os
from pathlib import Path

import polars as pl
import pytest
from PIL import Image

from lamina.data import decode, read
from lamina.data.place import Folder
from lamina.ground import DataError


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """A folder with a picture and links that lead out of it, beside a picture that is none of its business."""
    (tmp_path / "photos").mkdir()
    (tmp_path / "other").mkdir()
    Image.new("L", (2, 2), 5).save(tmp_path / "photos" / "1.png")
    Image.new("L", (2, 2), 9).save(tmp_path / "other" / "2.png")
    (tmp_path / "photos" / "link.png").symlink_to(tmp_path / "other" / "2.png")
    (tmp_path / "photos" / "near.png").symlink_to(tmp_path / "photos" / "1.png")
    (tmp_path / "photos" / "away").symlink_to(tmp_path / "other")
    return tmp_path / "photos"


@pytest.mark.parametrize(
    "path, member",
    [
        ("1.png", "1.png"),
        ("photos/1.png", "1.png"),
        ("x/../1.png", "1.png"),
        ("near.png", "near.png"),
        ("../other/2.png", None),
        ("link.png", None),
        ("away/2.png", None),
        ("/etc/passwd", None),
        ("..", None),
        ("1.png\0", None),
        ("x" * 5_000, None),
    ],
)
def test_a_path_is_found_only_where_it_does_not_lead_out(photos: Path, path: str, member: str | None) -> None:
    assert Folder(photos, "photos").find(path) == member


def test_an_absolute_path_is_found_in_the_folder_that_it_leads_to(photos: Path) -> None:
    assert Folder(photos, "photos").find(str(photos / "1.png")) == "1.png"


@pytest.mark.parametrize("path", ["../other/2.png", "2.png", "away/2.png"])
def test_a_table_does_not_lead_out_of_its_folder_unless_it_is_allowed(photos: Path, path: str) -> None:
    pl.DataFrame({"f": ["1.png", path], "y": [0, 1]}).write_csv(photos / "t.csv")
    table = read(photos / "t.csv")
    assert table.frame["f"].to_list() == ["photos/1.png", path]
    assert "1 of 2 pictures in 'f' were not found" in " ".join(table.notes)
    assert ("leads out of the folder" in " ".join(table.notes)) == path.startswith("..")
    if path == "../other/2.png":
        table = read([photos / "t.csv", photos.parent / "other"])
        shown = [int(decode(table.open("f", cell), cell).max()) for cell in table.frame["f"]]
        assert shown == [5, 9]


@pytest.mark.parametrize("given", ["folder", "file"])
def test_a_name_that_is_no_text_is_refused_by_its_bytes(tmp_path: Path, given: str) -> None:
    name = b"caf\xe9." + (b"png" if given == "folder" else b"csv")
    path = tmp_path / os.fsdecode(name)
    try:
        path.write_bytes(b"x,y\n1,2\n")
    except OSError:
        pytest.skip("this file system takes no such names")
    with pytest.raises(DataError, match=r"caf\\udce9\.(png|csv)' is no UTF-8. Rename it"):
        read(tmp_path if given == "folder" else path)

"""The one rule by which files, folders, archives and objects become one table."""

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lamina.data import Table, decode, read
from lamina.ground import DataError


def png(shade: int, side: int = 2) -> bytes:
    target = io.BytesIO()
    Image.new("L", (side, side), shade).save(target, "PNG")
    return target.getvalue()


def lay(folder: Path, files: dict[str, str | bytes | dict]) -> Path:
    """Write files; a dict becomes a .zip of its files."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, dict):
            with zipfile.ZipFile(path, "w") as archive:
                for member, data in content.items():
                    archive.writestr(member, data)
        else:
            path.write_bytes(content.encode() if isinstance(content, str) else content)
    return folder


def shades(table: Table, column: str = "image") -> list[int]:
    return [int(decode(table.open(column, cell), cell)[0, 0, 0]) for cell in table.frame[column]]


A, B, C = "x,y\n1,2\n", "x,y\n3,4\n5,6\n", "y,x\n8,7\n"
CLASSES = {"cat/1.png": png(1), "cat/2.png": png(2), "dog/3.png": png(3)}


# Several tables


@pytest.mark.parametrize(
    "names, parts",
    [
        (["train.csv", "test.csv"], ["train", "test", "test"]),
        (["a-train.csv", "b_val2.csv"], ["train", "valid", "valid"]),
        (["dev/rows.csv", "test/rows.csv"], ["valid", "test", "test"]),
        (["TRAIN.csv", "rest.csv", "t10k.csv"], ["train", "train", "train", "test"]),
        (["train.csv", "more.csv"], None),
        (["latest.csv", "contest.csv"], None),
    ],
)
def test_same_columns_append_in_the_order_given_and_names_say_the_split(tmp_path, names, parts):
    contents = [A, B, C]
    lay(tmp_path, dict(zip(names, contents, strict=False)))
    table = read([tmp_path / name for name in names])
    assert table.frame["x"].to_list() == ["1", "3", "5", "7"][: len(table)]
    assert (table.parts is None) if parts is None else (table.parts.tolist() == parts)
    assert ("names its split" in table.notes[-1]) == (parts is not None)
    assert sum(origin.rows for origin in table.origins) == len(table)
    assert table.where(1) == f"{Path(names[1]).name if '/' not in names[1] else tmp_path / names[1]}, line 2"


def test_a_folder_of_tables_is_read_train_first(tmp_path):
    table = read(lay(tmp_path / "sales", {"test.csv": A, "train.csv": B, "README.md": "x", "notes.txt": "x y"}))
    assert table.frame["x"].to_list() == ["3", "5", "1"]
    assert table.parts.tolist() == ["train", "train", "test"]
    assert "Left out" in " ".join(table.notes) and "sales/notes.txt" in " ".join(table.notes)


@pytest.mark.parametrize(
    "second, words",
    [
        ("x,z\n1,2\n", ["b.csv has no 'y'", "'z', which a.csv has not", "make their columns the same"]),
        ("x\n1\n2\n", ["b.csv has no 'y'", "without the answers", "predict"]),
        ("x,Y\n1,2\n", ["Did you mean 'Y'?"]),
    ],
)
def test_differing_columns_are_named(tmp_path, second, words):
    lay(tmp_path, {"a.csv": A, "b.csv": second})
    with pytest.raises(DataError) as error:
        read([tmp_path / "a.csv", tmp_path / "b.csv"])
    for word in ["a.csv", *words]:
        assert word in str(error.value)


def test_rows_given_as_test_are_test(tmp_path):
    lay(tmp_path, {"a.csv": A, "b.csv": B, "train.csv": A, "valid.csv": A, "test.csv": A})
    assert read(tmp_path / "a.csv", test=tmp_path / "b.csv").parts.tolist() == ["train", "test", "test"]
    assert read(tmp_path / "test.csv", test=tmp_path / "b.csv").parts.tolist() == ["train", "test", "test"]
    named = [tmp_path / "train.csv", tmp_path / "valid.csv"]
    assert read(named, test=str(tmp_path / "b.csv")).parts.tolist() == ["train", "valid", "test", "test"]
    with pytest.raises(DataError, match=r"already names test rows \(test.csv\).*Leave one out"):
        read([tmp_path / "train.csv", tmp_path / "test.csv"], test=tmp_path / "b.csv")


# Pictures


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("outer", ["", "photos/", "a/b/"])
def test_a_folder_of_class_folders_becomes_references_and_classes(tmp_path, packed, outer):
    files = {outer + name: data for name, data in CLASSES.items()} | {f"{outer}cat/.DS_Store": b"x"}
    if packed:
        source = lay(tmp_path, {"animals.zip": files}) / "animals.zip"
    else:
        source = lay(tmp_path / "animals", files)
    table = read(source)
    assert table.columns == ["image", "class"] and table.targets == ("class",)
    assert table.frame["class"].to_list() == ["cat", "cat", "dog"]
    assert table.frame["image"][2] == f"{source.name}/{outer}dog/3.png"
    assert shades(table) == [1, 2, 3]
    assert table.parts is None


@pytest.mark.parametrize(
    "files, parts",
    [
        ({"train.zip": {f"train/{name}": data for name, data in CLASSES.items()}, "val.zip": CLASSES}, "train valid"),
        ({f"{part}/{name}": data for part in ("test", "train") for name, data in CLASSES.items()}, "train test"),
        (
            {"a.zip": {f"{part}/{name}": data for part in ("dev", "train") for name, data in CLASSES.items()}},
            "train valid",
        ),
    ],
)
def test_folders_and_archives_named_like_a_split_are_the_split(tmp_path, files, parts):
    table = read(lay(tmp_path / "animals", files))
    first, second = parts.split()
    assert table.parts.tolist() == [first] * 3 + [second] * 3
    assert table.frame["class"].to_list() == ["cat", "cat", "dog"] * 2
    assert shades(table) == [1, 2, 3] * 2


def test_a_class_may_be_called_train(tmp_path):
    table = read(lay(tmp_path / "v", {"train/1.png": png(1), "bus/2.png": png(2), "car/3.png": png(3)}))
    assert table.frame["class"].to_list() == ["bus", "car", "train"] and table.parts is None


def test_a_plain_folder_and_single_pictures_have_no_class(tmp_path):
    folder = lay(tmp_path / "new", {"1.png": png(1), "2.jpeg": png(2)})
    for source in (folder, [folder / "1.png", folder / "2.jpeg"]):
        table = read(source)
        assert table.columns == ["image"] and table.targets == ()
        assert table.frame["image"].to_list() == ["new/1.png", "new/2.jpeg"]
        assert shades(table) == [1, 2]


def test_pictures_beside_class_folders_are_refused(tmp_path):
    with pytest.raises(DataError, match=r"photos/stray.png lies in no class folder.*'cat'.*Move it"):
        read(lay(tmp_path / "photos", {**CLASSES, "stray.png": png(1)}))


def test_equal_file_names_in_two_archives_stay_apart(tmp_path):
    lay(tmp_path, {"a/photos.zip": {"cat/1.png": png(1)}, "b/photos.zip": {"dog/1.png": png(2)}})
    table = read([tmp_path / "a" / "photos.zip", tmp_path / "b" / "photos.zip"])
    assert table.frame["image"].to_list() == ["photos.zip/cat/1.png", "b/photos.zip/dog/1.png"]
    assert shades(table) == [1, 2]
    assert table.frame["class"].to_list() == ["cat", "dog"]


# Tables that name pictures

ROADS = "photo,angle\nimg/1.png,0.5\nimg/2.png,0.1\n"
IMAGES = {"img/1.png": png(1), "img/2.png": png(2)}


@pytest.mark.parametrize(
    "files, given",
    [
        ({"roads.csv": ROADS, **IMAGES}, ["roads.csv"]),
        ({"roads.csv": ROADS, "img.zip": IMAGES}, ["roads.csv"]),
        ({"roads.csv": ROADS, "img.zip": {"1.png": png(1), "2.png": png(2)}}, ["roads.csv"]),
        ({"roads.csv": ROADS.replace("img/", ""), **IMAGES}, ["roads.csv"]),
        ({"roads.csv": ROADS.replace("img/", ".\\img\\"), **IMAGES}, ["roads.csv"]),
        ({"roads.csv": ROADS, "far/off.zip": IMAGES}, ["roads.csv", "far/off.zip"]),
        ({"roads.csv": ROADS, **{f"far/{name}": data for name, data in IMAGES.items()}}, ["roads.csv", "far"]),
        ({"roads.csv": ROADS, "img.zip": IMAGES, "README.md": "x"}, ["."]),
        (
            {"all.zip": {"data/roads.csv": ROADS, **{f"data/{name}": data for name, data in IMAGES.items()}}},
            ["all.zip"],
        ),
    ],
)
def test_paths_in_a_table_are_found_beside_it_given_with_it_or_near_it(tmp_path, files, given):
    lay(tmp_path, files)
    table = read([tmp_path / name for name in given])
    assert table.columns == ["photo", "angle"] and list(table.media) == ["photo"]
    assert shades(table, "photo") == [1, 2]


def test_equal_paths_of_two_tables_each_open_their_own_picture(tmp_path):
    rows = "photo,angle\n1.png,0.5\n"
    lay(tmp_path / "a", {"train.csv": rows, "train/1.png": png(1)})
    lay(tmp_path / "b", {"test.csv": rows, "test/1.png": png(2)})
    table = read([tmp_path / "a" / "train.csv", tmp_path / "b" / "test.csv"])
    assert shades(table, "photo") == [1, 2]
    assert table.parts.tolist() == ["train", "test"]


def test_a_missing_picture_is_noted_and_named_when_it_is_opened(tmp_path):
    lay(tmp_path, {"roads.csv": ROADS + "img/9.png,1\n", **IMAGES})
    table = read(tmp_path / "roads.csv")
    assert "1 of 3 pictures in 'photo' were not found" in table.notes[0]
    assert "'img/9.png' (roads.csv, line 4)" in table.notes[0]
    assert table.frame["photo"][2] == "img/9.png"
    with pytest.raises(DataError, match=r"img/9.png was not found in .*Give the folder"):
        table.open("photo", "img/9.png")


@pytest.mark.parametrize("path", ["../secret.png", "/{outside}/secret.png", "img/../../secret.png"])
def test_a_path_may_not_leave_the_data(tmp_path, path):
    lay(tmp_path, {"secret.png": png(9)})
    path = path.format(outside=str(tmp_path).lstrip("/"))
    lay(tmp_path / "data", {"roads.csv": f"photo,angle\n{path},1\nimg/1.png,2\n", **IMAGES})
    table = read(tmp_path / "data" / "roads.csv")
    with pytest.raises(DataError, match=r"secret.png was not found"):
        table.open("photo", table.frame["photo"][0])


def test_an_absolute_path_inside_the_data_is_found(tmp_path):
    lay(tmp_path, {"roads.csv": f"photo,angle\n{tmp_path}/img/1.png,1\n{tmp_path}/img/2.png,2\n", **IMAGES})
    assert shades(read(tmp_path / "roads.csv"), "photo") == [1, 2]


def test_names_of_pictures_without_pictures_stay_text_with_a_note(tmp_path):
    table = read(lay(tmp_path, {"roads.csv": ROADS}) / "roads.csv")
    assert not table.media
    assert "'photo' looks like paths to pictures, but 'img/1.png' was not found" in table.notes[0]


# Families


def test_the_clear_majority_of_a_folder_is_its_rows(tmp_path):
    many = {f"{kind}/{number}.png": png(number) for kind in ("cat", "dog") for number in range(10)}
    table = read(lay(tmp_path / "signs", {**many, "class_ids.csv": "folder,id\ncat,1\ndog,2\n"}))
    assert len(table) == 20
    assert "Left out" in table.notes[0] and "signs/class_ids.csv" in table.notes[0]


@pytest.mark.parametrize(
    "files, given, words",
    [
        ({"a.csv": A, "plot.png": png(1)}, ["."], ["1 tables, 1 pictures", "Name the files"]),
        (
            {"a.csv": A, "p.zip": CLASSES},
            ["a.csv", "p.zip"],
            ["does not go together", "no column of a.csv", "'cat/1.png'"],
        ),
        ({"1.png": png(1), "a.xml": "x", "b.xml": "x"}, ["."], ["2 files that cannot be read", "a.xml"]),
        ({"1.wav": b"RIFF", "2.wav": b"RIFF"}, ["."], ["2 .wav", "recordings are not read yet", ".csv"]),
        ({"1.txt": "a b"}, ["."], ["1 .txt", "name the file itself"]),
        ({".hidden": "x"}, ["."], ["holds no file"]),
        ({"model.bin": b"\x00\x01\x02"}, ["model.bin"], ["model.bin", ".bin", r"b'\x00\x01\x02'", "arrays (.npy"]),
        ({"inner.zip": {"in.zip": b"PK"}}, ["inner.zip"], ["inner.zip", "1 .zip"]),
        ({"rows.csv": A}, ["row.csv"], ["row.csv does not exist", "Did you mean 'rows.csv'?"]),
    ],
)
def test_what_does_not_go_together_is_refused_with_what_was_seen(tmp_path, files, given, words):
    lay(tmp_path, files)
    with pytest.raises(DataError) as error:
        read([tmp_path / name for name in given])
    for word in words:
        assert word in str(error.value)


def test_nothing_is_refused():
    with pytest.raises(DataError, match="No data is given"):
        read([])


def test_objects_and_files_join(tmp_path):
    table = read([{"x": ["0"], "y": ["1"]}, lay(tmp_path, {"a.csv": A}) / "a.csv"])
    assert sorted(table.frame.rows()) == [("0", "1"), ("1", "2")]
    assert np.array_equal(table.parts, None) or table.parts is None

"""References open what they name, and say what is wrong with those that do not."""

import numpy as np
import polars as pl
import pytest

from lamina.data.media import ArrayMedia, CellMedia, JoinedMedia, ObjectMedia, Pictures, Places
from lamina.ground import DataError

PICTURES = Pictures(np.arange(24, dtype=np.uint8).reshape(2, 3, 4), "a.npy")


def test_places_open_files_and_name_what_is_gone(tmp_path):
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "1.png").write_bytes(b"x")
    places = Places()
    assert places.at(tmp_path / "photos") is places.at(tmp_path / "photos" / ".." / "photos")
    assert places.open("photos/1.png") == b"x"
    before = places.fingerprint("photos/1.png")
    (tmp_path / "photos" / "1.png").write_bytes(b"xy")
    assert places.fingerprint("photos/1.png") != before
    (tmp_path / "photos" / "1.png").unlink()
    assert places.fingerprint("photos/1.png") == "missing"
    with pytest.raises(DataError, match=r"photos/1.png is not there any more. Put it back"):
        places.open("photos/1.png")
    with pytest.raises(DataError, match=r"else/1.png was not found in photos"):
        places.open("else/1.png")


@pytest.mark.parametrize("reference", ["a.npy#2", "a.npy#-1", "a.npy#x", "a.npy#²", "b.npy#0", "a.npy"])
def test_arrays_are_opened_by_number(reference):
    media = ArrayMedia({"a.npy": PICTURES})
    np.testing.assert_array_equal(media.open("a.npy#1"), PICTURES.array[1])
    assert media.fingerprint("a.npy#0") != media.fingerprint("a.npy#1")
    with pytest.raises(DataError, match=rf"no picture '{reference}' in a.npy \(2\)"):
        media.open(reference)


@pytest.mark.parametrize("number", [np.uint8, np.float32])
def test_a_picture_of_an_array_is_known_by_what_it_shows(number):
    pixels = np.arange(48, dtype=number).reshape(4, 3, 4)
    pixels[2] = pixels[0]
    first, moved = Pictures(pixels, "a"), Pictures(pixels[::-1], "b")
    marks = [ArrayMedia({"a": first}).fingerprint(f"a#{row}") for row in range(4)]
    assert marks[0] == marks[2] and len(set(marks)) == 3
    assert [ArrayMedia({"b": moved}).fingerprint(f"b#{row}") for row in range(4)] == marks[::-1]
    wide = ArrayMedia({"c": Pictures(pixels.reshape(4, 4, 3), "c")})
    assert wide.fingerprint("c#0") not in marks, "the same numbers in another shape show something else"


def test_normalised_pictures_are_refused_with_their_range():
    media = ArrayMedia({"a": Pictures(np.linspace(-2.5, 2.5, 24).reshape(2, 3, 4), "a")})
    with pytest.raises(DataError, match=r"a#0 holds values from -2.5 to 2.5.*undo a normalisation"):
        media.open("a#0")


def test_joined_media_ask_the_one_that_knows():
    cells = CellMedia({"b": pl.Series([b"zero", b"one"])})
    made = ObjectMedia("c", lambda number: np.full((2, 2), number, np.uint8), {3: "stamp"})
    media = JoinedMedia((ArrayMedia({"a.npy": PICTURES}), cells, made))
    np.testing.assert_array_equal(media.open("a.npy#0"), PICTURES.array[0])
    assert media.open("b#1") == b"one"
    assert media.open("c#3")[0, 0] == 3 and media.fingerprint("c#3") == "stamp"
    with pytest.raises(DataError, match=r"'d#1'"):
        JoinedMedia((cells, ArrayMedia({"a.npy": PICTURES}))).open("d#1")

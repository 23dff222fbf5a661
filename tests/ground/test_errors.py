import pytest

from lamina.ground import Interrupted, LaminaError, ShapeError, listing, nearest


@pytest.mark.parametrize(
    "word, known, hint",
    [
        ("prize", ["price", "rooms"], " Did you mean 'price'?"),
        ("PRICE", ["price", "prices"], " Did you mean 'price'?"),
        ("Straße", ["STRASSE"], " Did you mean 'STRASSE'?"),
        ("zzz", ["price", "rooms"], ""),
        ("price", [], ""),
        ("", ["price"], ""),
        ("1", [1, 2], " Did you mean '1'?"),
    ],
)
def test_the_nearest_known_name_is_hinted_at(word: str, known: list[str], hint: str) -> None:
    assert nearest(word, known) == hint


@pytest.mark.parametrize(
    "names, most, text",
    [
        ([], 8, ""),
        (["a"], 8, "a"),
        (["a", "b", "c"], 3, "a, b, c"),
        (["a", "b", "c"], 2, "a, b and 1 more"),
        (range(5000), 2, "0, 1 and 4,998 more"),
        ((name for name in "abc"), 8, "a, b, c"),
    ],
)
def test_names_are_listed_and_never_too_many(names: list[object], most: int, text: str) -> None:
    assert listing(names, most) == text


def test_every_error_is_of_the_tree_and_an_interruption_knows_its_signal() -> None:
    assert issubclass(ShapeError, LaminaError) and issubclass(ShapeError, ValueError)
    stop = Interrupted("Stopped after 3 steps.", 15)
    assert isinstance(stop, LaminaError)
    assert (str(stop), stop.signal_number) == ("Stopped after 3 steps.", 15)

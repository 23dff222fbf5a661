"""What a careful colleague would say."""

import numpy as np
import polars as pl
import pytest

from lamina.data import SplitPlan, Table, cast, check, leaks, make_split, read, understand

CHANCE = np.random.default_rng(0)
ROWS = 600
Y = CHANCE.normal(size=ROWS).round(6) * 100
X = CHANCE.normal(size=ROWS).round(6)
K = CHANCE.choice(["a", "b", "c"], ROWS)


class Pictures:
    def open(self, reference):
        return b""

    def fingerprint(self, reference):
        return "the same" if reference in ("n7.jpg", "n8.jpg") else reference


def prepared(cells, targets=("y",), given=None, split=None, media=()):
    raw = Table(pl.DataFrame(cells), {name: Pictures() for name in media})
    columns = understand(raw, targets, given or {})
    made = cast(raw, columns)[0]
    columns, found = leaks(made, columns, targets, given or {})
    made_split = make_split(made, columns, targets, split or SplitPlan())
    return columns, found, check(made, columns, made_split, targets)


def test_a_column_that_is_nearly_numbers_is_named_with_the_first_cell_that_is_none():
    cells = [f"{x:.4f}" if n % 8 else f"about {n}" for n, x in enumerate(X)]
    columns, _, said = prepared({"x": cells, "y": K})
    assert columns["x"].kind != "number"
    (found,) = [finding for finding in said if finding.column == "x" and finding.level == "warning"]
    assert "75 of 600 cells are no numbers (first: row 0, 'about 0')" in found.text
    assert "--set columns.x.kind=number" in found.remedy
    columns, _, said = prepared({"x": cells, "y": K}, given={"x": {"kind": "text"}})
    assert not [finding for finding in said if "no numbers" in finding.text]


PART = CHANCE.normal(size=ROWS).round(6) * 100


@pytest.mark.parametrize(
    "cells, aside, words",
    [
        ({"y": Y, "copy": Y}, {"copy"}, "y is copy in all 600 rows"),
        ({"y": Y, "dollars": Y * 1.1 + 3}, {"dollars"}, "y is dollars times 0.9"),
        ({"y": Y, "one": Y - PART, "two": PART, "x": X}, {"one", "two"}, "y = one + two in all rows"),
        ({"y": Y, "one": Y + PART, "two": PART, "x": X}, {"one", "two"}, "y = one - two in all rows"),
        ({"y": Y, "predicted_y": Y + PART / 2, "x": X}, {"predicted_y"}, "is by its name a prediction of 'y'"),
        ({"y": K, "code": [{"a": "u", "b": "v", "c": "w"}[k] for k in K]}, {"code"}, "'code' is 'y' in other words"),
        ({"y": K, "fine": [f"{k}:{n % 9}" for n, k in enumerate(K)]}, {"fine"}, "spells out 'y'"),
        ({"y": K, "y_pred": [k if n % 9 else "a" for n, k in enumerate(K)]}, {"y_pred"}, "is by its name a prediction"),
        ({"y": Y, "twin": Y + X * 1e-3}, set(), "follows 'y' very closely"),
        ({"y": Y, "score": Y + PART / 4}, set(), "follows 'y' very closely"),
        ({"y": np.where(X > 0, "yes", "no"), "x": X}, set(), "ranges of 'x' tell every 'y' apart"),
        ({"y": K, "q": [{"a": 0, "b": 3, "c": 6}[k] + n % 3 for n, k in enumerate(K)], "x": X}, set(), "ranges of 'q'"),
        (
            {"y": K, "q": [f"w{({'a': 0, 'b': 3, 'c': 6}[k] + n % 3) * 5 % 9}" for n, k in enumerate(K)]},
            set(),
            "each of the 9 values of 'q' goes with one 'y' only",
        ),
        ({"y": Y, "x": X, "near": Y + PART}, set(), None),
        ({"y": K, "x": X, "other": CHANCE.choice(["u", "v"], ROWS)}, set(), None),
    ],
)
def test_what_gives_the_answer_away(cells, aside, words):
    columns, found, _ = prepared(cells)
    assert {name for name, column in columns.items() if column.role == "ignore"} == aside
    if words is None:
        assert found == []
        return
    assert len(found) == 1 and found[0].level == "warning" and words in found[0].text, found
    assert all(columns[name].reason.endswith("gives the answer away") for name in aside)
    assert "--set columns." in found[0].remedy


def test_a_person_who_gave_a_role_keeps_the_column_and_is_warned():
    columns, found, _ = prepared({"y": Y, "copy": Y}, given={"copy": {"role": "input"}})
    assert columns["copy"].role == "input" and "kept, because a role was given" in found[0].text


def rows_with(**cells):
    return {"y": K, "x": X, "z": CHANCE.normal(size=ROWS)} | cells


REPEATED = {"y": [*K[:300], *K[:300]], "x": [*X[:300], *X[:300]]}


@pytest.mark.parametrize(
    "cells, level, words",
    [
        (rows_with(), None, ""),
        (rows_with(same="s"), "note", "set aside, since every row holds the same value or none: same"),
        (rows_with(nr=range(ROWS)), "note", "'nr' is set aside: counts up from 0 to 599"),
        (rows_with(x=[None, *X[1:]]), "note", "1 gaps: x 1"),
        (rows_with(x=[*X[:250], *[None] * 350]), "note", "more than half of the cells are gaps: x"),
        (rows_with(y=[*K[:590], *[None] * 10]), "note", "10 of 600 rows have no 'y' and are left out"),
        (rows_with(days=[999.0] * 300 + [float(n % 40) for n in range(300)]), "note", "300 cells of 'days' are 999"),
        (rows_with(w=[f"w{n % 400}" for n in range(ROWS)]), "note", "nothing of another row: 'w' (400 in 600 rows)"),
        (rows_with(patient_id=[f"p{n % 50}" for n in range(ROWS)]), "warning", "'patient_id' names 50"),
        (rows_with(y=["rare"] * 30 + ["usual"] * 570), "note", "only 30 of 600 rows are 'rare' (5.0%)"),
        (rows_with(y=["once"] + ["b", "c", "c"] * 199 + ["b", "c"]), "warning", "fewer than 5 rows: 'once'"),
        (rows_with(y=np.minimum(Y, 100)), "note", "are exactly 100, the largest: they look capped"),
        (rows_with(y=np.where(X > 0, Y, 0.0)), "note", "of the answers are exactly 0"),
        (rows_with(y=[1e6, *Y[1:]]), "note", "a few answers lie far off"),
        (REPEATED, "warning", "equal rows that were learned from or chosen by (300 of 600 rows are repeats)"),
        ({**REPEATED, "y": [*K[:300], *K[1:301]]}, "warning", "have inputs that occur with another answer too"),
        (
            rows_with(patient=[f"p{n % 30}" for n in range(ROWS)]),
            "warning", "'patient' names 30",
        ),
    ],
)  # fmt: skip
def test_findings(cells, level, words):
    _, _, found = prepared(cells)
    if level is None:
        assert found == []
        return
    said = [finding for finding in found if words in finding.text]
    assert len(said) == 1 and said[0].level == level, found
    assert [finding.level for finding in found] == sorted((finding.level for finding in found), reverse=True)


def test_groups_cut_apart_are_said():
    cells = rows_with(patient=[f"p{n % 30}" for n in range(ROWS)])
    given = {"patient": {"role": "group"}}
    assert not any("lie on both sides" in finding.text for finding in prepared(cells, given=given)[2])
    _, _, found = prepared(cells, given=given, split=SplitPlan(by="random"))
    assert any("groups of 'patient' lie on both sides" in finding.text for finding in found)


@pytest.mark.parametrize(
    "names, words",
    [
        ([f"film_2018_07_16_17_{n // 60:02}_{n % 60:02}.jpg" for n in range(ROWS)], "follow each other like a film"),
        ([f"{n // 6:04}_{n % 6}.jpg" for n in range(ROWS)], "tracks by the names in 'photo' lie on both sides"),
        ([f"n{n}.jpg" for n in range(ROWS)], "1 of 600 rows"),
    ],
)
def test_pictures_that_are_kin_or_the_same(names, words):
    y = ["a", "a", "b", "b", "b", "a", "a", "b", "b", "a"] * (ROWS // 10)
    _, _, found = prepared({"y": y, "photo": names}, split=SplitPlan(by="random"), media=["photo"])
    assert any(words in f"{finding.text}" for finding in found), found
    if words.startswith(("follow", "tracks")):
        assert not any(words in finding.text for finding in prepared({"y": y, "photo": names}, media=["photo"])[2])


def test_classes_that_are_never_learned():
    cells = pl.DataFrame(rows_with(y=["a", "b"] * 250 + ["c"] * 100))
    raw = Table(cells, parts=np.array(["train"] * 500 + ["test"] * 100))
    columns = understand(raw, ["y"])
    made = cast(raw, columns)[0]
    found = check(made, columns, make_split(made, columns, ["y"]), ["y"])
    assert any("1 classes of 'y' are judged but never learned: 'c'" in finding.text for finding in found)


@pytest.mark.parametrize(
    "path, target, aside, words",
    [
        ("bike_sharing", "cnt", {"casual", "registered"}, "cnt = casual + registered in all rows"),
        (
            "molecules/ESOL_delaney-processed.csv",
            "measured log solubility in mols per litre",
            {"ESOL predicted log solubility in mols per litre"},
            "correlation 0.9",
        ),
        ("trec_questions", "coarse_label", {"fine_label"}, "spells out"),
        ("california_housing", "median_house_value", set(), "965 answers (4.7%) are exactly 500,001"),
        ("wine_quality", "quality", set(), "1,177 of 6,497 rows are repeats"),
        ("bank_marketing", "y", set(), "cells of 'pdays' are 999, far from the others (0 to 21)"),
        ("oil_spill", "column_50", set(), "only 41 of 937 rows are '1' (4.4%)"),
        ("titanic/titanic.csv", "Survived", set(), "866 gaps: Cabin 687, Age 177, Embarked 2"),
        ("driving", "steering", set(), "of the answers are exactly 0"),
    ],
)
def test_public_data_is_seen_through(data_folder, path, target, aside, words):
    raw = read(data_folder / path)
    before = understand(raw, [target])
    made = cast(raw, before)[0]
    columns, found = leaks(made, before, [target])
    assert {name for name in columns if columns[name].role == "ignore" != before[name].role} == aside
    found += check(made, columns, make_split(made, columns, [target]), [target])
    assert any(words in finding.text for finding in found), [finding.text for finding in found]

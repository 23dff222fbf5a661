"""What columns hold and what they are for."""

import datetime

import numpy as np
import polars as pl
import pytest

from lamina.data import Table, guess_targets, read, understand
from lamina.ground.errors import DataError, PlanError

CHANCE = np.random.default_rng(0)


def column(cells, name="x", target=False, **said):
    table = Table(pl.DataFrame({name: cells, "other": range(len(cells))}))
    return understand(table, [name] if target else None, {name: said} if said else {})[name]


def days(count, form):
    return [(datetime.date(2011, 1, 1) + datetime.timedelta(days=3 * day)).strftime(form) for day in range(count)]


NUMBERS = [f"{value:.3f}" for value in CHANCE.normal(size=100)]
INTEGERS = [str(value) for value in CHANCE.integers(0, 60, 200)]


@pytest.mark.parametrize(
    "cells, kind, facts",
    [
        (NUMBERS, "number", {}),
        ([f"  {cell} " for cell in NUMBERS], "number", {}),
        ([cell.replace(".", ",") for cell in NUMBERS], "number", {"decimal": ","}),
        ([f"1.2{n % 89 + 10},5" for n in range(99)], "number", {"decimal": ","}),
        ([f"{n},{n * 7 % 1000:03},000.5" for n in range(1, 99)], "number", {"decimal": "."}),
        ([f"{n} 500" for n in range(1, 99)], "number", {}),
        ([f"{n % 37}.5 %" for n in range(99)], "number", {"unit": "%"}),
        ([f"${n}.99" for n in range(99)], "number", {"unit": "$"}),
        ([f"{n}.99 EUR" for n in range(99)], "number", {"unit": "EUR"}),
        ([*INTEGERS, "", "  ", None, "?", "NA", "-"], "number", {"gaps": 6, "missing": {"?", "NA", "-"}}),
        ([*INTEGERS, "unknowable", "unknowable"], "number", {"gaps": 2, "missing": {"unknowable"}}),
        ([*INTEGERS, "12b", "abc", "1/2"], "number", {"confidence": 0.75}),
        ([str(n % 100) for n in range(100)] + ["7.4", "7.88"], "number", {}),
        ([*INTEGERS[:60], "inf", "-Infinity", "1e999", "inf"], "number", {}),
        (["0", "1"] * 20, "category", {}),
        (["1", "2", "3"] * 20, "number", {}),
        (["3.5", ""] * 20, "category", {"gaps": 20}),
        (["01234", "00501", "90210"] * 20, "category", {}),
        (["a", "b", "c", "NA"] * 20, "category", {"gaps": 20, "missing": {"NA"}}),
        (["NA", "DE", "FR", "US", "GB", "IT", "ES"] * 20, "category", {"gaps": 0}),
        (["none", "dot"] * 20, "category", {"gaps": 0, "distinct": 2}),
        (["5%", "7$", "8%"] * 20, "category", {}),
        ([f"the {n} words of a long and free remark" for n in range(50)], "text", {}),
        ([f"C{'CO' * (n % 17)}N{n}" * 3 for n in range(50)], "text", {}),
        (days(99, "%Y-%m-%d"), "moment", {"format": "%Y-%m-%d"}),
        (days(99, "%d.%m.%Y"), "moment", {"format": "%d.%m.%Y"}),
        (days(99, "%m/%d/%Y"), "moment", {"format": "%m/%d/%Y"}),
        (days(99, "%d/%m/%y"), "moment", {"format": "%d/%m/%y"}),
        (days(99, "%Y%m%d"), "moment", {"format": "%Y%m%d"}),
        (days(99, "%d %B %Y"), "moment", {"format": "%d %B %Y"}),
        (days(99, "%Y-%m-%dT%H:%M:%SZ"), "moment", {"format": "%Y-%m-%dT%H:%M:%S%#z"}),
        (days(99, "%Y-%m-%d %H:%M"), "moment", {"format": "%Y-%m-%d %H:%M"}),
        ([f"19{n}-0{m}" for n in range(49, 60) for m in range(1, 10)], "moment", {"format": "%Y-%m"}),
        ([*days(99, "%d.%m.%Y"), "", "unknown"], "moment", {"gaps": 2}),
        ([f"{n % 24}:30" for n in range(99)], "category", {}),
    ],
)
def test_text_columns(cells, kind, facts):
    found = column(cells)
    assert found.kind == kind, found
    assert found.role == "input" and found.reason
    for key, value in facts.items():
        seen = getattr(found, key)
        assert (set(seen) if isinstance(value, set) else seen) == value, found


@pytest.mark.parametrize(
    "cells, kind",
    [
        (pl.Series([True, False, None] * 9), "category"),
        (pl.Series([0, 1] * 9), "category"),
        (pl.Series([3, 1, 2, 4] * 9), "number"),
        (pl.Series([1.0, float("nan"), 2.0, 3.5] * 9), "number"),
        (pl.Series(["a", "b", "a"] * 9, dtype=pl.Categorical), "category"),
        (pl.Series(["a", "b", "a"] * 9, dtype=pl.Enum(["a", "b"])), "category"),
        (pl.Series([datetime.date(2020, 1, day % 20 + 1) for day in range(60)]), "moment"),
        (pl.Series([datetime.timedelta(seconds=n % 7) for n in range(60)]), "number"),
    ],
)
def test_typed_columns(cells, kind):
    assert column(cells).kind == kind


def test_unix_times_are_moments_when_typed_and_named_so():
    times = pl.Series([1_500_000_000 + 977 * n for n in range(60)])
    assert column(times, "created_at").format == "unix s"
    assert column(times * 1000, "timestamp").format == "unix ms"
    assert column(times.shuffle(1), "amount").kind == "number"
    assert column(times.cast(pl.String).shuffle(1), "created_at").kind == "number"


@pytest.mark.parametrize("cells", [pl.Series([[1, 2]] * 3), pl.Series([{"a": 1}] * 3), pl.Series([b"x"] * 3)])
def test_cells_that_no_part_can_take_are_refused_by_name(cells):
    with pytest.raises(DataError, match=r"Column 'x' holds cells of type .*no part can take.*frame.drop"):
        column(cells)


def test_day_and_month_are_told_apart_on_the_whole_column():
    both = [f"{day:02}/{month:02}/2011" for month in range(1, 9) for day in range(1, 13)]
    in_order = column(both)
    assert in_order.format == "%d/%m/%Y" and "would not be in order" in in_order.reason
    american = column([f"{month:02}/{day:02}/2011" for month in range(1, 9) for day in range(1, 13)])
    assert american.format == "%m/%d/%Y"
    shuffled = column([both[place] for place in CHANCE.permutation(len(both))])
    assert shuffled.confidence == 0.5 and "would do as well" in shuffled.reason
    assert column([*both, "25/01/2011"]).confidence > 0.9
    assert column(both, format="%m/%d/%Y").format == "%m/%d/%Y"


def test_a_comma_that_may_be_either_mark_is_said():
    found = column([f"{n},{n + 100}" for n in range(1, 99)])
    assert found.kind == "number" and found.confidence <= 0.6 and "thousands mark" in found.reason
    assert column([f"{n},{n + 100}" for n in range(1, 99)], decimal=",").decimal == ","


@pytest.mark.parametrize(
    "name, cells, words",
    [
        ("x", [str(n) for n in range(1, 41)], "counts up from 1 to 40"),
        ("PassengerId", [str(n) for n in CHANCE.permutation(40)], "every whole number from 0 to 39 once"),
        ("id", [str(n) for n in CHANCE.choice(9999, 38, replace=False)] + ["7", "7"], "the name says identifier"),
        ("x", [str(n) for n in (*range(1, 30), *range(1, 40, 2), *range(2, 30))], "starts again 2 times"),
        ("x", [f"{n:04}-{chr(65 + n % 26)}QX" for n in CHANCE.permutation(99)], "all alike in form"),
        ("Compound ID", [f"name {'x' * (n % 9)}{n}" for n in range(99)], "the name says identifier"),
        ("x", [f"a/{'x' * (n % 9)}{n}.jpg" for n in range(99)], "names of files"),
        ("x", ["7"] * 40, "every cell is '7'"),
        ("x", [""] * 40, "no cell holds a value"),
        ("x", ["train", "test"] * 20, "--split x"),
    ],
)
def test_columns_that_say_nothing_of_their_row_are_set_aside(name, cells, words):
    found = column(cells, name)
    assert found.role == "ignore" and words in found.reason, found
    assert column(cells, name, role="input").role == "input"


@pytest.mark.parametrize(
    "name, cells",
    [
        ("hour", [str(n % 24) for n in range(960)]),
        ("x", [str(n % 24) for n in range(960)]),
        ("year", [str(n) for n in range(1900, 2000)]),
        ("rank", [str(n) for n in CHANCE.permutation(40)]),
        ("x", [str(n) for n in CHANCE.choice(9999, 40, replace=False)]),
        ("id", ["1", "2", "3"] * 20),
        ("x", [str(n) for n in range(10)]),
        ("x", NUMBERS),
    ],
)
def test_columns_that_only_look_like_identifiers_stay(name, cells):
    assert column(cells, name).role == "input"


def grades(*counts):
    return [str(grade) for grade, count in enumerate(counts, start=3) for _ in range(count)]


@pytest.mark.parametrize(
    "name, cells, kind, words",
    [
        ("y", ["0", "1"] * 50, "category", "two values: 0, 1"),
        ("y", [True, False] * 50, "category", ""),
        ("y", ["yes", "no", "perhaps"] * 50, "category", ""),
        ("cover", [str(n % 7 + 1) for n in range(700)], "category", "classes; columns.cover.kind=number if not"),
        ("grade_given", grades(3, 30, 200, 280, 100, 20), "number", ""),
        ("z", grades(3, 30, 200, 280, 100, 20), "number", "one peak"),
        ("z", grades(200, 30, 210, 190, 280), "category", "classes"),
        ("cnt", [str(n % 7) for n in range(700)], "number", "amounts; columns.cnt.kind=category if not"),
        ("class_id", [str(n % 43) for n in range(700)], "category", "classes"),
        ("z", [str(n % 43) for n in range(700)], "number", "amounts"),
        ("z", [str(n) for n in range(1, 13)], "number", "amounts"),
        ("z", NUMBERS, "number", "with decimals"),
        ("z", [f"word{n % 90}" for n in range(200)], "text", "too many for classes"),
    ],
)
def test_the_kind_of_an_answer(name, cells, kind, words):
    found = column(cells, name, target=True)
    assert (found.kind, found.role) == (kind, "target") and words in found.reason, found
    if kind == "number":
        assert column(cells, name, target=True, kind="category").kind == "category"


TABLE = Table(pl.DataFrame({"age": ["1", "2", "999"] * 9, "zip": ["12", "34", "56"] * 9, "price": NUMBERS[:27]}))


@pytest.mark.parametrize(
    "targets, given, message",
    [
        (["prise"], {}, "no column 'prise' in data. Did you mean 'price'"),
        (None, {"Zip": {"kind": "category"}}, "no column 'Zip'.*Did you mean 'zip'"),
        (None, {"zip": {"kind": "categories"}}, r"columns.zip.kind: 'categories' does not do.*'category'"),
        (None, {"zip": {"role": "grop"}}, "columns.zip.role: 'grop' does not do. Did you mean 'group'"),
        (None, {"zip": {"knd": "text"}}, "columns.zip: there is no 'knd'. Did you mean 'kind'"),
        (None, {"zip": {"kind": "image"}}, "no pictures were found"),
        (None, {"zip": {"kind": "moment"}}, r"no known way of writing dates.*--set columns.zip.format=%d.%m.%Y"),
        (["price"], {"price": {"role": "ignore"}}, "'price' is to be predicted, but columns.price.role says 'ignore'"),
        (None, {"price": {"role": "weight"}}, "weights must not be negative"),
        (["price"], {"zip": {"kind": "category"}, "age": {"missing": ["999"]}}, None),
    ],
)
def test_corrections(targets, given, message):
    if message:
        with pytest.raises(PlanError, match=message):
            understand(TABLE, targets, given)
        return
    columns = understand(TABLE, targets, given)
    assert (columns["zip"].kind, columns["zip"].confidence, columns["zip"].reason) == ("category", 1.0, "as given")
    assert columns["age"].gaps == 9 and columns["age"].missing == ("999",)
    assert list(columns) == TABLE.columns


def test_time_needs_moments_or_numbers():
    with pytest.raises(PlanError, match="'time' needs moments or numbers"):
        column([f"w{n % 3}" for n in range(30)], role="time")
    assert column(days(99, "%Y-%m-%d"), role="time").role == "time"


class Pictures:
    def open(self, reference):
        return b""

    def fingerprint(self, reference):
        return reference


def test_a_column_of_pictures_is_one():
    table = Table(pl.DataFrame({"photo": ["a.jpg", "b.jpg"] * 9, "sold": ["0", "1"] * 9}), {"photo": Pictures()})
    assert understand(table, None)["photo"].kind == "image"
    with pytest.raises(PlanError, match="refer to pictures"):
        understand(table, None, {"photo": {"kind": "text"}})


@pytest.mark.parametrize(
    "names, marked, guess, words",
    [
        (["a", "target", "b"], (), "target", "guessed from the name"),
        (["a", "Class", "b"], (), "Class", "guessed from the name"),
        (["x", "y", "z"], (), "z", "last"),
        (["x", "y"], (), "y", "from the name"),
        (["a", "b"], ("a",), "a", "the data itself"),
        (["a", "b"], (), "b", "guessed: 'b' is the last"),
    ],
)
def test_guessing_what_to_predict(names, marked, guess, words):
    table = Table(pl.DataFrame({name: ["u", "v", "w"] * 9 for name in names}), targets=marked)
    targets, reason = guess_targets(table, understand(table, None))
    assert targets == (guess,) and words in reason


def test_nothing_to_guess():
    table = Table(pl.DataFrame({"x": [f"a long text that is number {n}" for n in range(30)]}))
    assert guess_targets(table, understand(table, None)) is None


REAL = {
    # path: (target, its kind, what is set aside, kinds worth checking)
    "titanic/titanic.csv": ("Survived", "category", {"PassengerId"}, {"Name": "text", "Ticket": "category"}),
    "telco_churn": ("Churn", "category", {"customerID"}, {"TotalCharges": "number", "SeniorCitizen": "category"}),
    "wine_quality": ("quality", "number", set(), {"free_sulfur_dioxide": "number", "color": "category"}),
    "bike_sharing": ("cnt", "number", {"instant"}, {"dteday": "moment", "hr": "number", "holiday": "category"}),
    "molecules/ESOL_delaney-processed.csv": (
        "measured log solubility in mols per litre", "number", {"Compound ID"}, {"smiles": "text"},
    ),
    "california_housing": ("median_house_value", "number", set(), {"ocean_proximity": "category"}),
    "adult_income/train.csv.gz": ("income", "category", set(), {"education_num": "number", "workclass": "category"}),
    "oil_spill": ("column_50", "category", {"column_1", "column_23"}, {"column_2": "number"}),
    "bank_marketing": ("y", "category", set(), {"month": "category", "euribor3m": "number"}),
    "petfinder_mini": ("AdoptionSpeed", "category", set(), {"Description": "text", "Breed1": "category"}),
    "breast_cancer_wisconsin": ("class", "category", {"id"}, {"bare_nuclei": "number"}),
    "forest_cover": (
        "Cover_Type", "category", {"Id", "Soil_Type7", "Soil_Type15"}, {"Soil_Type3": "category", "Slope": "number"},
    ),
    "houses_multimodal": ("price", "number", set(), {"zipcode": "category", "kitchen": "image"}),
    "promoters_ecoli": ("is_promoter", "category", set(), {"sequence": "text"}),
}  # fmt: skip


@pytest.mark.parametrize("path", REAL)
def test_public_data_is_understood(data_folder, path):
    target, kind, aside, kinds = REAL[path]
    columns = understand(read(data_folder / path), [target])
    assert columns[target].kind == kind
    assert {name for name, column in columns.items() if column.role == "ignore"} == aside
    assert {name: columns[name].kind for name in kinds} == kinds


@pytest.mark.parametrize("cells", [[float("inf")] * 30, ["inf"] * 30, ["inf", "-inf"] * 15])
def test_nothing_but_infinities_are_no_numbers_to_learn_from(cells):
    assert column(cells).kind == "category"

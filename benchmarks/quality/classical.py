"""What Lamina is compared with: scikit-learn's boosted trees and a linear model, as anyone would fit them.

Nothing of Lamina is used here. Both models keep scikit-learn's defaults.
"""

import numpy as np
import polars as pl
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler

from benchmarks.quality.rows import Half, Row

GAPS = ("", "?", "NA", "nan")
"""Cells that stand for nothing, beside blanks."""
MOST_CATEGORIES = 255
"""What the trees take; a text column with more values is a name or free text, and is left out."""


def fit_and_score(row: Row, train: Half, test: Half, seed: int) -> dict[str, np.ndarray]:
    """Scores of the test rows by model: (rows,) classes, probabilities of the positive class, or values."""
    learned, asked, categories = features(train, test)
    return {
        "trees": _scores(row, trees(row, categories, seed), learned, asked, train.truth),
        "linear": _scores(row, linear(row, categories, learned.shape[1]), learned, asked, train.truth),
    }


def features(train: Half, test: Half) -> tuple[np.ndarray, np.ndarray, list[int]]:
    """(rows, columns) of numbers for both halves, and which of the columns are category numbers."""
    learned: list[np.ndarray] = []
    asked: list[np.ndarray] = []
    categories: list[int] = []
    if train.frame is not None and test.frame is not None:
        for name in train.frame.columns:
            cells, others = clean(train.frame[name]), clean(test.frame[name])
            numbers = cells.cast(pl.Float64, strict=False)
            if numbers.null_count() == cells.null_count():
                learned.append(numbers.to_numpy())
                asked.append(others.cast(pl.Float64, strict=False).to_numpy())
            elif cells.n_unique() <= MOST_CATEGORIES:
                encoder = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=np.nan)
                categories.append(len(learned))
                learned.append(encoder.fit_transform(_column(cells))[:, 0])
                asked.append(encoder.transform(_column(others))[:, 0])
    if train.pixels is not None and test.pixels is not None:
        learned += list(train.pixels().T)
        asked += list(test.pixels().T)
    return np.column_stack(learned), np.column_stack(asked), categories


def clean(cells: pl.Series) -> pl.Series:
    """Text cells without blanks around them; what stands for nothing becomes a gap."""
    stripped = cells.str.strip_chars()
    return stripped.set(stripped.is_in(GAPS), None)


def _column(cells: pl.Series) -> np.ndarray:
    return cells.fill_null("").to_numpy().astype(object)[:, None]


def trees(row: Row, categories: list[int], seed: int) -> HistGradientBoostingClassifier | HistGradientBoostingRegressor:
    """Boosted trees, which take gaps and categories as they are."""
    model = HistGradientBoostingClassifier if is_class(row) else HistGradientBoostingRegressor
    return model(categorical_features=categories or None, random_state=seed)


def linear(row: Row, categories: list[int], columns: int) -> Pipeline:
    """A linear model over scaled numbers and one column per category."""
    numbers = [column for column in range(columns) if column not in set(categories)]
    prepare = make_column_transformer(
        (make_pipeline(SimpleImputer(strategy="median", keep_empty_features=True), StandardScaler()), numbers),
        (OneHotEncoder(handle_unknown="ignore", sparse_output=False), categories),
    )
    return make_pipeline(prepare, LogisticRegression(max_iter=1000) if is_class(row) else Ridge())


def is_class(row: Row) -> bool:
    """Whether the row asks for a class rather than for a value."""
    return row.metric in {"accuracy", "auc", "average_precision", "in_scope_accuracy"}


def _scores(row: Row, model: Pipeline | HistGradientBoostingClassifier | HistGradientBoostingRegressor,
            learned: np.ndarray, asked: np.ndarray, truth: np.ndarray) -> np.ndarray:  # fmt: skip
    """What a model says of the test rows, in the form that the row's figure takes."""
    if not is_class(row):
        model.fit(learned, np.log1p(truth) if row.log_target else truth)
        values = np.asarray(model.predict(asked))
        return np.expm1(values) if row.log_target else values
    names = np.array([class_name(value) for value in truth], dtype=object)
    model.fit(learned, names)
    if row.positive is None:
        return np.asarray(model.predict(asked))
    return np.asarray(model.predict_proba(asked))[:, list(model.classes_).index(row.positive)]


def class_name(value: object) -> str:
    """A class as text: the number 2.0 and the text `2` are the same class."""
    try:
        number = float(str(value))
    except ValueError:
        return str(value)
    return str(int(number)) if number.is_integer() else str(number)

"""Classical models from scikit-learn behind one call: features and prepared targets to a function that scores."""

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch

from lamina.data import Facts
from lamina.ground import LazyModule
from lamina.outputs import CategoryOutput, LabelsOutput, NumberOutput, OutputPlan, Scale
from lamina.run.features import Form, Matrix

ensemble, exceptions, linear, svm = (
    LazyModule(f"sklearn.{name}") for name in ("ensemble", "exceptions", "linear_model", "svm")
)
optimize, special = LazyModule("scipy.optimize"), LazyModule("scipy.special")

ROUNDS, TREES = 500, 3_000
"""Rounds of boosting at most, and trees in all: every class grows one a round. Most stop earlier, by themselves."""
FEWEST_ROUNDS = 20
HELD_BACK = 0.1
"""Part of the training rows by which boosting stops and margins become probabilities."""

Answer = Callable[[Matrix], np.ndarray]
"""Features of any rows -> scores in the form of `Answers.scores`."""
Learn = Callable[[Matrix, np.ndarray, np.ndarray], Answer]
"""(features, prepared targets, which features are category codes) -> answer."""


@dataclass(frozen=True)
class Recipe:
    """How a classical model is learned."""

    name: str
    form: Form
    learn: Learn


class Classifier(Protocol):
    """What is used of a scikit-learn classifier."""

    classes_: np.ndarray

    def fit(self, features: Matrix, targets: np.ndarray) -> object:
        """Learn."""

    def predict_proba(self, features: Matrix) -> np.ndarray:
        """(rows, classes) probabilities, in the order of `classes_`."""


class Regressor(Protocol):
    """What is used of a scikit-learn regressor."""

    def fit(self, features: Matrix, targets: np.ndarray) -> object:
        """Learn."""

    def predict(self, features: Matrix) -> np.ndarray:
        """(rows,) values."""


def boosted_trees(output: OutputPlan, facts: Facts, features: Matrix, targets: np.ndarray,
                  categorical: np.ndarray) -> Answer:  # fmt: skip
    """Histogram gradient boosting, categories as such, stopped by rows held back from the training rows."""
    codes = categorical if categorical.any() else None

    def classifier(targets: np.ndarray) -> Classifier:
        classes, counts = np.unique(targets, return_counts=True)
        trees_a_round = 1 if len(classes) == 2 else len(classes)
        rounds = int(np.clip(TREES // trees_a_round, FEWEST_ROUNDS, ROUNDS))
        # scikit-learn holds rows back class by class, which needs two of each and one held back of each.
        stops = counts.min() >= 2 and HELD_BACK * len(targets) >= len(classes)
        return ensemble.HistGradientBoostingClassifier(
            max_iter=rounds if stops else min(rounds, 100), early_stopping=bool(stops), n_iter_no_change=15,
            validation_fraction=HELD_BACK, categorical_features=codes, random_state=0,
        )  # fmt: skip

    def regressor(output: NumberOutput) -> Regressor:
        loss = {"mae": "absolute_error", "quantile": "quantile"}.get(output.loss, "squared_error")
        return ensemble.HistGradientBoostingRegressor(
            loss=loss, quantile=output.quantile if loss == "quantile" else None, max_iter=ROUNDS,
            early_stopping=len(targets) >= 20, n_iter_no_change=15, validation_fraction=HELD_BACK,
            categorical_features=codes, random_state=0,
        )  # fmt: skip

    return _learn(output, facts, features, targets, classifier, regressor)


def linear_model(output: OutputPlan, facts: Facts, features: Matrix, targets: np.ndarray,
                 categorical: np.ndarray) -> Answer:  # fmt: skip
    """Logistic or ridge regression."""
    return _learn(
        output,
        facts,
        features,
        targets,
        lambda targets: linear.LogisticRegression(max_iter=300),
        lambda output: linear.Ridge(),
    )


def linear_on_pictures(output: OutputPlan, facts: Facts, features: Matrix, targets: np.ndarray,
                       categorical: np.ndarray) -> Answer:  # fmt: skip
    """A linear support vector machine, or ridge regression for numbers, on many hand-made features."""
    return _learn(
        output,
        facts,
        features,
        targets,
        # Hundreds of features in standard deviations, many alike: a small C. The dual problem is then soon solved.
        lambda targets: MarginClassifier(0.003),
        lambda output: linear.Ridge(features.shape[1]),
    )


def linear_on_texts(output: OutputPlan, facts: Facts, features: Matrix, targets: np.ndarray,
                    categorical: np.ndarray) -> Answer:  # fmt: skip
    """A linear support vector machine, or ridge regression for numbers, on weights of words and phrases."""
    return _learn(
        output, facts, features, targets, lambda targets: MarginClassifier(1.0), lambda output: linear.Ridge(0.3)
    )


class MarginClassifier:
    """A linear support vector machine whose margins, scaled on rows held back, pass for probabilities (Platt 1999)."""

    def __init__(self, closeness: float) -> None:
        """A machine that follows its rows as closely as `closeness`, the C of the literature, says."""
        self._machine = svm.LinearSVC(C=closeness, dual=True, random_state=0)
        self._sharpness = 1.0

    def fit(self, features: Matrix, targets: np.ndarray) -> "MarginClassifier":
        """Learn from all rows but those held back, then scale margins on these; rows come in random order."""
        kept = round(len(targets) * (1 - HELD_BACK))
        if len(np.unique(targets[:kept])) < len(np.unique(targets)):  # too few rows to do without any
            kept = len(targets)
        self._machine.fit(features[:kept], targets[:kept])
        self.classes_ = self._machine.classes_
        if kept < len(targets):
            margins = self._margins(features[kept:])
            truth = np.searchsorted(self.classes_, targets[kept:])
            rows = np.arange(len(truth))

            def log_loss(log_sharpness: float) -> float:
                return float(-special.log_softmax(np.exp(log_sharpness) * margins, axis=1)[rows, truth].mean())

            self._sharpness = float(np.exp(optimize.minimize_scalar(log_loss, bounds=(-2, 2.5), method="bounded").x))
        return self

    def _margins(self, features: Matrix) -> np.ndarray:
        margins = self._machine.decision_function(features)
        return np.stack([-margins, margins], axis=1) if margins.ndim == 1 else margins

    def predict_proba(self, features: Matrix) -> np.ndarray:
        """(rows, classes) probabilities, in the order of `classes_`."""
        return special.softmax(self._sharpness * self._margins(features), axis=1)


def _learn(output: OutputPlan, facts: Facts, features: Matrix, targets: np.ndarray,
           classifier: Callable[[np.ndarray], Classifier],
           regressor: Callable[[NumberOutput], Regressor]) -> Answer:  # fmt: skip
    """The model that suits the output, and its answers in the output's form."""
    match output:
        case CategoryOutput():
            return _classes(features, targets, len(facts["classes"]), classifier)  # type: ignore[arg-type]
        case LabelsOutput():
            by_label = [_classes(features, targets[:, label], 2, classifier) for label in range(targets.shape[1])]
            return lambda features: np.stack([answer(features)[:, 1] for answer in by_label], axis=1)
        case NumberOutput():
            return _numbers(features, targets, output, facts, regressor)
        case _:
            raise TypeError(f"no classical model answers outputs of kind {output.kind!r}")


def _classes(features: Matrix, targets: np.ndarray, classes: int,
             classifier: Callable[[np.ndarray], Classifier]) -> Answer:  # fmt: skip
    """Probabilities of all classes, 0 for those that the sample lacks."""
    there = np.unique(targets)
    if len(there) == 1:
        return lambda features: np.repeat(np.eye(classes)[there], features.shape[0], axis=0)
    model = classifier(targets)
    with warnings.catch_warnings():
        # The steps are a budget; the figure says how well it did.
        warnings.simplefilter("ignore", exceptions.ConvergenceWarning)
        model.fit(features, targets)

    def answer(features: Matrix) -> np.ndarray:
        scores = np.zeros((features.shape[0], classes))
        scores[:, model.classes_] = model.predict_proba(features)
        return scores

    return answer


def _numbers(features: Matrix, targets: np.ndarray, output: NumberOutput, facts: Facts,
             regressor: Callable[[NumberOutput], Regressor]) -> Answer:  # fmt: skip
    """Values learned on the same scale as the network's, in the units of the column."""
    scale = Scale.of(facts)
    wanted = scale.learned(torch.from_numpy(targets)).double().numpy()
    model = regressor(output)
    model.fit(features, wanted)
    shift = 0.0
    # Least squares aims at the mean: move it to where the loss aims.
    if isinstance(model, linear.Ridge) and output.loss in ("mae", "quantile"):
        aim = 0.5 if output.loss == "mae" else output.quantile
        shift = float(np.quantile(wanted - model.predict(features), aim))
    return lambda features: scale.units(torch.from_numpy(model.predict(features) + shift)).numpy()

"""One of several classes: a probability for each, made honest on validation rows; or, where asked for, none of them."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
import polars as pl
import torch
from torch import Tensor
from torch.nn import functional

from lamina.data.batch import Block, Chunk, Facts, Values
from lamina.ground.errors import DataError, PlanError, listing, nearest
from lamina.ground.shapes import Features, Shape
from lamina.losses import Loss
from lamina.metrics import Metric, class_metrics, outside_metrics
from lamina.outputs.calibration import honest_temperature, lowest_share, mean_log, with_none
from lamina.outputs.contract import KEEPS_ANSWERS, Answers, OutputLayer, OutputPlan
from lamina.outputs.head import LinearHead, weighted_sum

MOST_CLASSES = 10_000
"""More classes than this are taken for identifiers, numbers or free text."""
NONE = "none"
"""The answer for what belongs to no class, where the data has no word for it."""
TURNED_AWAY = 0.05
"""The share of rows in scope that may be turned away where the data tells what is outside, and nobody said how many."""
BALANCED = 0.5
"""Classes are balanced when the smallest has at least this part of an equal share."""
RARE = 0.1
"""Below this share of positive rows, ranking them all (auc) says little; finding the few (average_precision) does."""
CONVENTIONAL = frozenset({
    ("0", "1"), ("-1", "1"), ("-1", "+1"), ("no", "yes"), ("n", "y"), ("false", "true"), ("f", "t"), ("-", "+"),
    ("negative", "positive"), ("neg", "pos"), ("absent", "present"), ("ham", "spam"),
})  # fmt: skip
"""Names, in lower case, by which people mark what is not looked for and what is."""


@dataclass(frozen=True, kw_only=True)
class CategoryOutput(OutputPlan):
    """One of several classes."""

    kind: ClassVar[str] = "category"

    loss: Literal["cross_entropy", "focal"] = "cross_entropy"
    """`focal` counts rows less the surer the network is of them (Lin et al. 2017)."""
    gamma: float = 2.0
    """How strongly the focal loss turns to unsure rows; 0 is cross entropy."""
    smoothing: float = 0.0
    """Part of the target that is spread over all classes (Szegedy et al. 2016); helps when labels are noisy."""
    class_weights: Literal["none", "balanced"] | dict[str, float] = "none"
    """`balanced` lets every class count the same in the loss; or a weight by class, 1 where none is given."""
    none: float | None = None
    """Share of rows in scope that may be answered with none of the classes, for others to be recognised as outside;
    None is .05 where `outside` names such rows, and otherwise every row gets a class."""
    outside: str | None = None
    """The cell that says that a row belongs to none of the classes, and the answer for such rows; `none` otherwise."""
    decides: str | None = None
    """The metric by which validation chooses; None lets the balance of the classes say."""

    @property
    def turns_away(self) -> bool:
        """Whether a row may be answered with none of the classes."""
        return self.may_turn_away > 0

    @property
    def may_turn_away(self) -> float:
        """The share of rows in scope that may be answered with none of the classes."""
        if self.none is None:
            return TURNED_AWAY if self.outside is not None else 0.0
        return self.none

    @property
    def word(self) -> str:
        """What stands for none of the classes, in the data and in answers."""
        return NONE if self.outside is None else self.outside

    def __post_init__(self) -> None:
        if self.none is not None and not 0 < self.none < 0.5:
            raise PlanError(
                f"{self.column}.none: {self.none:g} does not do: it is the share of rows in scope that may be turned "
                "away, above 0 and below 0.5, such as 0.05."
            )
        if not 0 <= self.smoothing < 1:
            raise PlanError(f"{self.column}.smoothing: {self.smoothing:g} does not do: it is from 0 to below 1.")
        if self.gamma < 0:
            raise PlanError(f"{self.column}.gamma: {self.gamma:g} does not do: it is 0 or more.")
        if isinstance(self.class_weights, dict) and min(self.class_weights.values(), default=1) <= 0:
            raise PlanError(f"{self.column}.class_weights: {self.class_weights} does not do: weights are above 0.")

    def fit(self, chunks: Iterable[Chunk]) -> Facts:
        """Classes in order (numbers by size, others by name), how often each occurs, and which is positive of two.

        Where rows may be turned away, the word for none of the classes stands behind these.

        Raises:
            DataError: if there are fewer than two classes, or so many that they name rows instead of grouping them.
            PlanError: if `none` is a class of the data, and nobody said whether it means none of the classes.
        """
        counter: Counter[str] = Counter()
        for chunk in chunks:
            found = chunk.frame[self.column].cast(pl.String).drop_nulls().value_counts()
            counter.update(dict(zip(*found.get_columns(), strict=True)))
            if len(counter) > MOST_CLASSES:
                raise DataError(self._too_many(counter))
        outside = counter.pop(self.word, 0) if self.turns_away else 0
        if outside and self.outside is None:
            raise PlanError(
                f"{self.column}: {outside:,} training rows are of class {NONE!r}. If they belong to none of the other "
                f"classes, say so: outputs.{self.column}.outside={NONE}. If it is a class like the others, give "
                f"another word for rows that belong to none: outputs.{self.column}.outside=unknown."
            )
        rows = counter.total()
        if rows == 0:
            raise DataError(f"Column {self.column!r} holds nothing but gaps: there is no answer to learn from.")
        if len(counter) == 1:
            raise DataError(
                f"Column {self.column!r} holds a single class, {next(iter(counter))!r}, in all {rows:,} training rows: "
                f"there is nothing to tell apart. Add rows of another class, or predict another column."
            )
        if len(counter) > 20 and rows < 2 * len(counter):
            raise DataError(self._too_many(counter))
        classes = _in_order(counter)
        positive = _positive(classes, counter) if len(classes) == 2 else None
        if self.turns_away:
            classes.append(self.word)
            counter[self.word] = outside
        counts = np.array([counter[name] for name in classes], dtype=np.int64)
        return {"classes": classes, "counts": counts, "positive": positive}

    def _too_many(self, counter: Counter[str]) -> str:
        return (
            f"Column {self.column!r} has {len(counter):,} different values in {counter.total():,} rows "
            f"({listing(list(counter)[:3])}, ...): too many for classes; it looks like an identifier, a number or "
            f"free text. Predict another column, or declare what it is: columns={{{self.column!r}: "
            f"{{'kind': 'number'}}}}."
        )

    def prepare(self, chunk: Chunk, facts: Facts) -> Block:
        """(rows,) int64 class numbers; gaps and classes that training rows do not have are problems."""
        names: list[str] = facts["classes"]  # type: ignore[assignment]
        cells = chunk.frame[self.column].cast(pl.String)
        index = cells.replace_strict(names, list(range(len(names))), default=-1, return_dtype=pl.Int64)
        values = index.fill_null(-1).to_numpy().copy()
        problems = {}
        for entry in np.flatnonzero(values < 0).tolist():
            cell = cells[entry]
            problems[entry] = (
                f"{self.column} is a gap: no answer to learn from or to compare with"
                if cell is None
                else f"{self.column} is {cell!r}, a class that no training row has ({listing(names)})"
            )
        values[values < 0] = 0
        return Block(values, problems=problems)

    def build(self, facts: Facts, shape: Shape) -> "CategoryLayer":
        """The layer for features of this shape, which starts from how often each class occurs.

        Raises:
            PlanError: if `decides` or `class_weights` name something that is not there.
        """
        return CategoryLayer(self, facts, shape)


class CategoryLayer(OutputLayer):
    """A linear map to one raw score for each class, (batch, members, classes).

    None of the classes is the answer where the likeliest class is less probable than a line, below which `none` of the
    rows in scope lie (Hendrycks and Gimpel 2017). In the scores it stands behind the classes, as probable as the line.
    """

    follows: ClassVar[frozenset[str]] = KEEPS_ANSWERS

    weights: Tensor
    temperature: Tensor
    line: Tensor

    def __init__(self, plan: CategoryOutput, facts: Facts, shape: Shape):
        super().__init__()
        self.plan = plan
        self.classes = np.array(facts["classes"], dtype=object)  # as text of a fixed width each answer would be a copy
        self._turns_away = plan.turns_away
        names: list[str] = list(facts["classes"])[: len(self.classes) - plan.turns_away]  # type: ignore[call-overload]
        counts = np.asarray(facts["counts"], dtype=np.float64)[: len(names)]
        positive = names.index(str(facts["positive"])) if len(names) == 2 else None
        self._metrics = (outside_metrics if plan.turns_away else class_metrics)(len(names), positive)
        self.decides = plan.decides or _decides(counts, positive)
        if self.decides not in self._metrics:
            raise PlanError(
                f"{plan.column}: there is no metric {self.decides!r} for {len(names)} classes."
                f"{nearest(self.decides, self._metrics)} Known here: {listing(self._metrics, 20)}."
            )
        priors = counts / counts.sum()
        weights = _class_weights(plan, names, priors)
        # The best answer before any input is seen, so that the first steps need not learn it.
        self.head = LinearHead(shape, np.log(priors * weights).tolist())
        self.register_buffer("weights", torch.tensor(weights, dtype=torch.float32))
        self.register_buffer("temperature", torch.ones(()))
        if plan.turns_away:
            self.register_buffer("line", torch.zeros(()))

    def forward(self, features: Features, targets: Values | None = None) -> Tensor:
        """Raw scores: (batch, members, classes)."""
        return self.head(features)

    def take_head(self, weights: Mapping[str, Tensor]) -> bool:
        """As the contract says; it fits when there is a single network with as many features and classes."""
        return self.head.take(weights)

    def loss(self, raw: Tensor, targets: Values, weight: Tensor | None = None) -> Loss:
        """Cross entropy or focal loss; class weights average 1 over training rows, so the count is that of rows.

        What is outside should look like every class alike (Hendrycks et al. 2019).
        """
        assert isinstance(targets, Tensor)
        batch, members, classes = raw.shape
        by_member = targets[:, None].expand(batch, members).reshape(-1)
        scores = raw.float().reshape(-1, classes)
        outside = by_member == classes
        by_member = by_member.masked_fill(outside, 0)
        losses = functional.cross_entropy(scores, by_member, reduction="none", label_smoothing=self.plan.smoothing)
        if self.plan.loss == "focal":
            sure = scores.softmax(-1).gather(1, by_member[:, None])[:, 0]
            losses = losses * (1 - sure) ** self.plan.gamma
        if self.plan.class_weights != "none":
            losses = losses * self.weights[by_member]
        if self._turns_away:
            losses = torch.where(outside, -scores.log_softmax(-1).mean(-1), losses)
        return Loss(*weighted_sum(losses.view(batch, members), weight))

    def decode(self, raw: Tensor, context: Mapping[str, pl.Series]) -> Answers:
        """The most probable class with its probability, and those of all as scores.

        Beside the word for none stands how probable it is that the likeliest class would be wrong.
        """
        probabilities = self._probabilities(raw).cpu().numpy()
        said, confidence = probabilities.argmax(1), probabilities.max(1)
        if self._turns_away:
            probabilities, said, confidence = with_none(probabilities, float(self.line))
        column = self.plan.column
        return Answers(probabilities, {column: self.classes[said], f"{column}_confidence": confidence})

    @torch.no_grad()
    def calibrate(self, raw: Tensor, targets: Values) -> None:
        """Find the temperature that makes confidences honest, and the line below which rows are turned away.

        See `honest_temperature` and `lowest_share`.
        """
        assert isinstance(targets, Tensor)
        in_scope = targets < raw.shape[-1]
        raw, targets = raw[in_scope], targets[in_scope]
        if not len(targets):
            return
        self.temperature.fill_(honest_temperature(mean_log(raw), targets))
        if self._turns_away:
            self.line.fill_(lowest_share(self._probabilities(raw).amax(1), self.plan.may_turn_away))

    def _probabilities(self, raw: Tensor) -> Tensor:
        """(batch, classes) honest ones, as far as `calibrate` found out."""
        return (mean_log(raw) / self.temperature).softmax(-1)

    def metrics(self) -> Mapping[str, Metric]:
        """Every figure for classes, by key."""
        return self._metrics


def _in_order(names: Iterable[str]) -> list[str]:
    """Sorted by size when all look like numbers, otherwise by name."""
    names = sorted(names)
    try:
        sizes = [float(name) for name in names]
    except ValueError:
        return names
    return sorted(names, key=float) if np.isfinite(sizes).all() else names


def _positive(classes: list[str], counts: Mapping[str, int]) -> str:
    """Which of two classes is looked for: the one so named by convention, or else the rarer, or else the second."""
    for negative, positive in (classes, reversed(classes)):
        if (negative.lower(), positive.lower()) in CONVENTIONAL:
            return positive
    return min(reversed(classes), key=lambda name: counts[name])


def _decides(counts: np.ndarray, positive: int | None) -> str:
    """Accuracy for balanced classes; otherwise what always saying the most frequent class cannot raise."""
    if counts.min() * len(counts) >= BALANCED * counts.sum():
        return "accuracy"
    if positive is None:
        return "macro_f1"
    return "average_precision" if counts[positive] < RARE * counts.sum() else "auc"


def _class_weights(plan: CategoryOutput, classes: list[str], priors: np.ndarray) -> np.ndarray:
    """(classes,) weights that average 1 over training rows."""
    if plan.class_weights == "none":
        return np.ones_like(priors)
    if plan.class_weights == "balanced":
        return 1 / (len(priors) * priors)
    unknown = [name for name in plan.class_weights if name not in classes]
    if unknown:
        raise PlanError(
            f"{plan.column}.class_weights: there is no class {unknown[0]!r}.{nearest(unknown[0], classes)} "
            f"Classes are {listing(classes)}."
        )
    weights = np.array([plan.class_weights.get(name, 1.0) for name in classes])
    return weights / (weights * priors).sum()

"""Answers that are looked up: the known answer that lies nearest to the question in one space, or that none is known.

Two encoders, one for what is asked and one for the answers, learn to put right pairs close together (Yang et al. 2018,
"Learning Semantic Textual Similarity from Conversations"). Every known answer takes part in each comparison, so that
rows do not depend on the others of their batch. Where a question has several right answers, any of them will do.
"""

import math
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import polars as pl
import torch
from torch import Tensor, nn
from torch.nn import functional

from lamina.data.batch import Block, Chunk, Facts, Values, in_rows
from lamina.data.pairs import MOST_ANSWERS
from lamina.data.vocabulary import texts_of
from lamina.ground.errors import DataError, PlanError
from lamina.ground.shapes import Features, Shape
from lamina.losses import Loss
from lamina.metrics import Metric, reply_metrics
from lamina.outputs.calibration import honest_temperature, lowest_share, mean_log, with_none
from lamina.outputs.contract import Answers, OutputLayer, OutputPlan
from lamina.outputs.head import LinearHead, weighted_sum

_WORD = re.compile(r"\w+")
_SCALE = 10.0
"""What cosines are multiplied by at first."""


@dataclass(frozen=True, kw_only=True)
class ReplyOutput(OutputPlan):
    """One of the answers that stand in the training rows."""

    kind: ClassVar[str] = "reply"

    question: str
    """The column of what is asked: rows that ask the same share their right answers."""
    width: int = 128
    """Numbers of a question and of an answer in the space that they share."""
    none: float = 0.05
    """Share of questions with a known answer that may be answered by `unknown`, for others to be recognised; 0 always
    answers."""
    unknown: str = "I do not know."
    """What is said where no known answer is sure enough."""

    def __post_init__(self) -> None:
        if not 0 <= self.none < 0.5:
            raise PlanError(f"{self.column}.none: {self.none:g} does not do: it is from 0 to below 0.5, such as 0.05.")
        if self.width < 1:
            raise PlanError(f"{self.column}.width: {self.width} does not do: it is 1 or more.")

    @property
    def columns(self) -> tuple[str, ...]:
        """The answers, and what was asked."""
        return (self.column, self.question)

    def fit(self, chunks: Iterable[Chunk]) -> Facts:
        """The different answers, how often each is given, the words they are made of, and what they answer.

        Raises:
            DataError: if there are fewer than two different answers, or too many to compare a question with.
        """
        given: defaultdict[str, int] = defaultdict(int)
        asked: defaultdict[str, set[str]] = defaultdict(set)
        for chunk in chunks:
            for question, answer in zip(texts_of(chunk, self.question), texts_of(chunk, self.column), strict=True):
                if answer:
                    given[answer] += 1
                    asked[_plainly(question)].add(answer)
        if not 2 <= len(given) <= MOST_ANSWERS:
            raise DataError(
                f"Column {self.column!r} holds {len(given):,} different answers in {sum(given.values()):,} training "
                f"rows; from 2 to {MOST_ANSWERS:,} can be looked up. More are better written: "
                f"outputs.{self.column}.kind=text."
            )
        answers = sorted(given)
        numbers = {answer: number for number, answer in enumerate(answers)}
        said = [_WORD.findall(answer.lower()) for answer in answers]
        known = {word: number for number, word in enumerate(sorted({word for words in said for word in words}))}
        return {
            "answers": answers,
            "counts": np.array([given[answer] for answer in answers], dtype=np.int64),
            "rows": sum(given.values()),
            "words": np.array([known[word] for words in said for word in words], dtype=np.int64),
            "offsets": np.cumsum([0, *map(len, said)], dtype=np.int64),
            "asked": {question: sorted(numbers[one] for one in right) for question, right in sorted(asked.items())},
        }

    def prepare(self, chunk: Chunk, facts: Facts) -> Block:
        """(rows, most) int64 numbers of the right answers, the row's own first, -1 where there are fewer."""
        answers: list[str] = facts["answers"]  # type: ignore[assignment]
        asked: dict[str, list[int]] = facts["asked"]  # type: ignore[assignment]
        numbers = {answer: number for number, answer in enumerate(answers)}
        values = np.full((len(chunk), 1 + max(map(len, asked.values()))), -1, dtype=np.int64)
        problems = {}
        rows = zip(texts_of(chunk, self.question), texts_of(chunk, self.column), strict=True)
        for row, (question, answer) in enumerate(rows):
            if not answer:
                problems[row] = f"{self.column} is a gap: no answer to learn from or to compare with"
            own = [numbers[answer]] if answer in numbers else []
            right = own + [number for number in asked.get(_plainly(question), []) if number not in own]
            values[row, : len(right)] = right
        return Block(values, problems=problems)

    def build(self, facts: Facts, shape: Shape) -> "ReplyLayer":
        """The layer for features of this shape."""
        return ReplyLayer(self, facts, shape)


class ReplyLayer(OutputLayer):
    """Features of a question -> (batch, members, answers): how near each known answer lies."""

    decides = "accuracy"  # of what is said in the end; it can be measured where no right answer is known, too

    temperature: Tensor
    line: Tensor
    said: Tensor
    offsets: Tensor
    shares: Tensor

    def __init__(self, plan: ReplyOutput, facts: Facts, shape: Shape):
        """An answer is the sum of the vectors of its words and of one of its own."""
        super().__init__()
        self.plan = plan
        self.answers: list[str] = facts["answers"]  # type: ignore[assignment]
        self._metrics = reply_metrics()
        shared = {tuple(right) for right in facts["asked"].values()}  # type: ignore[attr-defined]
        self._alike: list[list[np.ndarray]] = [[] for _ in self.answers]
        for right in sorted(shared):
            for number in right:
                self._alike[number].append(np.array(right))
        counts = np.asarray(facts["counts"], dtype=np.float64)
        offsets, words = np.asarray(facts["offsets"]), np.asarray(facts["words"])
        self.asked = LinearHead(shape, [0.0] * plan.width)
        self.own = nn.Parameter(torch.randn(len(self.answers), plan.width) / math.sqrt(plan.width))
        self.words = nn.Parameter(torch.randn(1 + words.max(initial=0), plan.width) / math.sqrt(plan.width))
        self.log_scale = nn.Parameter(torch.tensor(math.log(_SCALE)))
        # The best answer before any question is seen, so that the first steps need not learn it.
        self.usual = nn.Parameter(torch.tensor(np.log(counts / counts.sum()), dtype=torch.float32))
        lengths = np.diff(offsets)
        shares = np.repeat(1 / np.sqrt(np.maximum(lengths, 1)), lengths)
        self.register_buffer("said", torch.from_numpy(words), persistent=False)
        self.register_buffer("offsets", torch.from_numpy(offsets), persistent=False)
        self.register_buffer("shares", torch.tensor(shares, dtype=torch.float32), persistent=False)
        self.register_buffer("temperature", torch.ones(()))
        self.register_buffer("line", torch.zeros(()))

    def forward(self, features: Features, targets: Values | None = None) -> Tensor:
        """Scaled cosines between each question and all answers: (batch, members, answers)."""
        asked = functional.normalize(self.asked(features), dim=-1)
        words = functional.embedding_bag(
            self.said, self.words, self.offsets, mode="sum", per_sample_weights=self.shares, include_last_offset=True
        )
        answers = functional.normalize(self.own + words, dim=-1)
        return self.log_scale.exp().clamp(max=100) * (asked @ answers.T) + self.usual

    def loss(self, raw: Tensor, targets: Values, weight: Tensor | None = None) -> Loss:
        """Minus the logarithm of the probability of any right answer."""
        assert isinstance(targets, Tensor)
        there = (targets >= 0)[:, None]  # (batch, 1, most)
        chances = raw.float().log_softmax(-1).gather(2, targets.clamp(min=0)[:, None].expand(-1, raw.shape[1], -1))
        right = chances.masked_fill(~there, -1e9).logsumexp(-1)  # (batch, members)
        return Loss(*weighted_sum(torch.where(there.any(-1), -right, 0.0), weight))

    def decode(self, raw: Tensor, context: Mapping[str, pl.Series]) -> Answers:
        """The nearest answer and how probable it is that it is right, or that none is known; see `with_none`."""
        probabilities = self._probabilities(raw).cpu().numpy()
        sureness, likeliest = self._sureness(probabilities), probabilities.max(1, initial=0)
        # The line holds for sureness; none of them stands beside the likeliest answer as the line beside its sureness.
        scores, said, _ = with_none(probabilities, float(self.line) * likeliest / sureness)
        confidence = np.where(said < len(self.answers), sureness, 1 - sureness)
        column, words = self.plan.column, [*self.answers, self.plan.unknown]
        return Answers(scores, {column: in_rows(words[number] for number in said), f"{column}_confidence": confidence})

    @torch.no_grad()
    def calibrate(self, raw: Tensor, targets: Values) -> None:
        """Find the temperature that makes confidences honest, and the line below which nothing is answered."""
        assert isinstance(targets, Tensor)
        known = (targets >= 0).any(1)
        log_p, targets = mean_log(raw[known]), targets[known]
        if not len(targets):
            return
        chances = log_p.gather(1, targets.clamp(min=0)).masked_fill(targets < 0, -math.inf)
        self.temperature.fill_(honest_temperature(log_p, targets.gather(1, chances.argmax(1, keepdim=True))[:, 0]))
        sureness = self._sureness(self._probabilities(raw[known]).cpu().numpy())
        self.line.fill_(lowest_share(torch.from_numpy(sureness), self.plan.none))

    def metrics(self) -> Mapping[str, Metric]:
        """Every figure for answers that are looked up, by key."""
        return self._metrics

    def _sureness(self, probabilities: np.ndarray) -> np.ndarray:
        """(rows,) how probable it is that the likeliest answer is right.

        A question of training may have several right answers, which share what is probable: theirs is added up, for the
        likeliest of those questions that the answer is right for.
        """
        likeliest = probabilities.argmax(1)
        found = [max(row[right].sum() for right in self._alike[number])
                 for row, number in zip(probabilities, likeliest, strict=True)]  # fmt: skip
        return np.array(found, dtype=probabilities.dtype)

    def _probabilities(self, raw: Tensor) -> Tensor:
        """(batch, answers) honest ones, as far as `calibrate` found out."""
        return (mean_log(raw) / self.temperature).softmax(-1)


def _plainly(question: str) -> str:
    """A question without capitals and needless blanks: the same to ask."""
    return " ".join(question.lower().split())

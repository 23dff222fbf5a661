"""A tag for each word: kinds of words, or spans of them such as names, told by B-, I- and O."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import polars as pl
import torch
from torch import Tensor
from torch.nn import functional

from lamina.data.batch import Block, Chunk, Facts, Ragged, Values, in_rows
from lamina.data.words import Division, Words, divided, division_of, entries
from lamina.ground.errors import DataError, PlanError, listing, nearest
from lamina.ground.shapes import Features, Form, Shape, vector
from lamina.losses import Loss
from lamina.metrics import Metric, has_spans, spans_of, tag_metrics
from lamina.outputs.calibration import honest_temperature, mean_log
from lamina.outputs.chain import Chain, best_paths
from lamina.outputs.contract import Answers, OutputLayer, OutputPlan
from lamina.outputs.head import LinearHead

MOST_TAGS = 1_000
"""More tags than this are taken for words."""
UNSEEN = -1
"""The number of a tag that no training row has: it is not learned, and any answer is wrong."""
SPANS = pl.List(
    pl.Struct({"type": pl.String, "text": pl.String, "start": pl.Int64, "end": pl.Int64, "confidence": pl.Float64})
)
"""What the answers hold of spans: words of the text from character `start` to before `end`."""


@dataclass(frozen=True, kw_only=True)
class TagsOutput(OutputPlan):
    """A tag for each word of a column."""

    kind: ClassVar[str] = "tags"
    accepts: ClassVar[tuple[Form, ...]] = ("tokens",)

    words: str
    """The column whose words are tagged."""
    decides: str | None = None
    """The metric by which validation chooses; None takes span F1 where tags tell of spans, else their accuracy."""

    @property
    def columns(self) -> tuple[str, ...]:
        """The tags, and the words that they belong to."""
        return (self.column, self.words)

    def fit(self, chunks: Iterable[Chunk]) -> Facts:
        """The tags, how spans begin, how words are given, and which tag each word has most often.

        Raises:
            DataError: if there is no row with a tag for each word, a single tag, or so many that they are words.
        """
        pairs = [pair for chunk in chunks for pair in self._cells(chunk)]
        division = division_of(words for _, words in pairs)
        tagged = [(entries(tags), divided(words, division).words) for tags, words in pairs if tags is not None]
        sound = [(tags, words) for tags, words in tagged if tags and len(tags) == len(words)]
        if not sound:
            raise DataError(
                f"Column {self.column!r} has in no row as many tags as {self.words!r} has words: there is nothing to "
                "learn from."
            )
        counts = Counter(tag for tags, _ in sound for tag in tags)
        if len(counts) == 1:
            raise DataError(
                f"Column {self.column!r} holds a single tag, {next(iter(counts))!r}, for all words of training rows: "
                "there is nothing to tell apart. Add rows with other tags."
            )
        if len(counts) > MOST_TAGS:
            raise DataError(
                f"Column {self.column!r} has {len(counts):,} different tags ({listing(list(counts)[:3])}, ...): it "
                "looks like words. Predict another column."
            )
        names = sorted(counts)
        usual = _usual(sound, {name: number for number, name in enumerate(names)})
        return {
            "tags": names, "counts": np.array([counts[name] for name in names]), "division": division,
            "rows": len(sound), "begins": _begins(tags for tags, _ in sound), "usual": usual,
        }  # fmt: skip

    def prepare(self, chunk: Chunk, facts: Facts) -> Block:
        """The numbers of each row's tags; rows of another number of tags than words, and empty ones, are problems."""
        numbers = {name: number for number, name in enumerate(facts["tags"])}  # type: ignore[arg-type, var-annotated]
        rows, problems = [], {}
        for entry, (tags, cell) in enumerate(self._cells(chunk)):
            found, words = entries(tags), self.words_of(cell, facts).words
            if tags is None:
                problems[entry] = f"{self.column} is a gap: no answer to learn from or to compare with"
            elif not words:
                problems[entry] = f"{self.words} holds no word that could be tagged"
            elif len(found) != len(words):
                problems[entry] = f"{self.column} has {len(found):,} tags for the {len(words):,} words of {self.words}"
            rows.append([numbers.get(tag, UNSEEN) for tag in found])
        offsets = np.cumsum([0, *map(len, rows)], dtype=np.int64)
        return Block(np.array([number for row in rows for number in row], np.int64), offsets, problems=problems)

    def build(self, facts: Facts, shape: Shape) -> "TagsLayer":
        """The layer for tokens of this width, which starts from how often each tag occurs.

        Raises:
            PlanError: if `decides` names a metric that is not there.
        """
        return TagsLayer(self, facts, shape)

    def by_word(self, cells: Iterable[str | None], facts: Facts) -> np.ndarray:
        """(rows,) arrays with the most frequent tag of each word; of all where training rows do not have the word."""
        usual: dict[str, int] = facts["usual"]  # type: ignore[assignment]
        other = int(np.asarray(facts["counts"]).argmax())
        rows = (self.words_of(cell, facts).words for cell in cells)
        return in_rows(np.array([usual.get(word, other) for word in words], np.int64) for words in rows)

    def words_of(self, cell: str | None, facts: Facts) -> Words:
        """The words of a cell, as they are tagged."""
        return divided(cell, facts["division"])  # type: ignore[arg-type]

    def _cells(self, chunk: Chunk) -> Iterable[tuple[str | None, str | None]]:
        return zip(*(chunk.frame[name].cast(pl.String) for name in self.columns), strict=True)


class TagsLayer(OutputLayer):
    """A linear map of each word's features to a score for each tag, and a chain: (batch, members, tokens, 1 + tags).

    The first raw score says whether there is a word, 1 or 0; after a row's end all are 0. In training the others are
    the scores from which the loss is made; afterwards they are what the chain makes of them, the logarithm of each
    tag's probability, so that several networks can be averaged.
    """

    temperature: Tensor

    def __init__(self, plan: TagsOutput, facts: Facts, shape: Shape):
        super().__init__()
        self.plan = plan
        self.tags: list[str] = facts["tags"]  # type: ignore[assignment]
        self.division: Division = facts["division"]  # type: ignore[assignment]
        self.spans = has_spans(self.tags)
        self._metrics = tag_metrics(self.tags, self.spans)
        self.decides = plan.decides or next(iter(self._metrics))
        if self.decides not in self._metrics:
            raise PlanError(
                f"{plan.column}: there is no metric {self.decides!r} for these tags."
                f"{nearest(self.decides, self._metrics)} Known here: {listing(self._metrics)}."
            )
        shares = np.asarray(facts["counts"], dtype=np.float64)
        self.head = LinearHead(Shape("vector", shape.width), np.log(shares / shares.sum()).tolist())
        self.chain = Chain(len(self.tags))
        self._may_follow = may_follow(self.tags, begins_with_b=self.spans and facts["begins"] == "B")
        self.register_buffer("temperature", torch.ones(()))

    def forward(self, features: Features, targets: Values | None = None) -> Tensor:
        """Raw scores; see the class."""
        values, lengths = features.values, features.lengths
        batch, size, width = values.shape
        scores = self.head(vector(values.reshape(batch * size, width))).view(batch, size, -1)
        there = torch.ones_like(scores[..., 0], dtype=torch.bool)
        if lengths is not None:
            there = torch.arange(size, device=values.device) < lengths[:, None]
        if not self.training:
            scores = self.chain.log_probabilities(scores.float(), there)
        scores = torch.where(there[..., None], scores, 0)
        return torch.cat([there[..., None].to(scores.dtype), scores], dim=2).unsqueeze(1)

    def loss(self, raw: Tensor, targets: Values, weight: Tensor | None = None) -> Loss:
        """The surprise of each row's whole sequence; what is counted is words, or the weights of their rows."""
        assert isinstance(targets, Ragged)
        scores = raw[:, 0].float()
        wanted = targets.padded(UNSEEN).long()
        wanted = functional.pad(wanted, (0, scores.shape[1] - wanted.shape[1]), value=UNSEEN).clamp(min=0)
        by_row, words = self.chain.surprise(scores[..., 1:], scores[..., 0] > 0.5, wanted), targets.lengths
        if weight is None:
            return Loss(by_row.sum(), words.sum())
        return Loss((by_row * weight).sum(), (words * weight).sum())

    def decode(self, raw: Tensor, context: Mapping[str, pl.Series]) -> Answers:
        """The likeliest sequence of tags in which no span goes on that has not begun, and the spans that they say.

        The confidence of a row is the probability that all its tags are right, that of a span is that of its least
        sure word.
        """
        lengths = (raw[:, 0, :, 0] > 0.5).sum(1).cpu().numpy()
        log_p = (self._log_p(raw) / self.temperature).log_softmax(-1)
        best = best_paths(log_p, self._may_follow.to(log_p.device))
        sure = log_p.gather(2, best[..., None])[..., 0].cpu().numpy()
        numbers = best.cpu().numpy()
        column, cells = self.plan.column, context.get(self.plan.words)
        words = [None] * len(numbers) if cells is None else [divided(cell, self.division) for cell in cells]
        ends = [size if word is None else len(word.words) for size, word in zip(lengths, words, strict=True)]
        scores = in_rows([row[:end] for row, end in zip(numbers, ends, strict=True)])
        names = np.array(self.tags, dtype=object)
        columns: dict[str, np.ndarray] = {column: in_rows([names[row].tolist() for row in scores])}
        columns[f"{column}_confidence"] = np.array(
            [np.exp(row[:end].sum()) for row, end in zip(sure, ends, strict=True)], dtype=np.float64
        )
        types: dict[str, Any] = {column: pl.List(pl.String)}
        if self.spans and cells is not None:
            said = zip(words, columns[column], np.exp(sure), strict=True)
            columns[f"{column}_spans"] = in_rows([_told(word, tags, chances) for word, tags, chances in said])  # type: ignore[arg-type]
            types[f"{column}_spans"] = SPANS
        return Answers(scores, columns, types)

    @torch.no_grad()
    def calibrate(self, raw: Tensor, targets: Values) -> None:
        """Find the temperature that makes the confidence in each word's tag honest."""
        assert isinstance(targets, Ragged)
        wanted = targets.padded(UNSEEN).long()
        known = wanted != UNSEEN
        if known.any():
            log_p = self._log_p(raw)[:, : wanted.shape[1]]
            self.temperature.fill_(honest_temperature(log_p[known], wanted[known]))

    def metrics(self) -> Mapping[str, Metric]:
        """Every figure for tags, by key."""
        return self._metrics

    def _log_p(self, raw: Tensor) -> Tensor:
        """(batch, tokens, tags) logarithm of the members' mean probability."""
        return mean_log(raw[..., 1:])


def may_follow(tags: Sequence[str], begins_with_b: bool) -> Tensor:
    """(1 + tags, tags) whether a tag may stand after another; the last row is the beginning of a text.

    Where spans begin with B, what goes on with one (I, E, L) must stand after B or I of the same type.
    """
    allowed = torch.ones(len(tags) + 1, len(tags), dtype=torch.bool)
    if begins_with_b:
        for place, tag in enumerate(tags):
            if tag[0] in "IEL":
                before = [other in (f"B{tag[1:]}", f"I{tag[1:]}") for other in tags]
                allowed[:, place] = torch.tensor([*before, False])
    return allowed


def _told(words: Words, tags: Sequence[str], chances: np.ndarray) -> list[dict[str, object]]:
    """The spans of a row, as answers hold them."""
    return [
        {"type": span.type, "text": words.between(span.first, span.end),
         "start": words.starts[span.first], "end": words.end(span.end - 1),
         "confidence": float(chances[span.first : span.end].min())}
        for span in spans_of(tags)
    ]  # fmt: skip


def _usual(rows: Iterable[tuple[Sequence[str], Sequence[str]]], numbers: Mapping[str, int]) -> dict[str, int]:
    """The number of each word's most frequent tag; of equally frequent ones the first."""
    found: defaultdict[str, Counter[int]] = defaultdict(Counter)
    for tags, words in rows:
        for tag, word in zip(tags, words, strict=True):
            found[word][numbers[tag]] += 1
    return {word: min(counts, key=lambda tag: (-counts[tag], tag)) for word, counts in found.items()}


def _begins(rows: Iterable[Sequence[str]]) -> str:
    """Whether spans begin with B, as in IOB2, or with I where they can, as in IOB1."""
    starts: Counter[str] = Counter()
    for tags in rows:
        for before, tag in zip(["O", *tags], tags, strict=False):
            if tag[2:] != before[2:] or before == "O":
                starts[tag[:1]] += 1
    return "B" if starts["B"] >= starts["I"] else "I"

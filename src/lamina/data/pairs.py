"""Questions with answers: whether answers are better looked up among the known ones, or written."""

import re
from collections import Counter
from typing import Literal

import numpy as np
import polars as pl

RECUR = 0.5
"""Different answers up to this share of the rows: they are said again and again."""
SELDOM = 0.9
"""Different answers above this share of the rows: too few come back for any to be looked up, or held out."""
TOGETHER = 0.5
"""Correlation of lengths above which answers say what the questions say, as translations do (docs/lab-notes.md)."""
ALIKE = 0.1
"""Spread of the answers' lengths, as part of their mean, up to which lengths tell nothing: dates, codes."""
MOST_ANSWERS = 20_000
"""Different answers up to which all of them are compared with each question."""
OF_THEIR_OWN = "the answers are texts of their own: they are written, piece by piece"
COMMONEST, FOREIGN = 50, 0.1
"""The commonest words of questions; where a smaller share of the answers' words are such, it is another language: 5 %
of German beside English, 25 to 45 % of English beside English, however few there are (docs/lab-notes.md)."""
_SAMPLE, _FEWEST = 2_000, 20
"""Pairs that are looked at for this, and words below which nothing can be said."""
# Languages that are written without spaces are looked at letter by letter.
_WORD = re.compile(r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff]|[^\W\d_]+")
_CODE = re.compile(r"(?i)([a-z]{2})([-_][a-z]{2,4})?")
_LANGUAGES = """
aa ab ae af ak am an ar as av ay az ba be bg bh bi bm bn bo br bs ca ce ch co cr cs cu cv cy da de dv dz ee el
en eo es et eu fa ff fi fj fo fr fy ga gd gl gn gu gv ha he hi ho hr ht hu hy hz ia id ie ig ii ik io is it iu
ja jv ka kg ki kj kk kl km kn ko kr ks ku kv kw ky la lb lg li ln lo lt lu lv mg mh mi mk ml mn mr ms mt my na
nb nd ne ng nl nn no nr nv ny oc oj om or os pa pi pl ps pt qu rm rn ro ru rw sa sc sd se sg si sk sl sm sn so
sq sr ss st su sv sw ta te tg th ti tk tl tn to tr ts tt tw ty ug uk ur uz ve vi vo wa wo xh yi yo za zh zu
"""
"""Two letters for each language that has them (ISO 639-1)."""


def how_answered(questions: pl.Series, answers: pl.Series) -> tuple[Literal["reply", "text"], str]:
    """Whether answers are looked up (`reply`) or written (`text`), and why.

    Args:
        questions: (rows,) of text.
        answers: (rows,) of text.
    """
    if (languages := _languages(questions.name, answers.name)) is not None:
        return "text", f"{languages} are names of languages: a translation is written, piece by piece"
    both = pl.DataFrame({"question": questions.cast(pl.String), "answer": answers.cast(pl.String)}).drop_nulls()
    rows, different = both.height, both["answer"].n_unique()
    if rows < 2 or different > min(MOST_ANSWERS, SELDOM * rows):
        return "text", OF_THEIR_OWN
    share = _words_in_common(both)
    foreign = share is not None and share < FOREIGN
    if different <= RECUR * rows and not foreign:
        return (
            "reply",
            f"{different:,} answers are given again and again in {rows:,} rows: the best of them is looked up",
        )
    written = OF_THEIR_OWN if not foreign else (
        f"an answer comes back only where its question does, and {share:.0%} of its words are among the "
        f"{COMMONEST} commonest of questions: another language, so they are written, piece by piece"
    )  # fmt: skip
    asked, said = (both[name].str.len_chars().to_numpy().astype(np.float64) for name in ("question", "answer"))
    if said.std() <= ALIKE * said.mean() or asked.std() == 0:
        return "text", written
    together = float(np.corrcoef(np.log1p(asked), np.log1p(said))[0, 1])
    if together >= TOGETHER:
        return "text", written
    return "reply", (
        f"long questions have no longer answers (correlation of lengths {together:.2f}), so an answer does not say "
        "what the question says, as a translation does: the best known one is looked up"
    )


def _languages(question: str, answer: str) -> str | None:
    """`en and de`, where two columns are named by codes of languages that differ."""
    codes = [_CODE.fullmatch(name) for name in (question, answer)]
    found = [code[0] for code in codes if code and code[1].lower() in _LANGUAGES.split()]
    return " and ".join(found) if len(found) == 2 and found[0].lower() != found[1].lower() else None


def _words_in_common(both: pl.DataFrame) -> float | None:
    """The share of the answers' words that are among the commonest of the questions.

    None where there are too few words to tell, or where different questions have the same answer, as those who ask
    the same in several ways: then answers are there to be found, in whatever language.
    """
    pairs = both.unique(maintain_order=True)
    if pairs["answer"].n_unique() <= SELDOM * pairs.height:
        return None
    asked, said = (
        [word for text in pairs[name].head(_SAMPLE) for word in _WORD.findall(text.lower())]
        for name in ("question", "answer")
    )
    if min(len(asked), len(said)) < _FEWEST:
        return None
    commonest = {word for word, _ in Counter(asked).most_common(COMMONEST)}
    return sum(word in commonest for word in said) / len(said)

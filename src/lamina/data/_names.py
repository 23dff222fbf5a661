"""What the name of a column hints at. A hint tips a balance; it never decides against the cells."""

import re

_PARTS = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|\d+")


def _clues(text: str) -> frozenset[str]:
    return frozenset(text.split())


IDENTIFIER = _clues("id ids uuid guid rowid key identifier rownumber instant")
CODE = _clues("zip zipcode postcode postal plz code codes id")
CLASS = _clues("class classes label type category species digit letter cluster classid")
AMOUNT = _clues(
    "count cnt number num quantity amount total sum quality grade score rating stars points age years "
    "days hours price size rings level claims visits rank"
)
TIME = _clues(
    "time timestamp date datetime moment year month day hour minute second week t ts step created updated epoch unix at"
)
ORDER = _clues("rank ranking place position order")
PREDICTION = _clues(
    "predicted prediction predictions pred preds predict estimate estimated forecast fitted score prob "
    "probability yhat proba"
)
PERSON = _clues("patient subject participant speaker writer person")
ANSWER = ("target", "label", "class", "y", "outcome", "response", "answer")


def words(name: str) -> tuple[str, ...]:
    """The words of a column's name in lower case: `PassengerId`, `passenger_id` and `passenger id` alike."""
    return tuple(part.lower() for part in _PARTS.findall(name))


def last_word(name: str) -> str:
    """The last word: what kind of thing the column holds, in most languages of tables."""
    parts = words(name)
    return parts[-1] if parts else ""


def hints(name: str, clues: frozenset[str]) -> bool:
    """Whether any word of the name, or the whole of it, is among the clues."""
    parts = words(name)
    return bool(clues.intersection(parts)) or "".join(parts) in clues

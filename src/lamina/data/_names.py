"""What the name of a column hints at. A hint tips a balance; it never decides against the cells."""

import re

_PARTS = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|\d+")

IDENTIFIER = frozenset({"id", "ids", "uuid", "guid", "rowid", "key", "identifier", "rownumber", "instant"})
CODE = frozenset({"zip", "zipcode", "postcode", "postal", "plz", "code", "codes", "id"})
CLASS = frozenset({"class", "classes", "label", "type", "category", "species", "digit", "letter", "cluster", "classid"})
AMOUNT = frozenset(
    {"count", "cnt", "number", "num", "quantity", "amount", "total", "sum", "quality", "grade", "score", "rating",
     "stars", "points", "age", "years", "days", "hours", "price", "size", "rings", "level", "claims", "visits",
     "rank"}  # fmt: skip
)
TIME = frozenset(
    {"time", "timestamp", "date", "datetime", "moment", "year", "month", "day", "hour", "minute", "second", "week", "t",
     "ts", "step", "created", "updated", "epoch", "unix", "at"}  # fmt: skip
)
ORDER = frozenset({"rank", "ranking", "place", "position", "order"})
PREDICTION = frozenset(
    {"predicted", "prediction", "predictions", "pred", "preds", "predict", "estimate", "estimated", "forecast",
     "fitted", "score", "prob", "probability", "yhat", "proba"}  # fmt: skip
)
PERSON = frozenset({"patient", "subject", "participant", "speaker", "writer", "person"})
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

"""How figures, times and names are written for people: alike on the page, in its charts and in the card."""

import math
from collections.abc import Iterable, Mapping

from lamina.metrics import METRICS

NOTHING = "\N{EN DASH}"
"""Stands where there is no figure."""


def figure(value: object) -> str:
    """`45,870`, `0.9231`, `2e-05`: a number in four digits, a whole one in all of its own."""
    if isinstance(value, (bool, str)):
        return str(value)
    if not isinstance(value, (int, float)) or not math.isfinite(value):
        return NOTHING
    if value == int(value) and abs(value) < 1e15:
        return f"{int(value):,}"
    power = math.floor(math.log10(abs(value)))
    if not -3 <= power < 15:
        return f"{value:.2g}"
    return f"{round(value, 3 - power):,.{min(max(3 - power, 0), 4)}f}"


def share(value: object) -> str:
    """`91 %` of a number from 0 to 1; never `100 %` or `0 %` for what is not all or nothing."""
    if not isinstance(value, (int, float)) or not math.isfinite(value):
        return NOTHING
    percent = f"{100 * value:.0f}"
    if percent == "100" and value < 1:
        return "over 99 %"
    return "under 1 %" if percent == "0" and value > 0 else f"{percent} %"


def duration(seconds: object) -> str:
    """`4.2 ms`, `0.8 s`, `24 s`, `12 min 3 s`, `1 h 2 min`."""
    if not isinstance(seconds, (int, float)) or not math.isfinite(seconds):
        return NOTHING
    if 0 < seconds < 0.1:
        return f"{1000 * seconds:.2g} ms"
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def metric_label(key: str) -> str:
    """`RMSE` for `rmse`; a key that is not known speaks for itself."""
    return METRICS[key].label if key in METRICS and METRICS[key].label else key.replace("_", " ")


def direction(key: str) -> str:
    """`higher is better`, `lower is better`, or nothing for a metric that is not known."""
    if key not in METRICS:
        return ""
    return "higher is better" if METRICS[key].larger_is_better else "lower is better"


def best_first(key: str, values: Mapping[str, object]) -> list[str]:
    """Names in the order of their values, the best first; those without a value stand last."""
    sign = -1 if key in METRICS and METRICS[key].larger_is_better else 1

    def place(name: str) -> tuple[bool, float]:
        value = values[name]
        known = isinstance(value, (int, float)) and math.isfinite(value)
        return (not known, sign * value if known else 0.0)  # type: ignore[operator]

    return sorted(values, key=place) if key in METRICS else list(values)


def short(text: object, most: int) -> str:
    """A text of at most `most` characters, with a sign where it was cut."""
    whole = str(text)
    return whole if len(whole) <= most else whole[: most - 1].rstrip() + "…"


def joined(names: Iterable[object], most: int = 4) -> str:
    """`a`, `a and b`, `a, b and 3 more`: names as a sentence holds them."""
    texts = [str(name) for name in names]
    if len(texts) > most:
        texts = [*texts[: most - 1], f"{len(texts) - most + 1} more"]
    return " and ".join(part for part in (", ".join(texts[:-1]), *texts[-1:]) if part)

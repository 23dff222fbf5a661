"""Charts as SVG text: described with altair, drawn by vl-convert, with no JavaScript and nothing fetched.

Colours are the page's own CSS variables, so that one drawing serves light, dark and print. Every chart is about as
wide as a phone: it stands beside its neighbours on a wide screen and is never shrunk until it cannot be read.
"""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import altair as alt
import vl_convert

from lamina.report._words import figure, joined, share

_INK, _SOFT, _LINE, _ACCENT, _OTHER, _ON_ACCENT = (
    f"var(--{name})" for name in ("ink", "soft", "line", "accent", "other", "on-accent")
)
_WIDTH = 330
_POINTS = 400
"""Points of a curve: more than the pixels of its width show nothing more."""
MOST_CLASSES = 60
"""Classes above which a confusion matrix is no longer readable."""
_COUNTED_CLASSES = 12
"""Classes up to which every cell has room for its count."""


@dataclass(frozen=True)
class Measured:
    """One contender's figure with its interval."""

    name: str
    value: float
    low: float | None = None
    high: float | None = None
    ours: bool = False
    """Whether this is the network."""


def comparison_chart(rows: Sequence[Measured], label: str) -> str:
    """A dot with its interval for each contender, in the order given."""
    values = [
        {"name": row.name, "value": row.value, "text": figure(row.value), "ours": row.ours,
         "low": row.value if row.low is None else row.low, "high": row.value if row.high is None else row.high}
        for row in rows
    ]  # fmt: skip
    colour = alt.condition("datum.ours", alt.value(_ACCENT), alt.value(_OTHER))
    base = alt.Chart(alt.InlineData(values=values)).encode(
        y=alt.Y("name:N", sort=None, title=None, axis=alt.Axis(grid=False, domain=False, labelLimit=140)), color=colour
    )
    across = alt.X("value:Q", title=label, scale=alt.Scale(zero=False, nice=True, padding=14), axis=_axis(5, rows))
    chart = alt.layer(
        base.mark_rule(strokeWidth=4, strokeCap="round", opacity=0.4).encode(
            x=alt.X("low:Q", title=label), x2="high:Q"
        ),
        base.mark_point(filled=True, size=60, opacity=1).encode(x=across),
        base.mark_text(dy=-13, fontSize=12, fontWeight="bold").encode(x=across, text="text:N"),
    ).properties(width=_WIDTH - 100, height=alt.Step(46))
    told = joined((f"{row.name} {figure(row.value)}{_span(row)}" for row in rows), most=20)
    return _svg(chart, f"{label}: {told}.")


def _span(row: Measured) -> str:
    return "" if row.low is None or row.high is None else f" ({figure(row.low)} to {figure(row.high)})"


def _axis(ticks: int, rows: Sequence[Measured] = ()) -> alt.Axis:
    """An axis with few ticks; thousands as `k`, so that neighbours do not run into each other."""
    large = any(abs(row.value) >= 10_000 for row in rows)
    words = "format(datum.value, '~s')" if large else "datum.label"
    return alt.Axis(tickCount=ticks, labelOverlap=True, labelSeparation=8, labelExpr=words)


def curve_chart(points: Sequence[tuple[float, float]], across: str, up: str,
                best: tuple[float, float] | None = None) -> str:  # fmt: skip
    """A line over the course of training; the best moment is marked.

    Args:
        points: (moment, figure) in order of time.
        across: what a moment is: `epoch`, `step`.
        up: what is drawn.
        best: the moment to mark, with its figure.
    """
    every = math.ceil(len(points) / _POINTS)
    kept = [*points[::every], *(points[-1:] if every > 1 else [])]
    ups = [value for _, value in points]
    # On a plain scale a loss that fell a hundredfold is an L that shows nothing of its later course.
    steep = min(ups) > 0 and max(ups) > 100 * min(ups)
    scale = alt.Scale(type="log", nice=False) if steep else alt.Scale(zero=False, nice=True)
    title = f"{up} (logarithmic)" if steep else up
    measured = [Measured(up, value) for value in ups]
    x = alt.X("x:Q", title=across, axis=_axis(6), scale=alt.Scale(nice=False))
    y = alt.Y("y:Q", title=None, axis=_axis(5, measured), scale=scale)
    values = [{"x": x, "y": y} for x, y in kept]
    layers = [
        alt.Chart(alt.InlineData(values=values))
        .mark_line(color=_ACCENT, strokeWidth=2, strokeJoin="round")
        .encode(x=x, y=y)
    ]
    told = f"{up} by {across}: from {figure(ups[0])} to {figure(ups[-1])}"
    if best:
        mark = alt.Chart(alt.InlineData(values=[{"x": best[0], "y": best[1], "text": f"best {figure(best[1])}"}]))
        late = best[0] > (points[0][0] + points[-1][0]) / 2
        high = best[1] > (min(ups) + max(ups)) / 2  # its words stand at the other end of the height, off the line
        layers += [
            mark.mark_rule(color=_SOFT, strokeDash=[3, 3]).encode(x=x),
            mark.mark_point(filled=True, size=80, color=_ACCENT, opacity=1).encode(x=x, y=y),
            mark.mark_text(align="right" if late else "left", dx=-7 if late else 7, fontWeight="bold", color=_INK)
            .encode(x=x, y=alt.value(160 if high else 10), text="text:N"),
        ]  # fmt: skip
        told += f", best {figure(best[1])} at {across} {figure(best[0])}"
    chart = alt.layer(*layers).properties(width=_WIDTH - 50, height=170, title=title)
    return _svg(chart, f"{told}.")


def confusion_chart(classes: Sequence[str], counts: Sequence[Sequence[int]]) -> str:
    """How often each true class (rows) was given each answer (columns); darker is a larger share of the true class."""
    names = list(classes)
    values = [
        {"truth": names[truth], "answer": names[answer], "count": figure(count), "share": count / sum(row)}
        for truth, row in enumerate(counts) for answer, count in enumerate(row) if count
    ]  # fmt: skip
    cell = max(12, min(44, 400 // len(names)))
    look: dict[str, Any] = {"labelLimit": 110, "labelOverlap": False, "grid": False, "domain": False, "ticks": False,
            "labelFontSize": 12 if cell >= 14 else 10}  # fmt: skip
    turned = -90 if cell < 7 * max(map(len, names)) else 0
    order = alt.Scale(domain=names, padding=0.03)
    x = alt.X("answer:N", title="answer", scale=order, axis=alt.Axis(orient="top", labelAngle=turned, **look))
    y = alt.Y("truth:N", title="truth", scale=order, axis=alt.Axis(**look))
    base = alt.Chart(alt.InlineData(values=values)).encode(x=x, y=y)
    # The root of the share: a mistake on 2 % of a class is what one looks for, and would be white beside its diagonal.
    shade = alt.Opacity("share:Q", scale=alt.Scale(type="sqrt", domain=[0, 1], range=[0.04, 1]), legend=None)
    layers = [base.mark_rect(color=_ACCENT).encode(opacity=shade)]
    if len(names) <= _COUNTED_CLASSES:
        ink = alt.condition("datum.share > 0.4", alt.value(_ON_ACCENT), alt.value(_INK))
        layers.append(base.mark_text(fontSize=12).encode(text="count:N", color=ink))
    chart = alt.layer(*layers).properties(width=alt.Step(cell), height=alt.Step(cell))
    right = sum(counts[place][place] for place in range(len(names)))
    told = f"{right:,} of {sum(map(sum, counts)):,} rows are on the diagonal, where answer and truth agree"
    return _svg(chart, f"Confusion matrix of {len(names)} classes: {told}.")


def reliability_chart(bins: Sequence[tuple[float, float, int]]) -> str:
    """How often answers were right for how sure the network was: on the line it is as often right as it says.

    Args:
        bins: (mean confidence, share that was right, rows).
    """
    values = [{"x": stated, "y": right, "rows": rows} for stated, right, rows in bins]
    scale = alt.Scale(domain=[0, 1])
    ticks: dict[str, Any] = {"values": [0, 0.25, 0.5, 0.75, 1], "format": "%"}
    x = alt.X("x:Q", title="confidence stated", scale=scale, axis=alt.Axis(**ticks))
    y = alt.Y("y:Q", title="answers that were right", scale=scale, axis=alt.Axis(**ticks))
    base = alt.Chart(alt.InlineData(values=values)).encode(x=x, y=y)
    size = alt.Size("rows:Q", scale=alt.Scale(range=[30, 320]), legend=None)
    chart = alt.layer(
        _diagonal(0.0, 1.0, x, y),
        base.mark_line(color=_ACCENT, strokeWidth=1.5, opacity=0.6),
        base.mark_point(filled=True, color=_ACCENT, opacity=0.9).encode(size=size),
    ).properties(width=_WIDTH - 60, height=_WIDTH - 60)
    told = joined(
        (f"stated {share(stated)}, right {share(right)} of {rows:,} rows" for stated, right, rows in bins), 20
    )
    return _svg(chart, f"Reliability: {told}.")


def scatter_chart(pairs: Sequence[tuple[float, float]], column: str) -> str:
    """Each sampled row's truth against its answer: on the line the two agree."""
    low, high = min(map(min, pairs)), max(map(max, pairs))
    scale = alt.Scale(domain=[low, high] if high > low else [low - 1, high + 1], nice=True)
    measured = [Measured(column, low), Measured(column, high)]
    x = alt.X("x:Q", title="truth", scale=scale, axis=_axis(4, measured))
    y = alt.Y("y:Q", title="answer", scale=scale, axis=_axis(5, measured))
    values = [{"x": truth, "y": answer} for truth, answer in pairs]
    points = alt.Chart(alt.InlineData(values=values)).mark_point(filled=True, size=24, color=_ACCENT, opacity=0.45)
    chart = alt.layer(_diagonal(low, high, x, y), points.encode(x=x, y=y))
    told = f"Truth against answer for {len(pairs)} rows, both from {figure(low)} to {figure(high)}."
    return _svg(chart.properties(width=_WIDTH - 60, height=_WIDTH - 60), told)


def _diagonal(low: float, high: float, x: alt.X, y: alt.Y) -> alt.Chart:
    ends = alt.InlineData(values=[{"x": low, "y": low}, {"x": high, "y": high}])
    return alt.Chart(ends).mark_line(color=_SOFT, strokeDash=[4, 4], strokeWidth=1).encode(x=x, y=y)


def sparkline(counts: Sequence[float], says: str) -> str:
    """A histogram the size of a word, drawn by hand: a table has one a column, and altair takes 0.05 s a chart."""
    highest = max(counts)
    bars = "".join(
        f"M{place + 0.08:g} 24v-{max(24 * count / highest, 1.2):.1f}h.84V24z"
        for place, count in enumerate(counts)
        if count
    )
    return (
        f'<svg class="spark" role="img" aria-label="{escape(says)}" viewBox="0 0 {len(counts)} 24" '
        f'preserveAspectRatio="none"><path d="{bars}"/></svg>'
    )


_LOOK: dict[str, Any] = {
    "aria": False,  # one sentence for the whole chart says more than a label on each of 500 points
    "background": None,
    "padding": 4,
    "view": {"stroke": None},
    "title": {"anchor": "start", "color": _INK, "fontSize": 13, "fontWeight": 600, "offset": 10, "limit": 290},
    "axis": {
        "labelColor": _SOFT, "labelFontSize": 12, "titleColor": _SOFT, "titleFontSize": 12, "titleFontWeight": "normal",
        "gridColor": _LINE, "domainColor": _LINE, "tickColor": _LINE, "titlePadding": 8, "labelPadding": 5,
        "titleLimit": 280,
    },
}  # fmt: skip


def _svg(chart: alt.TopLevelMixin, says: str) -> str:
    """A chart as an `<svg>` to stand in a page: as wide as there is room, at most its own width."""
    # Checking the description against Vega-Lite's schema takes longer than drawing; the tests draw every chart.
    described = chart.to_dict(validate=False) | {"config": _LOOK}
    drawn = vl_convert.vegalite_to_svg(described, allowed_base_urls=[])
    size = re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', drawn)
    assert size, "vl-convert writes a viewBox"
    width, height = size.groups()
    inside = drawn[drawn.index(">") + 1 :]
    return (
        f'<svg class="chart" role="img" aria-label="{escape(says)}" viewBox="0 0 {width} {height}" '
        f'style="--width:{width}px">{inside}'
    )

"""The page that shows the results: `docs/speed.md`, and its chart, `docs/speed.svg`."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import altair as alt
import vl_convert

from benchmarks.speed.contenders import CONTENDERS
from benchmarks.speed.results import LIBRARIES, fastest_untuned
from benchmarks.speed.workloads import WORKLOADS, Workload

INTRODUCTION = """# How fast it is

Every contender trains the same network on the same rows with the same batches, Adam at a constant rate of 0.001 and
cross entropy in all of them, from the same first weights (except scikit-learn, which takes none), on two cores, each
time in a process of its own; the contenders take turns, and a whole round is repeated. Figures are medians; the spread
holds all repeats. Rows are in memory in the form that each framework's guide has, pictures as bytes for the loop by
hand and Lamina; nobody writes files, draws bars or judges on other rows while it is timed. A first call on a few rows
is timed by itself: compiling and tracing are there.
Everyone is given `GOMP_SPINCOUNT=10000`, which Lamina sets for itself: on a quiet machine it changes nothing, beside
many busy programs small steps take ten to thirty times as long without it.

*Lamina is* says how many times as fast as the contender Lamina is: above 1 Lamina is faster. *Agrees* says whether the
accuracy on training rows at the end is that of the hand-written loop; who differs has not done the same work and is not
counted as the fastest. Memory is the most that the process held; where a folder is read (e), what it and the processes
that it reads with held for themselves, what they share counted once, looked at twice a second. Results from before
2026-11-24, which are marked as of older code, had Lamina's pictures as numbers, and in e the reading process alone with
the files that it maps.

Texts (i) are stretches of 256 characters, learned from as rows that begin anew; what is written is drawn at a
temperature of 0.7 from weights that have learned for a moment, the same for all, with what was read carried on. Loss
and accuracy are then what the network says of what was written: who carries on something wrong differs.

*Floor of the machine* is the speed at which every layer with weights would only multiply, at the rate of a large
float32 matrix product, or only read and write its input, output and weights, at the rate of copying, whichever takes
longer, once to answer and three times to learn; everything else would cost nothing. Multiplications are counted as they
are defined: wide filters of 3x3 can do with a quarter of them, which Lamina makes use of.

Time to a figure (f) ends when a tenth of the training rows, held out, is answered as well as is asked, and test rows as
well but for chance (two standard errors): who was lucky with the tenth goes on, and answering test rows is not timed.
For Lamina it is the whole command on the published files: imports, reading, simpler models beside, judging and the
report; it has one try. The others are handed arrays, learn with their documented defaults and look after each epoch.
"""

BUSY = 3.0
"""Processes that want the cores above which a machine is not quiet: the contender itself brings two threads."""
_INK, _LINE, _ACCENT, _OTHER = "#57606a", "#afb8c140", "#cf222e", "#218bff"
"""Readable on white and on black: the chart is a picture of its own and knows nothing of the page around it."""


def page(results: Mapping[str, dict[str, Any]], code: str, picture: str) -> str:
    """The page as Markdown.

    Args:
        results: by workload, as `results.newest` gives them.
        code: fingerprint of the present code; results of another are marked.
        picture: file name of the chart.
    """
    lines = [INTRODUCTION]
    if charted(results):
        lines += [f"![{told(results)}]({picture})", ""]
    for name, workload in WORKLOADS.items():
        lines += [f"## {workload.title}", ""]
        if name not in results:
            lines += ["Not measured yet.", ""]
            continue
        made = _shares(results[name]) if workload.kind == "padding" else table(workload, results[name])
        lines += made + _remarks(results[name], code)
    return "\n".join([*lines, *_measured(results)])


def write(path: Path, results: Mapping[str, dict[str, Any]], code: str) -> None:
    """Write the page, and the chart beside it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    picture = path.with_suffix(".svg")
    path.write_text(page(results, code, picture.name))
    if charted(results):
        picture.write_text(chart(results))


# ---- tables --------------------------------------------------------------------------------------------------------


def table(workload: Workload, result: Mapping[str, Any]) -> list[str]:
    """Fastest first; only the columns that this workload has."""
    columns: dict[str, str] = {"median": workload.unit, "spread": "spread", "ratio": "Lamina is"}
    possible = {
        "first_seconds": "first call", "first_rate": "first epoch", "row_ms": "one row alone", "peak_mib": "memory",
        "loss": "loss", "accuracy": "accuracy", "agrees": "agrees",
    }  # fmt: skip
    rows = result["contenders"]
    columns |= {key: title for key, title in possible.items() if any(key in row for row in rows.values())}
    if "floor" in result:
        floor = f"| *floor of the machine* | *{number(result['floor']['value'])}* |" + " |" * (len(columns) - 1)
    sign = -1 if workload.larger_is_better else 1
    lines = ["| | " + " | ".join(columns.values()) + " |", "|---|" + "--:|" * len(columns)]
    for name in sorted(rows, key=lambda name: sign * rows[name]["median"]):
        title = CONTENDERS[name].title
        lines.append(f"| {f'**{title}**' if name == 'lamina' else title} | "
                     + " | ".join(_cell(key, rows[name]) for key in columns) + " |")  # fmt: skip
    return [*lines, *([floor] if "floor" in result else []), ""]


def _shares(result: Mapping[str, Any]) -> list[str]:
    """The share of padding by data set, the largest first."""
    shares = result["contenders"]["lamina"]["shares"]
    rows = [f"| {name} | {100 * shares[name]:.1f} % |" for name in sorted(shares, key=lambda name: -shares[name])]
    return ["Rows of a batch are filled up to its longest. Counted over an epoch of the plan that Lamina chooses, "
            "where it reads or writes tokens in their order.", "", "| | padding |", "|---|--:|", *rows, ""]  # fmt: skip


def _cell(key: str, row: Mapping[str, Any]) -> str:
    if key == "spread":
        return f"{number(row['low'])} to {number(row['high'])}"
    if key not in row:
        return ""
    value = row[key]
    match key:
        case "ratio":
            return f"{value:.2f}x"
        case "first_seconds":
            return f"{value:.2f} s"
        case "row_ms":
            return f"{value:.2f} ms"
        case "first_rate":
            return f"{number(value)}/s"
        case "peak_mib":
            return f"{value:,.0f} MiB"
        case "accuracy":
            return f"{100 * value:.1f} %"
        case "loss":
            return f"{value:.3f}"
        case "agrees":
            return "yes" if value else "**no**"
        case _:
            return number(value)


def number(value: float) -> str:
    """Three digits, or all of those before the point."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _remarks(result: Mapping[str, Any], code: str) -> list[str]:
    said = []
    rival = fastest_untuned(result)
    if rival and "lamina" in result["contenders"]:
        ratio = result["contenders"][rival]["ratio"]
        said.append(f"Fastest of what people use instead: {CONTENDERS[rival].title}; Lamina is {ratio:.2f} times as "
                    "fast.")  # fmt: skip
    if "floor" in result:
        floor = result["floor"]
        said.append(f"The floor follows from {floor['operations'] / 1e9:,.0f} billion operations and "
                    f"{floor['bytes'] / 1e9:,.1f} billion bytes a second, measured beside.")  # fmt: skip
    asked = WORKLOADS[result["workload"]]
    if "rows" in result and (result["rows"], result["epochs"]) != (asked.rows, asked.epochs):
        said.append(f"Shortened: {result['rows']:,} rows, {result['epochs']} times.")
    if result.get("busy", 0) > BUSY:
        said.append(f"The machine was not quiet: {result['busy']} processes wanted its cores on average, ours among "
                    "them.")  # fmt: skip
    said += [f"{CONTENDERS[name].title} has no result: {why}." for name, why in result["failed"].items()]
    if result["code"] != code:
        said.append("Measured with older code.")
    return [" ".join(said), ""] if said else []


def _measured(results: Mapping[str, dict[str, Any]]) -> list[str]:
    """Machine, versions, dates, command."""
    if not results:
        return []
    machines = {
        f"{machine['cpu']}{', with AMX' if machine['matrix_units'] else ', without AMX'}, {machine['cores']} cores, "
        f"{machine['memory_gib']} GiB, {machine['system']}, Python {machine['python']}, "
        + ", ".join(f"{library} {machine[library]}" for library in LIBRARIES)
        for machine in (result["machine"] for result in results.values())
    }
    versions = {
        f"{library} {version}"
        for result in results.values() for one in result["contenders"].values()
        for library, version in one["versions"].items()
    }  # fmt: skip
    dates = sorted(result["date"][:10] for result in results.values())
    repeats = sorted({result["repeats"] for result in results.values()})
    return [
        "## How it was measured",
        "",
        f"{dates[0]} to {dates[-1]}, {' or '.join(map(str, repeats))} repeats, on: {'; '.join(sorted(machines))}.",
        f"Contenders: {', '.join(sorted(versions))}.",
        "",
        "<!-- not run: takes hours -->",
        "```bash",
        "scripts/bench speed && scripts/bench speed --table",
        "```",
        "",
        "What Lamina's loop costs beside a bare one is measured by `scripts/bench loop`.",
        "",
    ]


# ---- chart ---------------------------------------------------------------------------------------------------------


def charted(results: Mapping[str, dict[str, Any]]) -> list[dict[str, Any]]:
    """Every contender's speed in the training workloads, as a share of Lamina's."""
    return [
        {"workload": WORKLOADS[name].title.split(",")[0], "contender": CONTENDERS[who].title, "ours": who == "lamina",
         "speed": 1 / one["ratio"]}
        for name, result in results.items() if WORKLOADS[name].kind == "training"
        for who, one in result["contenders"].items() if "ratio" in one
    ]  # fmt: skip


def told(results: Mapping[str, dict[str, Any]]) -> str:
    """The chart in a sentence, for those who cannot see it."""
    parts = []
    for name, result in results.items():
        rival = fastest_untuned(result)
        if WORKLOADS[name].kind == "training" and rival and "ratio" in result["contenders"][rival]:
            ratio = result["contenders"][rival]["ratio"]
            parts.append(f"{name}: {ratio:.2f} times as fast as {CONTENDERS[rival].title}")
    return "Speed of training beside Lamina's. " + "; ".join(parts)


def chart(results: Mapping[str, dict[str, Any]]) -> str:
    """An SVG: a panel a workload, a dot a contender, Lamina's speed at 1."""
    values = charted(results)
    colour = alt.condition("datum.ours", alt.value(_ACCENT), alt.value(_OTHER))
    x = alt.X("speed:Q", title="speed (Lamina = 1), logarithmic", scale=alt.Scale(type="log", nice=False, padding=12))
    # A step down in speed is a step down in the panel; every panel has its own order.
    y = alt.Y("contender:N", title=None, sort=alt.EncodingSortField("speed", order="descending"))
    base = alt.Chart(alt.InlineData(values=values))
    described = (
        alt.layer(
            base.mark_rule(strokeDash=[4, 4], color=_INK).encode(x=alt.datum(1.0)),
            base.mark_point(filled=True, size=70, opacity=1).encode(x=x, y=y, color=colour),
        )
        .properties(width=300, height=alt.Step(20))
        .facet(alt.Facet("workload:N", title=None, header=alt.Header(labelColor=_INK, labelAnchor="start")), columns=2)
        .resolve_scale(y="independent")
        .configure(background="transparent")
        .configure_axis(labelColor=_INK, titleColor=_INK, gridColor=_LINE, domainColor=_LINE, tickColor=_LINE)
        .configure_view(stroke=None)
    )
    return vl_convert.vegalite_to_svg(described.to_dict(), allowed_base_urls=[])

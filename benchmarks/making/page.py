"""The page that shows the results: `docs/making.md`."""

from collections.abc import Mapping
from typing import Any

from benchmarks.making.rows import ROWS

NAMES = {
    "recognised": "recognised as what was asked for, %",
    "frechet_over_real": "Fréchet distance, times that of real ones",
    "psnr": "PSNR, dB",
    "learned_from": "accuracy on real rows, learned from made ones, %",
    "told_apart": "made and real rows told apart, AUC",
}
"""What figures are called; those in percent end so."""

INTRODUCTION = """# What networks reach that make

Each row trains with no setting but the time, on two cores, and is judged once, at the end, beside data that neither
the network nor what judges it has seen. *At least* and *aim* were set before the first training. What looks at made
pictures is a classifier that Lamina trains on the same training pictures first, within the same time; distances are
taken of its features, and that of as many real training pictures is the unit. They compare trainings on this data and
are not comparable with published ones. Photos are enlarged from what Pillow's bicubic interpolation made of them, and
measured by their brightness (BT.601) without as many pixels at the border as the scale says.
"""


def page(results: Mapping[str, Mapping[str, Any]], code: str) -> str:
    """The page as Markdown.

    Args:
        results: by row, as they are kept.
        code: fingerprint of the present code; results of another are marked.
    """
    lines = [INTRODUCTION, "| row | figure | Lamina | at least | aim | reached | steps | time |",
             "|---|---|--:|--:|--:|---|--:|--:|"]  # fmt: skip
    for name, row in ROWS.items():
        kept = results.get(name)
        for key, goal in row.goals.items():
            bounds = f"{_said(key, goal.at_least)} | {_said(key, goal.aim)}"
            if kept is None:
                lines.append(f"| {name} | {NAMES[key]} | not measured yet | {bounds} | | | |")
                continue
            mark = "" if kept["code"] == code else " (older code)"
            one = kept["goals"][key]
            lines.append(f"| {name}{mark} | {NAMES[key]} | **{_said(key, one['value'])}** | {bounds} "
                         f"| {one['reached']} | {kept['steps']:,} | {kept['seconds']['total']:.0f} s |")  # fmt: skip
    lines += ["", *(f"- {name}: {results[name]['verdict']}" for name in ROWS if name in results)]
    if steps := results.get("steps"):
        lines += ["", "## Steps a second", "", _steps(steps)]
    for kept in list(results.values())[:1]:
        about = ", ".join(f"{key} {value}" for key, value in kept["machine"].items())
        lines += ["", f"Measured on: {about}."]
    return "\n".join(lines) + "\n"


def _said(key: str, value: float) -> str:
    return f"{100 * value:.1f}" if NAMES[key].endswith("%") else f"{value:.2f}"


def _steps(kept: Mapping[str, Any]) -> str:
    return (
        "A step of the two networks for digits of 28 x 28, 32 at a time: "
        f"{kept['over_by_hand']} times as many a second as a loop written by hand with penalties as rare, "
        f"{kept['over_by_hand_penalties_each_step']} times where it takes them at each step, as the paper's own does. "
        f"That is {100 * kept['share_of_the_floor']:.0f} % of what the products of a step would take if each ran as "
        "fast as a product of two large matrices here."
    )
